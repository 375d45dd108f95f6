"""What a person feels in the browser: slider to repaint, page to first answer, Stop to stopped. In a real Voila.

Each side is a notebook of one cell on a server and page of its own, both open in one Chromium and measured in turns.
The peers are what people use otherwise, on a stock Voila: `interact` with matplotlib, plotly's own FigureWidget, and a
training loop inside the click handler. Needs Chromium (environment CHROMIUM, or `chromium` on the path).
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from workbench.serving import app_command
from workbench.serving.process import free_port, running

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class Side(NamedTuple):
    """A cell to serve and the accessible name of the slider to move (None takes the first)."""

    cell: str
    slider: str | None = None


class Timing(NamedTuple):
    """Milliseconds of one side."""

    median: float
    p95: float


WIDGETS: dict[str, Side] = {}
MONITOR: Side | None = None

MATPLOTLIB = Side("""
import matplotlib.pyplot as plt, numpy as np
from ipywidgets import interact
%matplotlib inline
def show(tau=20):
    t = np.arange(500)
    plt.figure(figsize=(8, 4))
    for k in range(4):
        plt.plot(t, np.exp(-t / tau / (k + 1)))
    plt.show()
interact(show, tau=(1, 100))
""")

STOCK_FIGURE = Side("""
import ipywidgets, numpy as np, plotly.graph_objects as go
t = np.arange(500)
figures = [go.FigureWidget([go.Scatter(x=t, y=t * 0.0)]) for _ in range(4)]
control = ipywidgets.IntSlider(20, 1, 100)
def move(change):
    for figure in figures:
        with figure.batch_update():
            figure.data[0].y = np.exp(-t / change["new"])
control.observe(move, "value")
ipywidgets.VBox([control, *figures])
""")

# Press a key on the slider and give the milliseconds to the frame after the last change of the picture it caused.
STEP = """([key, patience]) => new Promise((resolve) => {
  const handle = window.benchHandle;
  const places = ".workbench-figure, .workbench-raster, .js-plotly-plot, .jp-OutputArea";
  const pictures = [...document.querySelectorAll(places)];
  const watched = { subtree: true, childList: true, attributes: true, attributeFilter: ["d", "src", "width"] };
  const start = performance.now();
  let last = null, timer = null;
  const observer = new MutationObserver(() => requestAnimationFrame(() => {
    last = performance.now() - start;
    clearTimeout(timer);
    timer = setTimeout(done, 60);
  }));
  const done = () => { observer.disconnect(); resolve(last); };
  for (const picture of pictures) {
    if (picture.contains(handle)) continue;
    observer.observe(picture, watched);
  }
  timer = setTimeout(done, patience);
  handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
})"""
FIND = """(name) => {
  const all = [...document.querySelectorAll('[role=slider]')].filter(handle => handle.offsetParent);
  window.benchHandle = name ? all.find(handle => handle.ariaLabel === name) : all[0];
  const picture = document.querySelector(".main-svg path.js-line, canvas, .jp-OutputArea img");
  return Boolean(window.benchHandle && picture);
}"""


@contextmanager
def chromium() -> Iterator[Any]:
    """A running Chromium."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        raise RuntimeError("no Chromium: install it or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def served(side: Side, ours: bool, preheat: int = 0) -> Iterator[str]:
    """The address of `side`, on our server or on Voila as it comes."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / "page.ipynb"
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(new_notebook(metadata={"kernelspec": kernel}, cells=[new_code_cell(side.cell)]), notebook)
        port = free_port()
        command = app_command(port, notebook=notebook, browser=False, preheat=preheat)
        if not ours:
            command = [sys.executable, "-m", "voila", str(notebook), f"--port={port}", "--no-browser"]
        url = f"http://127.0.0.1:{port}"
        with running(command, f"{url}/api", Path(folder) / "log"):
            yield url


def open_ready(browser: Any, url: str, slider: str | None) -> tuple[Any, float]:
    """A page whose slider moves its picture, and the seconds from opening the address to the first such answer."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.route(lambda address: not address.startswith(url), lambda route: route.abort())
    started = time.perf_counter()
    page.goto(url)
    page.wait_for_function(FIND, arg=slider, timeout=120_000, polling=50)
    for key in ["ArrowRight", "ArrowLeft"] * 50:
        if page.evaluate(STEP, [key, 250]) is not None:
            return page, time.perf_counter() - started
    raise RuntimeError(f"the slider of {url} never moved its picture")


def step_times(page: Any, steps: int, times: list[float]) -> None:
    """Append the milliseconds of `steps` slider steps, back and forth."""
    for number in range(steps):
        milliseconds = page.evaluate(STEP, ["ArrowRight" if number % 4 < 2 else "ArrowLeft", 5000])
        if milliseconds is not None:
            times.append(milliseconds)


def timing(times: list[float]) -> Timing:
    return Timing(statistics.median(times), statistics.quantiles(times, n=20)[-1])


def slider(rounds: int = 5, steps: int = 20) -> dict[str, Any]:
    """Slider step to repaint of each widget, beside `interact` + matplotlib in turns (milliseconds)."""
    widgets = {}
    with chromium() as browser, served(MATPLOTLIB, ours=False) as peer_url:
        peer, _ = open_ready(browser, peer_url, None)
        for name, side in WIDGETS.items():
            with served(side, ours=True) as url:
                page, _ = open_ready(browser, url, side.slider)
                widgets[name] = _alternate_steps(page, peer, rounds, steps)
                page.close()
    slowest = max(widgets.values(), key=lambda row: row["median_ms"])
    return {
        "name": "slider",
        "peer": "interact + matplotlib",
        "ratio": slowest["peer_median_ms"] / slowest["median_ms"],
        "widgets": widgets,
    }


def _alternate_steps(page: Any, peer: Any, rounds: int, steps: int) -> dict[str, float]:
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        step_times(page, steps, ours)
        step_times(peer, steps, theirs)
    (median, p95), (peer_median, peer_p95) = timing(ours), timing(theirs)
    return {"median_ms": median, "p95_ms": p95, "peer_median_ms": peer_median, "peer_p95_ms": peer_p95}


def page_ready(rounds: int = 3) -> dict[str, Any]:
    """Seconds from opening the app to the first slider answer, cold and pre-heated, beside four stock figures."""
    app = Side("from widgets.app import build_app\nbuild_app()")
    cold, heated, stock = [], [], []
    with chromium() as browser, ExitStack() as servers:
        cold_url = servers.enter_context(served(app, ours=True))
        heated_url = servers.enter_context(served(app, ours=True, preheat=1))
        stock_url = servers.enter_context(served(STOCK_FIGURE, ours=False))
        for _ in range(rounds):
            for url, times in ((cold_url, cold), (stock_url, stock), (heated_url, heated)):
                page, seconds = open_ready(browser, url, None)
                page.close()
                times.append(seconds)
                time.sleep(5)  # the pool of pre-heated kernels fills again
    seconds = {"cold_s": cold, "preheated_s": heated, "peer_cold_s": stock}
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "name": "page-ready",
        "peer": "four stock FigureWidgets, cold",
        "ratio": medians["peer_cold_s"] / medians["cold_s"],
        **medians,
    }


def stop(rounds: int = 5) -> dict[str, Any]:
    """Stop click to "stopped" while training, beside a training loop inside the click handler (milliseconds)."""
    raise NotImplementedError("the training monitor is not there yet")


BENCHMARKS = {"slider": slider, "page-ready": page_ready, "stop": stop}
