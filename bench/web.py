"""What a person feels in the browser: slider to repaint, page to first answer, Stop to stopped. In a real Voila.

Both sides of a comparison are open in one Chromium and measured in turns. The peers are what people use otherwise, on a
stock Voila: `interact` with matplotlib, plotly's own FigureWidget, and a training loop inside the click handler. Needs
Chromium (environment CHROMIUM, or `chromium` on the path).
"""

import statistics
import time
from contextlib import ExitStack
from typing import Any

from bench.browser import Side, Steps, chromium, open_ready, served, step_times, timing
from widgets import PANELS

SLIDERS = {  # of each panel the one to move; the panels that are not here move their pictures by training
    "lif": "decay γ",
    "trace": "decay λ_pre",
    "stdp": "amplitude A₊",
    "surrogate": "width",
    "eligibility": "decay λ_pre",
    "cost": "learning steps K",
    "basis": "in step by",
    "locality": "step t",
    "conceptors": "aperture α",
    "compression": "image",
    "memory": "energy ε",
    "step": "problem",
}
VIEWS = {"basis": "view='one sample'"}  # of the panels that have several, the one with the slider
MONITOR = Side("from widgets import TrainingMonitor\nTrainingMonitor()")

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

CALLBACK_LOOP = Side("""
import ipywidgets, numpy as np
start, stop, state = ipywidgets.Button(description="Start"), ipywidgets.Button(description="Stop"), ipywidgets.HTML()
def train(_):
    state.value, stop.asked = "training", False
    w = np.ones((400, 400))
    for batch in range(300):
        w = np.tanh(w @ w / 400 + 0.1)
        if getattr(stop, "asked"):
            break
    state.value = "stopped"
start.on_click(train)
stop.on_click(lambda _: setattr(stop, "asked", True))
ipywidgets.VBox([start, stop, state])
""")

# Click Stop and give the milliseconds to the frame that shows the word "stopped".
STOP = """() => new Promise((resolve) => {
  const button = [...document.querySelectorAll("button")].find((b) => b.textContent.trim() === "Stop");
  const start = performance.now();
  const look = () => [...document.querySelectorAll(".widget-html-content")].some((t) => /stopped/i.test(t.textContent))
    ? resolve(performance.now() - start) : requestAnimationFrame(look);
  button.click();
  requestAnimationFrame(look);
})"""


def slider(rounds: int = 3, steps: int = 16) -> dict[str, Any]:
    """Slider step to repaint of each widget, beside `interact` + matplotlib in turns (milliseconds).

    Some panels compute their picture on the page (widgets/drawing/twin.py). A repaint counts wherever it comes from,
    the last one if there are several; `said_ms` tells when the kernel's sentence has followed.
    """
    widgets = {}
    with chromium() as browser, served(MATPLOTLIB, ours=False) as peer_url:
        peer, _ = open_ready(browser, peer_url, None)
        for panel in PANELS:
            if panel.name not in SLIDERS:
                continue
            side = Side(
                f"from widgets.panels.{panel.module} import {panel.panel}\n{panel.panel}({VIEWS.get(panel.name, '')})",
                SLIDERS[panel.name],
            )
            with served(side, ours=True) as url:
                page, _ = open_ready(browser, url, side.slider)
                widgets[panel.panel] = _alternate_steps(page, peer, rounds, steps)
                page.close()
    slowest = max(widgets.values(), key=lambda row: row["median_ms"])
    return {
        "name": "slider",
        "peer": "interact + matplotlib",
        "ratio": slowest["peer_median_ms"] / slowest["median_ms"],
        "widgets": widgets,
    }


def _alternate_steps(page: Any, peer: Any, rounds: int, steps: int) -> dict[str, float]:
    """`said_ms` is the median until the kernel's sentence has followed, where it changes."""
    ours, theirs = Steps([], []), Steps([], [])
    for _ in range(rounds):
        step_times(page, steps, ours)
        step_times(peer, steps, theirs)
    (median, p95), (peer_median, peer_p95) = timing(ours.drawn), timing(theirs.drawn)
    said = {"said_ms": statistics.median(ours.said)} if ours.said else {}
    return {"median_ms": median, "p95_ms": p95, "peer_median_ms": peer_median, "peer_p95_ms": peer_p95, **said}


def page_ready(rounds: int = 3) -> dict[str, Any]:
    """Seconds from opening the app to the first slider answer, beside four stock figures."""
    app = Side("from widgets.app import PANELS, App\nApp(PANELS, 'tab=lif')")
    ours, stock = [], []
    with chromium() as browser, ExitStack() as servers:
        our_url = servers.enter_context(served(app, ours=True))
        stock_url = servers.enter_context(served(STOCK_FIGURE, ours=False))
        for _ in range(rounds):
            for url, times in ((our_url, ours), (stock_url, stock)):
                page, seconds = open_ready(browser, url, None)
                page.close()
                times.append(seconds)
    seconds = {"seconds": ours, "peer_seconds": stock}
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "name": "page-ready",
        "peer": "four stock FigureWidgets, cold",
        "ratio": medians["peer_seconds"] / medians["seconds"],
        **medians,
    }


def stop(rounds: int = 5) -> dict[str, Any]:
    """Milliseconds from the Stop click to "stopped" on the page, beside a training loop inside the click handler."""
    ours, theirs = [], []
    with chromium() as browser, served(MONITOR, ours=True) as url, served(CALLBACK_LOOP, ours=False) as peer_url:
        pages = [browser.new_page(), browser.new_page()]
        for page, address in zip(pages, (url, peer_url), strict=True):
            page.goto(address)
        for _ in range(rounds):
            for page, times in zip(pages, (ours, theirs), strict=True):
                times.append(_stop_time(page))
    median, peer_median = statistics.median(ours), statistics.median(theirs)
    peer = "training loop in the click handler"
    return {
        "name": "stop",
        "peer": peer,
        "ratio": peer_median / median,
        "median_ms": median,
        "peer_median_ms": peer_median,
    }


def _stop_time(page: Any) -> float:
    page.get_by_role("button", name="Start").click(timeout=120_000)
    time.sleep(1.5)  # well into the training
    return page.evaluate(STOP)


BENCHMARKS = {"slider": slider, "page-ready": page_ready, "stop": stop}
