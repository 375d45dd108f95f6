"""A real Voila, a real JupyterLab and a real Chromium for the tests of this folder.

Every page of the `open_page` fixture fails its test when it asks another machine for anything, throws an error or logs
one. Pictures and server logs land in test-results/.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import nbformat
import pytest
from gate import PATIENCE
from nbformat.v4 import new_code_cell, new_notebook

from workbench.serving import app_command, lab_command
from workbench.serving.process import free_port, running

ROOT = Path(__file__).resolve().parents[2]  # the checkout under test comes before an installed one
RESULTS = ROOT / "test-results"
LIMIT = 1000 * PATIENCE  # milliseconds, for whatever a page waits for
LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
# Harmless: Voila 0.5 is built on the packages of JupyterLab 4.2 and says so; a reload of Lab cuts a connection off;
# on a busy machine Lab tells which of its own plug-ins started late.
KNOWN = (
    "Unsatisfied version",
    "No satisfying version",
    "WebSocket is closed before the connection is established",
    "ms to activate",
    "is taking too long to activate",
)
# Kernels that start at the same time could be given the same ports; sockets of the file system are their own.
SOCKETS = {} if sys.platform == "win32" else {"KernelManager": {"transport": "ipc"}}

RESULTS.mkdir(exist_ok=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """A running Chromium; skips the test without one, or fails it where REQUIRE_BROWSER=1."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None or not Path(path).is_file():
        message = f"no Chromium at {path or '/usr/bin/chromium'}; install it or set CHROMIUM to its path"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(f"{message} (REQUIRE_BROWSER=1)")
        pytest.skip(message)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=LIMIT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, timeout=LIMIT)
        yield browser
        browser.close()


@pytest.fixture
def bare_page(chromium) -> Iterator[object]:
    """A page whose complaints are not looked at."""
    context = chromium.new_context()
    context.set_default_timeout(LIMIT)
    yield context.new_page()
    context.close()


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
def open_page(chromium, request) -> Iterator[Callable]:
    """`open_page(url, width=1200, dark=False)` gives a watched page; complaints of any page fail the test."""
    opened: list[Watched] = []

    def open_(url: str, width: int = 1200, dark: bool = False, slowdown: float = 1.0):
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
        watched = Watched(page)
        opened.append(watched)
        if slowdown != 1.0:
            session = page.context.new_cdp_session(page)
            session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
        page.set_default_timeout(LIMIT)
        page.goto(url)
        return page

    yield open_
    complaints = [complaint for watched in opened for complaint in watched.complaints]
    for number, watched in enumerate(opened):
        watched.page.screenshot(path=RESULTS / f"{request.node.name}-{number}.png", full_page=True)
        watched.page.close()
    assert not complaints, "\n".join(complaints)


def write_notebook(path: Path, *cells: str) -> Path:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(metadata={"kernelspec": kernel}, cells=[new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="session")
def serve(tmp_path_factory) -> Iterator[Callable]:
    """`serve(cell, ...)` writes a notebook of these cells and serves it with Voila: its address."""
    urls: dict[tuple, str] = {}
    with ExitStack() as servers:

        def serve_(*cells: str, notebook: Path | None = None) -> str:
            key = (*cells, notebook)
            if key not in urls:
                folder = tmp_path_factory.mktemp("voila")
                path = notebook or write_notebook(folder / "page.ipynb", *cells)
                port = free_port()
                urls[key] = f"http://127.0.0.1:{port}"
                command = app_command(port, notebook=path, browser=False)
                servers.enter_context(start(command, urls[key], folder))
            return urls[key]

        yield serve_


# A page of the cells that its address names.
NAMED = """import json, os, urllib.parse
name = urllib.parse.parse_qs(os.environ["QUERY_STRING"])["cells"][0]
for cell in json.load(open(f"{folder}/{{name}}.json")):
    get_ipython().run_cell(cell)"""


@pytest.fixture(scope="session")
def page_of(serve, tmp_path_factory) -> Callable:
    """`page_of(cell, ...)` is as `serve`, on one server for all such pages; what stands behind `?` is taken."""
    folder = tmp_path_factory.mktemp("pages")
    names: dict[tuple[str, ...], str] = {}

    def page_of_(*cells: str) -> str:
        name = names.setdefault(cells, str(len(names)))
        (folder / f"{name}.json").write_text(json.dumps(cells))
        return f"{serve(NAMED.format(folder=folder))}/?cells={name}"

    return page_of_


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Iterator[Callable]:
    """`lab(cell, ...)` writes a notebook and gives the address that opens it in one running JupyterLab.

    `lab(notebook=path)` does so with a copy of that one.
    """
    folder = tmp_path_factory.mktemp("lab")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"]
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    count = iter(range(1000))

    def lab_(*cells: str, notebook: Path | None = None) -> str:
        number = next(count)
        path = folder / f"page{number}.ipynb"
        name = (Path(shutil.copy(notebook, path)) if notebook else write_notebook(path, *cells)).name
        return f"{url}/lab/workspaces/test{number}/tree/{name}"

    with start([*lab_command(port, folder=folder, browser=False, root=root), *options], url, folder):
        yield lab_


@pytest.fixture
def open_in_lab(lab, open_page) -> Callable:
    """`open_in_lab(cell, ..., before=script)` opens a notebook of these cells in JupyterLab and runs them: the page.

    The script runs on the page before the cells do.
    """

    def open_(*cells: str, before: str = "", **options):
        page = open_page(lab(*cells), **options)
        page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.context?.sessionContext.session?.kernel?.status === 'idle'",
        )
        page.evaluate(before or "null")
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        return page

    return open_


@contextmanager
def start(command: list[str], url: str, folder: Path) -> Iterator[None]:
    """A server whose kernels find the test panels; its log is kept in test-results/."""
    log = folder / "server.log"
    try:
        for name in ("voila", "jupyter_config"):
            (folder / f"{name}.json").write_text(json.dumps(SOCKETS))
        variables = {"PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}", "JUPYTER_CONFIG_PATH": str(folder)}
        with running(command, f"{url}/api", log, variables, seconds=PATIENCE):
            yield
    finally:
        shutil.copy(log, RESULTS / f"{folder.name}.log")
