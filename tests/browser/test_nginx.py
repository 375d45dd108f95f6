"""The app behind nginx with TLS under a path of its own, one server and two, with the files of docs/serving."""

import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import NamedTuple

import pytest
import websocket
from gate import PATIENCE, wait_for
from visitors import SECONDS, message, notebook, reply

from workbench.serving import app_command, free_port, running
from workbench.serving.frames import PROTOCOL

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "serving"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PLACES = 2
MAIN = """daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/class.conf;
}}
"""
WAVE = """import os
from wave_panel import Wave
from widgets.app import App
App([Wave], os.environ.get("QUERY_STRING", ""))"""


@pytest.fixture(scope="module")
def nginx() -> str:
    """The path of nginx; skips without it, or fails where REQUIRE_NGINX=1."""
    path = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if path is None:
        assert os.environ.get("REQUIRE_NGINX") != "1", "nginx is not installed (REQUIRE_NGINX=1)"
        pytest.skip("nginx is not installed")
    return path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """The folder of a self-made certificate for 127.0.0.1 and its key, under the names that the files have."""
    folder = tmp_path_factory.mktemp("certificate")
    names = "subjectAltName=DNS:class.example,IP:127.0.0.1"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=class.example", "-addext", names]
    command += ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def filled(name: str, values: dict[str, str]) -> str:
    """A file of docs/serving with other values, each of which must stand in it."""
    text = (DOCS / name).read_text()
    for written, used in values.items():
        assert written in text
        text = text.replace(written, used)
    return text


@contextmanager
def app(folder: Path, port: int, cell: str) -> Iterator[int]:
    """An app server as the files describe it, but for its notebook and its port: its process."""
    folder.mkdir()
    variables = {"PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}"}
    command = app_command(
        port,
        notebook=notebook(folder / "page.ipynb", cell),
        browser=False,
        public=True,
        places=PLACES,
        base_url="/lab/",
        hosts=["class.example"],
        behind_proxy=True,
    )
    with running(command, f"http://127.0.0.1:{port}/lab/healthz", folder / "log", variables) as process:
        yield process


@contextmanager
def proxied(nginx: str, name: str, folder: Path, values: dict[str, str], port: int) -> Iterator[None]:
    """nginx with a file of docs/serving; `port` is that of https, where it answers a request without TLS by 400."""
    (folder / "class.conf").write_text(filled(name, values))
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    command = [nginx, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    with running(command, f"http://127.0.0.1:{port}/", folder / "nginx.log"):
        yield


class Reply(NamedTuple):
    """Status, headers, cookies and text of an answer."""

    status: int
    headers: dict[str, str]
    cookies: SimpleCookie
    text: str

    @property
    def kernel(self) -> str:
        found = re.search(r'"kernelId": "([0-9a-f-]{36})"', self.text)
        assert found, self.text[-500:]
        return found[1]

    def cookie(self) -> str:
        return "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())


class Class(NamedTuple):
    """nginx with its certificate: the port of https, and the app servers behind it by port."""

    port: int
    trusted: ssl.SSLContext
    servers: tuple[int, ...]

    def ask(self, path: str, **headers: str) -> Reply:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=SECONDS, context=self.trusted)
        try:
            connection.request("GET", path, headers={"User-Agent": FIREFOX, **headers})
            answer = connection.getresponse()
            cookies: SimpleCookie = SimpleCookie()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                cookies.load(cookie)
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, cookies, answer.read().decode())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def behind_one(nginx, certificate, tmp_path_factory) -> Iterator[Class]:
    folder, ports = tmp_path_factory.mktemp("one"), [free_port() for _ in range(3)]
    values = {"/etc/ssl/class.example": str(certificate), "listen 80": f"listen 127.0.0.1:{ports[0]}"}
    values |= {"listen 443": f"listen 127.0.0.1:{ports[1]}", "127.0.0.1:8866": f"127.0.0.1:{ports[2]}"}
    with app(folder / "app", ports[2], WAVE), proxied(nginx, "nginx.conf", folder, values, ports[1]):
        trusted = ssl.create_default_context(cafile=certificate / "fullchain.pem")
        yield Class(ports[1], trusted, (ports[2],))


