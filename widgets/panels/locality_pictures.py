"""The figures of `LocalityMap`: what the chosen update depends on, and the whole matrices under it."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from widgets.drawing.figure import Fig
from widgets.drawing.rows import bars, curve, dots
from widgets.drawing.theme import BLUE, FAINT, GREEN, INK, VERMILLION
from workbench.watch.dependence import LAYERS, STEPS

TOP = 1.9  # of the bars' axis; the largest change of an update by one step is 1.7
NOTHING = "rgba(127,127,127,0.12)"  # exactly zero steps back on a light page and on a dark one
SCALE = [  # the page shines through what matters little
    [0.0, NOTHING], [0.05, NOTHING], [0.05, "rgba(0,114,178,0.18)"], [0.5, "rgba(0,114,178,0.45)"],
    [0.6, "rgba(0,114,178,0.95)"], [1.0, "rgba(0,90,150,1)"],
]  # fmt: skip
MUCH = 0.14  # a change from which on a cell is dark on both pages
QUIET, PAPER = "#767676", "#FFFFFF"  # words of cells: quiet (the style sheet turns it), and on dark ones
PLACES, TIMES = list(range(len(LAYERS))), list(range(STEPS))


def chosen_figure() -> Fig:
    """Boxes of the layers; bars of the steps: a place to click, up to t, later. Then the marks of what is chosen."""
    hover = "layer replaced: %{y}<br>change of the update: %{text}"
    step = "input of step %{x} replaced:<br>change of the update"
    bar: dict[str, Any] = {
        "width": 0.8,
        "textposition": "outside",
        "constraintext": "none",
        "textangle": 0,
        "textfont": {"size": 10},
    }
    later = {"color": VERMILLION, "pattern": {"shape": "/"}}
    traces = [
        _cells("layers", [0], PLACES, hover, xgap=0, ygap=6),
        bars("places", FAINT, f"{step} %{{text}}", 1, x=TIMES, y=[TOP] * STEPS, **bar | {"textposition": "none"}),
        bars("steps up to t", BLUE, f"{step} %{{y:.3f}}", 1, **bar),
        bars("later steps", VERMILLION, f"{step} %{{y:.3f}}", 1, **bar | {"marker": later}),
        _frame("chosen layer", 0),
        dots("step t", {"color": GREEN, "symbol": "triangle-up", "size": 14}, "update at step %{x}", 1, y=[-0.12]),
        _words_in_cells("words of the layers", 0),
    ]
    traces[1]["showlegend"] = False
    layout = {
        "xaxis": {"domain": [0.0, 0.2], "showticklabels": False, "ticks": "", "title": {"text": "↑ input"}},
        "yaxis": {"tickvals": PLACES, "ticktext": LAYERS, "title": {"text": "layer k, replaced"}, "showgrid": False},
        "xaxis2": {"domain": [0.46, 1.0], "anchor": "y2", "dtick": 1, "title": {"text": "step s, replaced"}},
        "yaxis2": {"anchor": "x2", "range": [-0.25, TOP], "title": {"text": "change D[t, s]"}},
        "barmode": "overlay",
        "height": 320,
    }
    layout["xaxis"] |= {"range": [-0.52, 0.52], "showgrid": False, "zeroline": False}
    layout["yaxis"] |= {"range": _around(LAYERS)}
    layout["xaxis2"] |= {"range": _around(TIMES)}
    alt = "How much the chosen layer's update at the chosen step changes, by layer replaced and by step replaced"
    return _figure(traces, layout, alt)


def map_figure(alt: str) -> Fig:
    """D[l, k] beside D[t, s] of one rule, whose name stands above; the rows of what is chosen are framed."""
    of_layer = "update of layer %{y}, layer %{x} replaced: %{text}"
    of_step = "update at step %{y}, input of step %{x} replaced: %{text}"
    traces = [
        _cells("D[l, k]", PLACES, PLACES, of_layer),
        {**_cells("D[t, s]", TIMES, TIMES, of_step), "xaxis": "x2", "yaxis": "y2"},
        _frame("row l", 0),
        _frame("row t", 1),
        _words_in_cells("words of D[l, k]", 0),
        _words_in_cells("words of D[t, s]", 1),
    ]
    plain: dict[str, Any] = {"showgrid": False, "zeroline": False}
    layers = plain | {"tickvals": PLACES, "ticktext": ["1", "2", "3", "out"], "range": _around(LAYERS)}
    steps = plain | {"dtick": 1, "range": _around(TIMES)}
    layout = {
        "xaxis": {**layers, "domain": [0.0, 0.34], "title": {"text": "layer k, replaced"}},
        "yaxis": {**layers, "range": _around(LAYERS)[::-1], "title": {"text": "update, layer l"}},
        "xaxis2": {**steps, "domain": [0.46, 1.0], "anchor": "y2", "title": {"text": "step s, replaced"}},
        "yaxis2": {**steps, "anchor": "x2", "range": _around(TIMES)[::-1], "title": {"text": "update at step t"}},
        "height": 300,
        "margin": {"t": 28},
        "annotations": [
            {"text": "", "x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
            | {"showarrow": False, "font": {"size": 15, "color": INK}}
        ],
    }
    return _figure(traces, layout, alt)


def _around(cells: Sequence[object]) -> list[float]:
    """The ends of an axis along cells. With one that fits itself the page draws the whole figure again at each step."""
    return [-0.5, len(cells) - 0.5]


def ink(change: Tensor) -> list[str]:
    """The colour of the word in each cell: quiet where nothing changes, white where the cell is dark."""
    return [QUIET if value == 0 else PAPER if value >= MUCH else INK for value in change.flatten().tolist()]


def frame(size: int, row: int) -> tuple[list[float], list[float]]:
    """x and y of a line round the `size` cells of a row, within them."""
    left, right, low, high = -0.46, size - 0.54, row - 0.46, row + 0.46
    return [left, right, right, left, left], [low, low, high, high, low]


def _cells(name: str, x: list[int], y: list[int], hover: str, **more: Any) -> dict:
    plain = {"xgap": 2, "ygap": 2, "showlegend": False} | more  # a still picture makes a legend otherwise
    cells = {"type": "heatmap", "name": name, "x": x, "y": y, "coloraxis": "coloraxis"}
    return {**cells, **plain, "hovertemplate": f"{hover}<extra></extra>"}


def _words_in_cells(name: str, row: int) -> dict:
    return curve(name, {}, "", row, mode="text", textfont={"size": 12}, showlegend=False, hoverinfo="skip")


def _frame(name: str, row: int) -> dict:
    return curve(name, {"color": GREEN, "width": 4}, name, row, showlegend=False, hoverinfo="skip", cliponaxis=False)


def _figure(traces: list[dict], layout: dict, alt: str) -> Fig:
    colours = {"cmin": 0, "cmax": 1, "colorscale": SCALE, "showscale": False}
    return Fig(traces, {**layout, "coloraxis": colours, "hovermode": "closest"}, alt=alt)
