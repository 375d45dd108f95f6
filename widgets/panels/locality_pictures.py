"""The figures of `LocalityMap`: what the chosen update depends on, and the whole matrices under it."""

from typing import Any

import torch

from widgets.drawing.figure import Fig
from widgets.drawing.rows import bars, curve, dots
from widgets.drawing.theme import BLUE, FAINT, GREEN, VERMILLION
from workbench.watch.dependence import LAYERS, LEAST, MOST, STEPS, shade

TOP = 1.9  # of the bars' axis; the largest change of an update by one step is 1.7
SCALE = [  # grey for exactly zero; few shades in the middle, where neither dark nor white words are legible
    [0.0, "#DDDDDD"], [0.05, "#DDDDDD"], [0.05, "#D3E8F5"], [0.5, "#92C5E5"], [0.6, "#2E80B3"], [1.0, "#005080"],
]  # fmt: skip
PLACES, TIMES = list(range(len(LAYERS))), list(range(STEPS))
TICKS = {"no": 0.0, f"{LEAST}": LEAST, "0.1": 0.1, f"{MOST:.0f}": MOST}


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
    alt = "How much the chosen layer's update at the chosen step changes, by layer replaced and by step replaced"
    return _figure(traces, layout, alt)


def whole_figure() -> Fig:
    """D[l, k] over D[t, s], with cells of one size that hold their numbers on a phone too, and framed rows."""
    of_layer = "update of layer %{y}, layer %{x} replaced: %{text}"
    of_step = "update at step %{y}, input of step %{x} replaced: %{text}"
    traces = [
        _cells("D[l, k]", PLACES, PLACES, of_layer),
        {**_cells("D[t, s]", TIMES, TIMES, of_step), "xaxis": "x2", "yaxis": "y2"},
        _frame("row l", 0),
        _frame("row t", 1),
    ]
    plain: dict[str, Any] = {"showgrid": False, "zeroline": False}
    layers = plain | {"tickvals": PLACES, "ticktext": ["1", "2", "3", "out"]}
    steps = plain | {"dtick": 1}
    space, time = [0.72, 1.0], [0.0, 0.56]
    layout = {
        "xaxis": {**layers, "domain": [0.0, 0.5], "title": {"text": "layer k, replaced", "standoff": 38}},
        "yaxis": {**layers, "domain": space, "autorange": "reversed", "title": {"text": "update, layer l"}},
        "xaxis2": {**steps, "anchor": "y2", "title": {"text": "step s, replaced", "standoff": 38}},
        "yaxis2": {
            **steps,
            "domain": time,
            "anchor": "x2",
            "autorange": "reversed",
            "title": {"text": "update at step t"},
        },
        "height": 560,
    }
    alt = "Change of every layer's update by every layer replaced, and of every step's update by every step replaced"
    figure = _figure(traces, layout, alt)
    figure.layout.coloraxis.update(showscale=True, colorbar=_colour_bar())
    figure.layout.margin.t = 76
    return figure


def _colour_bar() -> dict:
    return {
        "orientation": "h",
        "thickness": 10,
        "y": 1.02,
        "yanchor": "bottom",
        "tickvals": shade(torch.tensor(list(TICKS.values()))).tolist(),
        "ticktext": list(TICKS),
        "title": {"text": "change D of the update (1: by its own length)", "side": "top", "font": {"size": 14}},
    }


def frame(size: int, row: int) -> tuple[list[float], list[float]]:
    """x and y of a line round the `size` cells of a row, within them."""
    left, right, low, high = -0.46, size - 0.54, row - 0.46, row + 0.46
    return [left, right, right, left, left], [low, low, high, high, low]


def _cells(name: str, x: list[int], y: list[int], hover: str, **more: Any) -> dict:
    plain = {"xgap": 2, "ygap": 2, "showlegend": False} | more  # a still picture makes a legend otherwise
    cells = {"type": "heatmap", "name": name, "x": x, "y": y, "coloraxis": "coloraxis", "texttemplate": "%{text}"}
    return {**cells, **plain, "hovertemplate": f"{hover}<extra></extra>"}


def _frame(name: str, row: int) -> dict:
    return curve(name, {"color": GREEN, "width": 4}, name, row, showlegend=False, hoverinfo="skip", cliponaxis=False)


def _figure(traces: list[dict], layout: dict, alt: str) -> Fig:
    colours = {"cmin": 0, "cmax": 1, "colorscale": SCALE, "showscale": False}
    return Fig(traces, {**layout, "coloraxis": colours, "hovermode": "closest"}, alt=alt)
