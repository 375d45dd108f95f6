"""Who is let in: rules as functions, and the same at the door of a real server."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gate import wait_for
from visitors import SECONDS, alive, ask, channels, gone, notebook, open_page, process_of

from workbench.serving import app_command
from workbench.serving.door import LONGEST_LINK, host_pattern, is_robot, refusal
from workbench.serving.kernels import DIED, UNCLAIMED, UNKNOWN
from workbench.serving.process import free_port, running

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"}, None),  # a link on another page
        ({"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-origin"}, None),
        ({"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Dest": "image"}, 403),
        ({"Sec-Fetch-Dest": "empty"}, 403),
        ({"Sec-Fetch-Dest": "script", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch;prerender"}, 503),
        ({"Purpose": "prefetch"}, 503),
    ],
)
def test_what_a_request_is_for_decides(headers, status):
    reason = refusal(headers, "tab=lif")
    assert (reason and reason.status) == status


def test_a_long_link_is_refused_with_both_lengths():
    assert refusal({}, "x" * LONGEST_LINK) is None
    reason = refusal({}, "x" * (LONGEST_LINK + 1))
    assert reason.status == 414
    assert "8,001" in reason.sentence
    assert "8,000" in reason.sentence


@pytest.mark.parametrize(
    "agent", ["", "Googlebot/2.1", "curl/8.5.0", "python-requests/2.32", "facebookexternalhit/1.1"]
)
def test_robots_are_told(agent):
    assert is_robot(agent)


@pytest.mark.parametrize(
    "agent",
    [
        FIREFOX,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
    ],
)
def test_browsers_are_no_robots(agent):
    assert not is_robot(agent)


@pytest.mark.parametrize(
    ("address", "names", "host", "known"),
    [
        ("127.0.0.1", (), "127.0.0.1", True),
        ("127.0.0.1", (), "LOCALHOST", True),
        ("::1", (), "[::1]", True),
        ("127.0.0.1", (), "evil.example", False),
        ("127.0.0.1", (), "127.0.0.1.evil.example", False),
        ("127.0.0.1", ("lab.example",), "lab.example", True),
        ("127.0.0.1", ("lab.example",), "labxexample", False),
        ("0.0.0.0", (), "anything.example", True),
        ("0.0.0.0", ("lab.example",), "anything.example", False),
    ],
)
def test_names_of_the_server(address, names, host, known):
    assert bool(re.match(host_pattern(address, names), host)) is known


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """A server of two places."""
    with server(tmp_path_factory.mktemp("server"), "--AppKernelManager.places=2") as port:
        yield port


@contextmanager
def server(folder: Path, *options: str, **environment: str) -> Iterator[int]:
    """The port of a server whose notebook needs next to nothing."""
    port = free_port()
    command = app_command(port, notebook=notebook(folder / "page.ipynb", "print(1 + 1)"), browser=False)
    with running([*command, *options], f"http://127.0.0.1:{port}/api", folder / "log", environment):
        yield port


def ended(port: int, kernel: str) -> str:
    """The reason that the page is told, once there is one."""
    end = time.monotonic() + SECONDS
    while (answer := alive(port, kernel))["alive"]:
        assert time.monotonic() < end
    return answer["reason"]


def test_a_foreign_name_gets_nothing(port):
    for path in ("/", "/voila/plotly/widgetbundle.js", "/workbench/static/alive.js", "/nothing"):
        answer = ask(port, path, Host="evil.example")
        assert answer.status == 403
        assert "kernelId" not in answer.text
    assert "was meant for another server" in ask(port, Host="evil.example:80").text
    assert ask(port, "/workbench/static/alive.js", Host=f"localhost:{port}").status == 200


@pytest.mark.parametrize("purpose", ["image", "script", "empty", "style", "audio", "object"])
def test_a_part_of_a_page_starts_nothing(port, purpose):
    answer = ask(port, "/", Sec_Fetch_Dest=purpose, Sec_Fetch_Site="cross-site")
    assert answer.status == 403
    assert "kernelId" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/logout",
        "/voila/templates/x",
        "/voila/templates/",
        "/voila/templates/lab/x/y",
        "/voila/templates/lab/static/no",
    ],
)
def test_addresses_that_are_none_are_not_found(port, path):
    assert ask(port, path).status == 404


def test_every_page_of_the_server_speaks_the_language_of_its_request(port):
    assert "Aquí no hay ninguna página así" in ask(port, "/nothing?lang=es").text
    assert "iba dirigida a otro servidor" in ask(port, "/?lang=es", Host="evil.example").text
    rules = ask(port, "/workbench/rules", Accept_Language="es-MX,es;q=0.9").text
    assert '<html lang="es">' in rules
    assert "Qué permite este servidor" in rules
    assert 'href="/?lang=es"' in rules
    assert "What this server allows" in ask(port, "/workbench/rules").text
    refused = ask(port, "/logout?lang=es")  # a handler that is not ours
    assert (refused.status, "El servidor responde: 404" in refused.text) == (404, True)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_other_methods_start_nothing(port, method):
    answer = ask(port, "/", method)
    assert 400 <= answer.status < 500
    assert "kernelId" not in answer.text


def test_every_answer_carries_the_headers(port):
    for path in ("/nothing", "/workbench/static/alive.js", "/voila/plotly/widgetbundle.js", "/workbench/alive/x"):
        headers = ask(port, path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers


def test_places_are_few_and_come_back(port):
    first, second = open_page(port), open_page(port)
    with channels(port, first), channels(port, second):
        answer = ask(port)
        assert answer.status == 503
        assert "2 places" in answer.text
        assert 15 <= int(answer.headers["retry-after"]) <= 600
        os.kill(process_of(second), signal.SIGKILL)
        assert ended(port, second) == DIED
        wait_for(lambda: ask(port).status == 200)
        assert alive(port, first) == {"alive": True}


def test_a_page_has_its_kernel_back_where_the_same_browser_asks_for_the_same_link(tmp_path):
    """On a server of one place: a reload needs none, and whoever is no reload is turned away."""
    with server(tmp_path, "--AppKernelManager.places=1", "--AppKernelManager.grace=0.1") as port:
        page = ask(port, "/?tab=lif&x=a%2Cb")
        kernel, left = page.kernel, f"workbench-left-{page.kernel}=%3Ftab%3Dlif%26x%3Da%252Cb"
        again = ask(port, "/?tab=lif&x=a%2Cb", Cookie=f"{page.cookies}; {left}")
        assert again.status == 200
        assert re.sub(r'nonce="\S+"', "", again.text) == re.sub(r'nonce="\S+"', "", page.text)
        assert f"workbench-left-{kernel}=" in again.cookies  # taken away
        assert again.headers["content-security-policy"] != page.headers["content-security-policy"]
        for link, cookies in {
            "another link": ("/?tab=stdp", f"{page.cookies}; {left}"),
            "no word of the page that was left": ("/?tab=lif&x=a%2Cb", page.cookies),
            "another browser": ("/?tab=lif&x=a%2Cb", left),
            "another browser, with a cookie of its own": ("/?tab=lif&x=a%2Cb", f"{ask(port).cookies}; {left}"),
            "another name in the cookie": ("/?tab=lif&x=a%2Cb", f"{page.cookies.replace('2|1:0', '2|1:1')}; {left}"),
        }.values():
            assert ask(port, link, Cookie=cookies).status == 503
        _, _, token = page.cookies.partition("_xsrf=")
        beacon = {"method": "POST", "Cookie": page.cookies, "X_XSRFToken": token.split(";")[0]}
        with channels(port, kernel):
            pass
        assert ask(port, f"/voila/api/shutdown/{kernel}", Cookie=page.cookies, method="POST").status == 403
        assert alive(port, kernel) == {"alive": True}
        assert ask(port, f"/voila/api/shutdown/{kernel}", **beacon).status == 204
        ended(port, kernel)
        wait_for(lambda: ask(port).status == 200)
        assert ask(port, f"/voila/api/shutdown/{kernel}", **beacon).status == 404


def test_a_kernel_that_no_page_connects_to_is_ended(tmp_path):
    with server(tmp_path, "--AppKernelManager.claim_timeout=0.1") as port:
        assert ended(port, open_page(port)) == UNCLAIMED


def test_a_kernel_that_ends_before_its_page_is_whole_is_told_on_it(tmp_path):
    spec = {"argv": [sys.executable, "-c", "pass"], "display_name": "ends at once", "language": "python"}
    (tmp_path / "kernels" / "python3").mkdir(parents=True)
    (tmp_path / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec))
    with server(tmp_path, "--VoilaConfiguration.http_keep_alive_timeout=1", JUPYTER_PATH=str(tmp_path)) as port:
        assert "It ended before the page was whole" in ask(port).text


def test_a_kernel_that_never_was_is_told(port):
    assert alive(port, "00000000-0000-0000-0000-000000000000") == {"alive": False, "reason": UNKNOWN}


def test_half_a_request_is_not_waited_for(tmp_path):
    """With a shorter patience than a server's, or the test would take half a minute."""
    port = free_port()
    script = tmp_path / "impatient.py"
    script.write_text(
        "import sys\nimport workbench.serving.server as server\nserver.PATIENCE = 1\n"
        "from workbench.serving.__main__ import main\nmain(sys.argv[1:])\n"
    )
    command = app_command(port, notebook=notebook(tmp_path / "page.ipynb", "1"), browser=False)
    with running([sys.executable, str(script), *command[3:]], f"http://127.0.0.1:{port}/api", tmp_path / "log"):
        for half in (
            b"GET / HTTP/1.1\r\nHost: 127",
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx",
        ):
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as slow:
                slow.sendall(half)
                assert slow.recv(1 << 16) is not None  # an answer or nothing, and then the end
                assert slow.recv(1 << 16) == b""
        assert ask(port, "/nothing").status == 404


def children(process: int) -> list[int]:
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True)
    return [int(number) for number in done.stdout.split()]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_program_takes_everything_with_it(tmp_path, signum):
    """The signal goes to `workbench app` alone; port and kernels are free soon after."""
    port = free_port()
    with (tmp_path / "log").open("w") as log:
        command = [sys.executable, "-m", "workbench.cli.main", "app", f"--port={port}", "--no-browser"]
        program = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_for(lambda: program.poll() is not None or listens(port))
        kernel = process_of(open_page(port))
        family = [kernel, *children(program.pid)]
        program.send_signal(signum)
        program.wait(SECONDS)
        assert not listens(port)
        wait_for(lambda: all(map(gone, family)))
    finally:
        program.kill()
        program.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
