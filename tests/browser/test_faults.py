"""What a page says when the computation or the server behind it is gone, and what it gets back."""

import os
import signal
import socket
import sys
import threading
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from visitors import KERNEL, notebook, process_of

from workbench.serving import app_command, free_port, running

ROOT = Path(__file__).resolve().parents[2]
WAVE = """import os
from wave_panel import Wave
from widgets.app import App

class Hungry(Wave):
    def compute(self, **values):
        if values["points"] == 500:
            bytearray(3 << 30)
        return super().compute(**values)

App([Hungry], os.environ.get("QUERY_STRING", ""))"""


def wave_page(page, url: str):
    page.goto(url)
    page.wait_for_selector(".workbench-figure .main-svg", state="attached")
    return page


def banner(page, text: str):
    line = page.get_by_role("alert").filter(has_text=text)
    line.wait_for()
    return line


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_kernel_is_said_and_a_reload_brings_the_state_and_the_pictures_back(serve, bare_page, signum):
    page = wave_page(bare_page, f"{serve(WAVE)}/")
    page.get_by_role("slider", name="points").press("Home")
    page.wait_for_url("**wave.points=10**")
    kernel = page.evaluate(KERNEL)
    os.kill(process_of(kernel), signum)
    line = banner(page, "The computation behind this page has ended")
    assert "the link keeps the state" in line.inner_text()
    line.get_by_role("button", name="Reload").click()
    page.get_by_role("status").filter(has_text="has 10 points").wait_for()
    assert page.evaluate(KERNEL) != kernel
    assert page.get_by_role("alert").count() == 0
    page.get_by_text("The pictures as they were").click()
    image = page.locator("#workbench-kept img").first
    assert image.get_attribute("alt") == "A wave over time"
    page.wait_for_function("() => document.querySelector('#workbench-kept img').naturalWidth > 100")


def test_a_spanish_page_says_so_in_spanish_also_after_the_reload(serve, bare_page):
    page = wave_page(bare_page, f"{serve(WAVE)}/?lang=es")
    kernel = page.evaluate(KERNEL)
    os.kill(process_of(kernel), signal.SIGKILL)
    line = banner(page, "El cálculo que hay detrás de esta página ha terminado. Terminó por sí solo")
    line.get_by_role("button", name="Recargar").click()
    page.get_by_text("Las imágenes tal como estaban antes de recargar la página").wait_for()
    page.wait_for_selector(".workbench-figure .main-svg", state="attached")
    assert page.evaluate(KERNEL) != kernel
    assert page.evaluate("document.documentElement.lang") == "es"


def test_want_of_memory_is_said_and_the_panel_goes_on(serve, bare_page):
    page = wave_page(bare_page, f"{serve(WAVE)}/")
    page.get_by_role("slider", name="points").press("End")
    page.get_by_role("status").filter(has_text="they need more memory than this computation has").wait_for()
    page.get_by_role("slider", name="points").press("Home")
    page.get_by_role("status").filter(has_text="has 10 points").wait_for()
    assert page.get_by_role("alert").count() == 0


SLEEP = """import signal, sys
from workbench.serving.kernels import AppKernelManager
begin, made = AppKernelManager.__init__, []
def kept(manager, **settings):
    begin(manager, **settings)
    made.append(manager)
AppKernelManager.__init__ = kept
signal.signal(signal.SIGUSR1, lambda *_: setattr(made[0], "cull_idle_timeout", 1))
from workbench.serving.__main__ import main
main(sys.argv[1:])"""


@contextmanager
def served(folder: Path, port: int):
    """A server of one's own on a port: its process, which SIGUSR1 tells that a second without use is long."""
    folder.mkdir(exist_ok=True)
    (folder / "serve.py").write_text(SLEEP)
    command = app_command(port, notebook=notebook(folder / "page.ipynb", WAVE), browser=False, public=True)
    command = [sys.executable, str(folder / "serve.py"), *command[3:], "--AppKernelManager.cull_interval=1"]
    variables = {"PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}"}
    with running(command, f"http://127.0.0.1:{port}/api", folder / "log", variables, seconds=120) as process:
        yield process


def ask_now(page):
    """Let the page look at once, as it does when the browser says that the network is there."""
    page.evaluate("dispatchEvent(new Event('online'))")


def reload_brings_back(page, kernel: str):
    page.get_by_role("button", name="Reload").click()
    page.get_by_role("status").filter(has_text="has 10 points").wait_for()
    assert page.evaluate(KERNEL) != kernel
    assert page.get_by_text("The pictures as they were").count() == 1


def test_a_page_that_slept_too_long_and_a_server_that_was_started_anew(bare_page, tmp_path):
    """As when a laptop was closed: its computation was ended meanwhile, and later the server has been restarted."""
    port = free_port()
    with served(tmp_path / "one", port) as process:
        page = wave_page(bare_page, f"http://127.0.0.1:{port}/?wave.points=10")
        kernel = page.evaluate(KERNEL)
        os.kill(process, signal.SIGUSR1)
        banner(page, "It was ended after a time without use.")
    with served(tmp_path / "other", port):
        reload_brings_back(page, kernel)
        kernel = page.evaluate(KERNEL)
    with served(tmp_path / "third", port):
        ask_now(page)
        banner(page, "The server was started anew")
        reload_brings_back(page, kernel)


class Cable:
    """A network between a page and a server, that can be cut and mended."""

    def __init__(self, port: int, server: int) -> None:
        self.server = server
        self._ends: list[socket.socket] = []
        self._whole = True
        self._door = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._let_in, daemon=True).start()

    def _let_in(self) -> None:
        while True:
            try:
                page, _ = self._door.accept()
            except OSError:
                return  # closed
            if not self._whole:
                page.close()
                continue
            self._ends.append(page)
            server = socket.create_connection(("127.0.0.1", self.server))
            self._ends.append(server)
            for one, other in ((page, server), (server, page)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            hang_up(end)

    def cut(self) -> None:
        self._whole = False
        for end in self._ends:
            hang_up(end)

    def mend(self) -> None:
        self._whole = True

    def close(self) -> None:
        self.cut()
        hang_up(self._door)
        for each in (self._door, *self._ends):
            each.close()


def hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def test_a_network_that_is_gone_for_a_minute_and_comes_back(bare_page, tmp_path):
    port, server = free_port(), free_port()
    with served(tmp_path / "server", server), closing(Cable(port, server)) as cable:
        bare_page.clock.install()
        page = wave_page(bare_page, f"http://127.0.0.1:{port}/")
        kernel = page.evaluate(KERNEL)
        cable.cut()
        for _ in range(12):
            page.clock.fast_forward(5_000)
        line = banner(page, "The server cannot be reached")
        assert line.get_by_role("button").count() == 0
        cable.mend()
        # The socket to the computation comes back by itself, and what is moved then is answered.
        looks = "() => { dispatchEvent(new Event('online')); return !document.querySelector('[role=alert]'); }"
        page.wait_for_function(looks)
        page.get_by_role("slider", name="points").press("Home")
        page.get_by_role("status").filter(has_text="has 10 points").wait_for()
        assert page.evaluate(KERNEL) == kernel
        page.close()
