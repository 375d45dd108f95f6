"""A real Voila, a real JupyterLab and a real Chromium for the tests of this folder.

Every page of the `open_page` fixture fails its test when it asks another machine for anything, throws an error or logs
one. Pictures and server logs land in test-results/.
"""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from workbench.serving import app_command, lab_command

RESULTS = Path(__file__).resolve().parents[2] / "test-results"
LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
# Voila 0.5 is built on the packages of JupyterLab 4.2 and says so; it works.
KNOWN = ("Unsatisfied version", "No satisfying version")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def results() -> Path:
    RESULTS.mkdir(exist_ok=True)
    return RESULTS


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """A running Chromium; skips the test without one, or fails it where REQUIRE_BROWSER=1."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None or not Path(path).is_file():
        message = f"no Chromium at {path or '/usr/bin/chromium'}; install it or set CHROMIUM to its path"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(f"{message} (REQUIRE_BROWSER=1)")
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


class Watched:
    """A page and the complaints it gave: errors, error and warning lines, requests to other machines."""

    def __init__(self, page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("console", self._console)
        page.on("request", self._request)
        page.on("websocket", lambda socket: self._local(socket.url))

    def _console(self, message) -> None:
        if message.type in ("error", "warning") and not any(known in message.text for known in KNOWN):
            self.complaints.append(f"console {message.type}: {message.text[:400]}")

    def _request(self, request) -> None:
        self._local(request.url)

    def _local(self, url: str) -> None:
        if not url.startswith(LOCAL):
            self.complaints.append(f"request to another machine: {url}")


@pytest.fixture
def open_page(chromium, results, request) -> Iterator[Callable]:
    """`open_page(url, width=1200, dark=False)` gives a watched page; complaints of any page fail the test."""
    opened: list[Watched] = []

    def open_(url: str, width: int = 1200, dark: bool = False, slowdown: float = 1.0):
        page = chromium.new_page(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        watched = Watched(page)
        opened.append(watched)
        if slowdown != 1.0:
            session = page.context.new_cdp_session(page)
            session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
        page.goto(url)
        return page

    yield open_
    complaints = [complaint for watched in opened for complaint in watched.complaints]
    for number, watched in enumerate(opened):
        watched.page.screenshot(path=results / f"{request.node.name}-{number}.png", full_page=True)
        watched.page.close()
    assert not complaints, "\n".join(complaints)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server in a process of its own, stopped by its own process id."""

    def __init__(self, command: list[str], url: str, log: Path, folder: Path) -> None:
        self.url = url
        self._log = log.open("w")
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        self._wait_until_it_answers(log)

    def _wait_until_it_answers(self, log: Path, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/voila/static/none", timeout=5):
                    return
            except urllib.error.HTTPError as answer:
                answer.close()
                return
            except OSError:
                time.sleep(0.1)
        self.stop()
        pytest.fail(f"{self.url} does not answer; the last of its log:\n{log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()


def write_notebook(path: Path, *cells: str) -> Path:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(metadata={"kernelspec": kernel}, cells=[new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="session")
def serve(tmp_path_factory, results) -> Iterator[Callable]:
    """`serve(cell, ..., preheat=0)` writes a notebook of these cells and serves it with Voila: its address."""
    servers: dict[tuple, Server] = {}

    def serve_(*cells: str, preheat: int = 0, notebook: Path | None = None) -> str:
        key = (*cells, preheat, notebook)
        if key not in servers:
            folder = tmp_path_factory.mktemp("voila")
            path = notebook or write_notebook(folder / "page.ipynb", *cells)
            port = free_port()
            command = app_command(port, notebook=path, browser=False, preheat=preheat)
            log = results / f"voila-{len(servers)}.log"
            servers[key] = Server(command, f"http://127.0.0.1:{port}", log, folder)
        return servers[key].url

    yield serve_
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="session")
def lab(tmp_path_factory, results) -> Iterator[Callable]:
    """`lab(cell, ...)` writes a notebook and gives the address that opens it in one running JupyterLab."""
    folder = tmp_path_factory.mktemp("lab")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    server = Server([*lab_command(port, folder=folder, browser=False), *options], url, results / "lab.log", folder)
    count = iter(range(1000))

    def lab_(*cells: str) -> str:
        number = next(count)
        name = write_notebook(folder / f"page{number}.ipynb", *cells).name
        return f"{url}/lab/workspaces/test{number}/tree/{name}"

    yield lab_
    server.stop()
