"""A small panel with every kind of control, and a page of eight figures: for the tests of widgets and browser only."""

from typing import NamedTuple

import ipywidgets
import numpy as np

from widgets.drawing.figure import Fig
from widgets.drawing.raster import Raster
from widgets.drawing.theme import line, marker
from widgets.frame.controls import choice, slider, switch, whole_slider
from widgets.frame.panel import Panel


class Curve(NamedTuple):
    """Points of a wave."""

    x: np.ndarray
    y: np.ndarray


class Wave(Panel):
    """A panel with every kind of control, for tests only."""

    name = "wave"
    title = "A wave"

    def __init__(self, **state) -> None:
        traces = [
            {"name": "wave", "line": line(0)},
            {"name": "half", "line": line(1)},
            {"name": "samples", "mode": "markers", "marker": marker(2)},
        ]
        axes = {"xaxis": {"title": {"text": "time (s)"}}, "yaxis": {"title": {"text": "height"}}}
        self.fig = Fig(traces, axes, alt="A wave over time")
        self.raster = Raster(4, 50, alt="Where the wave is high", x_label="time", y_label="row", height=60)
        controls = {
            "frequency": slider("frequency f (Hz)", 1.0, 0.0, 5.0, 0.1, "turns in one second"),
            "points": whole_slider("points", 200, 10, 500, "how many points are drawn"),
            "shape": choice("shape", {"sine": np.sin, "cosine": np.cos}, "which function"),
            "square": switch("square", False, "the height to the second power"),
        }
        super().__init__(controls, [self.fig, self.raster], state)

    def compute(self, frequency, points, shape, square):
        if points == 13:
            raise ValueError("thirteen points are one too many")
        x = np.linspace(0.0, 1.0, points)
        y = shape(2.0 * np.pi * frequency * x)
        return Curve(x, y**2 if square else y)

    def draw(self, numbers):
        x, y = numbers
        self.fig.data[0].update(x=x, y=y)
        self.fig.data[1].update(x=x, y=y / 2)
        self.fig.data[2].update(x=x[::10], y=y[::10])
        high = np.interp(np.linspace(0, 1, 50), x, y) > 0.5
        self.raster.show(np.tile(high, (4, 1)))

    def describe(self, numbers):
        return f"The wave has {len(numbers.x)} points and reaches {numbers.y.max():.2f}."

    def source(self, frequency, points, shape, square):
        return f"""
            import numpy as np

            x = np.linspace(0.0, 1.0, {points})
            y = np.{shape.__name__}(2.0 * np.pi * {frequency} * x){" ** 2" if square else ""}
        """


def eight_figures() -> ipywidgets.VBox:
    """Eight figures, the last four in a hidden tab, that all follow one slider: their titles show its value."""
    figures = [Fig([{"y": [0, k, 0]}], {"height": 180, "title": {"text": "at 0"}}, alt=f"figure {k}") for k in range(8)]
    control = ipywidgets.IntSlider(value=0, min=0, max=20, description="height")

    def move(change: dict) -> None:
        for figure in figures:
            with figure.batch_update():
                figure.data[0].y = [0, change["new"], 0]
                figure.layout.title.text = f"at {change['new']}"

    control.observe(move, "value")
    tabs = ipywidgets.Tab([ipywidgets.VBox(figures[:4]), ipywidgets.VBox(figures[4:])], titles=["first", "second"])
    return ipywidgets.VBox([control, tabs])
