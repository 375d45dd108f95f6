"""A notebook of one cell on a real Voila, open in a real Chromium, and the time its slider takes to move a picture."""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from workbench.serving import app_command, free_port, running

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # other machines fail at once
]
PATIENCE = 1000  # ms that a step may take; one that moves no picture, as between two stages, is not counted


class Side(NamedTuple):
    """A cell to serve and the accessible name of the slider to move (None takes the first)."""

    cell: str
    slider: str | None = None


class Timing(NamedTuple):
    """Milliseconds of one side."""

    median: float
    p95: float


# Press a key on the slider and give the milliseconds to the frame after the last change of the picture it caused, and
# to that of the sentence about it, which comes from the kernel; null for what did not change. A picture that the page
# drew itself is watched until the kernel has spoken: what that draws again counts.
STEP = """([key, patience]) => new Promise((resolve) => {
  const handle = window.benchHandle;
  const places = ".workbench-figure, .workbench-raster, .js-plotly-plot, .jp-OutputArea";
  const pictures = [...document.querySelectorAll(places)].filter((each) => !each.contains(handle));
  const sentences = [...document.querySelectorAll(".workbench-status")];
  const watched = { subtree: true, childList: true, attributes: true, attributeFilter: ["d", "src", "href", "width"] };
  const start = performance.now();
  const last = [null, null];
  let timer = null;
  const done = () => { observers.forEach((each) => each.disconnect()); resolve(last); };
  const wait = () => {
    clearTimeout(timer);
    const open = last[0] === null ? patience : !sentences.length ? 60 : last[1] === null ? 110 : 40;
    timer = setTimeout(done, open); // axes are fitted 150 ms after the last step, which is not its picture
  };
  const watch = (k, places) => {
    const observer = new MutationObserver(() => requestAnimationFrame(() => {
      last[k] = performance.now() - start;
      wait();
    }));
    places.forEach((each) => observer.observe(each, watched));
    return observer;
  };
  const observers = [watch(0, pictures), watch(1, sentences)];
  wait();
  handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
})"""
FIND = """(name) => {
  const all = [...document.querySelectorAll('[role=slider]')]; // also those that wait behind "more settings"
  window.benchHandle = all.find(handle => name ? handle.ariaLabel === name : handle.offsetParent);
  const drawn = [".main-svg path.js-line", ".main-svg .points path", ".main-svg image", "canvas", ".jp-OutputArea img"];
  const picture = document.querySelector(drawn.join());
  return Boolean(window.benchHandle && picture);
}"""


def chromium_path() -> str | None:
    """Where Chromium lies, None without one."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@contextmanager
def chromium() -> Iterator[Any]:
    """A running Chromium."""
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    if path is None:
        raise RuntimeError("no Chromium: install it or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def served(side: Side, ours: bool) -> Iterator[str]:
    """The address of `side`, on our server or on Voila as it comes."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / "page.ipynb"
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(new_notebook(metadata={"kernelspec": kernel}, cells=[new_code_cell(side.cell)]), notebook)
        port = free_port()
        command = app_command(port, notebook=notebook, browser=False)
        if not ours:
            command = [sys.executable, "-m", "voila", str(notebook), f"--port={port}", "--no-browser"]
        url = f"http://127.0.0.1:{port}"
        with running(command, f"{url}/api", Path(folder) / "log"):
            yield url


def open_ready(browser: Any, url: str, slider: str | None) -> tuple[Any, float]:
    """A page whose slider moves its picture, and the seconds from opening the address to the first such answer."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(120_000)
    started = time.perf_counter()
    page.goto(url)
    page.wait_for_function(FIND, arg=slider, polling=50)
    for key in ["ArrowRight", "ArrowLeft"] * 50:
        if page.evaluate(STEP, [key, 250])[0] is not None:
            return page, time.perf_counter() - started
    raise RuntimeError(f"the slider of {url} never moved its picture")


class Steps(NamedTuple):
    """Milliseconds of slider steps, to the repaint of the picture and to that of the kernel's sentence about it."""

    drawn: list[float]
    said: list[float]


def step_times(page: Any, steps: int, times: Steps) -> None:
    """Append the milliseconds of `steps` slider steps, back and forth."""
    for number in range(steps):
        drawn, said = page.evaluate(STEP, ["ArrowRight" if number % 4 < 2 else "ArrowLeft", PATIENCE])
        times.drawn.extend([] if drawn is None else [drawn])
        times.said.extend([] if said is None else [said])


def timing(times: list[float]) -> Timing:
    return Timing(statistics.median(times), statistics.quantiles(times, n=20)[-1])
