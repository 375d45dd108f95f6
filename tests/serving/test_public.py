"""A server for strangers: what it allows, what it tells, and that without the profile a token is asked for."""

import json
import re

import pytest
from gate import wait_for
from prometheus_client.parser import text_string_to_metric_families
from visitors import alive, ask, notebook, open_page

from workbench.serving import app_command, free_port, running
from workbench.serving.rules import PRIVATE, PUBLIC

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CELL = """import resource
from workbench.serving import read_allowance
print("limits", *read_allowance(), *resource.getrlimit(resource.RLIMIT_DATA))"""


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """Port and log of a public server of five places under a path of its own, behind a proxy."""
    folder, port = tmp_path_factory.mktemp("public"), free_port()
    path = notebook(folder / "page.ipynb", CELL)
    command = app_command(
        port,
        notebook=path,
        browser=False,
        public=True,
        places=5,
        base_url="/lab/",
        hosts=["class.example"],
        behind_proxy=True,
    )
    with running(command, f"http://127.0.0.1:{port}/lab/healthz", folder / "log"):
        yield port, folder / "log"


def metrics(port: int) -> dict[str, float]:
    families = text_string_to_metric_families(ask(port, "/lab/metrics").text)
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_it_tells_that_it_is_well(public):
    answer = ask(public[0], "/lab/healthz")
    assert answer.status == 200
    assert json.loads(answer.text) == {"status": "ok"}


def test_it_says_what_it_allows(public):
    text = ask(public[0], "/lab/workbench/rules").text
    assert "5 visitors at once" in text
    assert "1.0 GiB" in text
    assert f"up to about {PUBLIC.allowance.seconds:.0f} seconds" in re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("agent", ["Googlebot/2.1", "curl/8.5.0", ""])
def test_a_robot_reads_the_rules_and_starts_nothing(public, agent):
    port, _ = public
    before = metrics(port)["workbench_visits_total"]
    answer = ask(port, "/lab/", User_Agent=agent)
    assert answer.status == 200
    assert "What this server allows" in answer.text
    assert "kernelId" not in answer.text
    assert metrics(port)["workbench_visits_total"] == before
    assert "Disallow: /" in ask(port, "/lab/robots.txt").text


def test_a_person_gets_a_kernel_with_the_limits_and_the_numbers_follow(public):
    port, _ = public
    before = metrics(port)
    text = ask(port, "/lab/", User_Agent=FIREFOX).text
    assert f"limits 60.0 500000000.0 {PUBLIC.memory} {PUBLIC.memory}" in text
    after = metrics(port)
    assert after["workbench_places"] == 5
    assert after["workbench_places_taken"] == before["workbench_places_taken"] + 1
    assert after["workbench_visits_total"] == before["workbench_visits_total"] + 1
    assert after["process_resident_memory_bytes"] > 1e7


def test_the_cookie_of_the_page_is_secure_behind_tls_and_stays_under_its_path(public):
    answer = ask(public[0], "/lab/", User_Agent=FIREFOX, X_Forwarded_Proto="https", Host="class.example")
    cookie = answer.headers["set-cookie"]
    assert "Secure" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/lab/" in cookie
    assert "max-age" in answer.headers["strict-transport-security"]


def test_the_log_has_no_address_and_no_link(public):
    port, log = public
    ask(port, "/lab/nothing?tab=secret")
    ask(port, "/lab/workbench/rules")
    wait_for(lambda: "200 GET /lab/workbench/rules" in log.read_text())
    wait_for(lambda: "404 GET /lab/nothing" in log.read_text())
    text = log.read_text()
    assert "200 GET /lab/workbench/rules" in text
    assert "tab=secret" not in text
    assert not re.search(r"\(127\.0\.0\.1\)", text)


def test_every_script_of_the_page_has_the_nonce_of_its_policy(public):
    answers = [ask(public[0], "/lab/", User_Agent=FIREFOX) for _ in range(2)]
    nonces = [
        re.search(r"script-src 'self' blob: 'nonce-(\S+)';", a.headers["content-security-policy"])[1] for a in answers
    ]
    assert nonces[0] != nonces[1]
    for answer, nonce in zip(answers, nonces, strict=True):
        tags = re.findall(r"<script[^>]*>", answer.text)
        assert tags
        assert all(f'nonce="{nonce}"' in tag for tag in tags)
        assert "workbench-nonce" not in answer.headers
        assert "unsafe-eval" not in answer.headers["content-security-policy"]


def test_a_private_server_has_no_public_pages(tmp_path):
    port = free_port()
    command = app_command(port, notebook=notebook(tmp_path / "page.ipynb", CELL), browser=False)
    with running(command, f"http://127.0.0.1:{port}/api", tmp_path / "log"):
        for path in ("/healthz", "/metrics", "/robots.txt"):
            assert ask(port, path).status == 404
        assert f"{PRIVATE.places} visitors at once" in ask(port, "/workbench/rules").text
        assert alive(port, open_page(port, User_Agent="curl/8.5.0")) == {"alive": True}  # of one's own