def test_page_websocket_link_and_cookies_behind_tls_under_a_path(behind_one, chromium):
    context = chromium.new_context(ignore_https_errors=True)
    context.set_default_timeout(1000 * PATIENCE)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    address = f"https://127.0.0.1:{behind_one.port}"
    page.goto(f"{address}/")
    assert page.url == f"{address}/lab/"
    page.wait_for_selector(".workbench-figure .main-svg", state="attached")
    page.get_by_role("slider", name="points").press("Home")
    page.get_by_role("status").filter(has_text="has 10 points").wait_for()
    page.wait_for_url(f"{address}/lab/?**wave.points=10**")
    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    assert cookies["_xsrf"]["secure"]
    assert cookies["_xsrf"]["sameSite"] == "Lax"
    assert all(cookie["path"] == "/lab/" for cookie in cookies.values())
    kernel = page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")
    alive = f"/lab/workbench/alive/{kernel}"
    assert json.loads(behind_one.ask(alive).text) == {"alive": True}
    page.close(run_before_unload=True)
    wait_for(lambda: not json.loads(behind_one.ask(alive).text)["alive"])  # the beacon came through
    context.close()
    assert not complaints


def test_what_nginx_adds_and_what_it_keeps_to_itself(behind_one):
    answer = behind_one.ask("/lab/workbench/rules")
    assert answer.status == 200
    assert "max-age" in answer.headers["strict-transport-security"]
    assert behind_one.ask("/elsewhere").status == 404
    assert behind_one.ask("/lab/healthz").status == 200
    assert "workbench_places" in behind_one.ask("/lab/metrics").text  # from this machine
    with pytest.raises(ssl.SSLCertVerificationError):
        Class(behind_one.port, ssl.create_default_context(), ()).ask("/lab/")


def test_a_foreign_origin_gets_no_websocket(behind_one):
    answer = behind_one.ask("/lab/")
    url = f"wss://127.0.0.1:{behind_one.port}/lab/api/kernels/{answer.kernel}/channels"
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        websocket.create_connection(
            url, SECONDS, sslopt={"context": behind_one.trusted}, subprotocols=[PROTOCOL], origin="https://evil.example"
        )


@pytest.fixture(scope="module")
def behind_two(nginx, certificate, tmp_path_factory) -> Iterator[Class]:
    folder, (port, one, other) = tmp_path_factory.mktemp("two"), [free_port() for _ in range(3)]
    values = {"/etc/ssl/class.example": str(certificate), "listen 443": f"listen 127.0.0.1:{port}"}
    values |= {f"127.0.0.1:{written}": f"127.0.0.1:{used}" for written, used in ((8866, one), (8867, other))}
    values |= {":8866$ a": f":{one}$ a", ":8867$ b": f":{other}$ b"}
    with ExitStack() as servers:
        for name, number in (("a", one), ("b", other)):
            servers.enter_context(app(folder / name, number, "print(1 + 1)"))
        servers.enter_context(proxied(nginx, "nginx-several.conf", folder, values, port))
        yield Class(port, ssl.create_default_context(cafile=certificate / "fullchain.pem"), (one, other))


def test_a_class_spreads_over_two_servers_and_each_page_stays_on_its_own(behind_two):
    """As many visitors as there are places: each gets one, on two servers, and all that belongs to it goes there."""
    pages = [behind_two.ask("/lab/") for _ in range(PLACES * len(behind_two.servers))]
    assert sorted(page.cookies["place"].value for page in pages) == ["a", "a", "b", "b"]
    for page in pages:
        cookie = page.cookies["place"]
        assert cookie["secure"]
        assert cookie["httponly"]
        assert (cookie["samesite"], cookie["path"]) == ("Lax", "/lab/")
        place = behind_two.ask(f"/lab/workbench/alive/{page.kernel}", Cookie=page.cookie())
        assert json.loads(place.text) == {"alive": True}
        url = f"wss://127.0.0.1:{behind_two.port}/lab/api/kernels/{page.kernel}/channels"
        socket = websocket.create_connection(
            url, SECONDS, sslopt={"context": behind_two.trusted}, subprotocols=[PROTOCOL], cookie=page.cookie()
        )
        socket.send_binary(message("kernel_info_request", {}))
        assert reply(socket, "kernel_info_reply")["status"] == "ok"
        socket.shutdown()
    # All places are taken now, whichever server is asked.
    for cookie in ("", pages[0].cookie(), pages[1].cookie()):
        full = behind_two.ask("/lab/", Cookie=cookie)
        assert full.status == 503
        assert "All places are taken" in full.text
