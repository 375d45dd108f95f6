"""Recorded runs: what a panel that trains shows, pale, before anyone has pressed Start.

A file of `widgets/recorded/` holds what a run of the panel's first settings left in its figures; `widgets.record` makes
them.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from widgets.drawing.figure import Fig
from workbench.language import say

# what of a trace is kept: its values, its axes and its looks
KEPT = ("type", "name", "x", "y", "z", "text", "xaxis", "yaxis", "mode", "line", "marker", "colorscale", "zmin", "zmax")
KEPT += ("textposition", "constraintext", "cliponaxis", "textangle", "texttemplate", "textfont", "showscale")
KEPT += ("orientation", "width", "error_y", "xgap", "ygap", "hoverongaps")
ALWAYS = "always"  # the `meta` of a trace that is there without a run, and so is not recorded


@cache
def recorded(panel: str) -> dict[str, Any] | None:
    """The recorded run of the panel of that name: `words`, and `traces` by the name of the figure. None without one."""
    file = files("widgets") / "recorded" / f"{panel}.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else None


def record(figures: dict[str, Fig], words: str) -> dict[str, Any]:
    """What these figures show, as JSON can hold it."""
    return {
        "words": words,
        "traces": {name: [_plain(t) for t in figure.data if _shows(t)] for name, figure in figures.items()},
    }


def show_recorded(figures: dict[str, Fig], run: dict[str, Any]) -> None:
    """Draw the recorded traces pale, with the legend and the colour bars that those of a run will have."""
    for name, figure in figures.items():
        traces, told = run["traces"].get(name, []), set()
        named = [{**trace, **_words_of(figure, trace)} for trace in traces]
        for trace in named:
            if trace.get("name") in told:  # one entry of the legend for all traces of a name
                trace["showlegend"] = False
            told.add(trace.get("name"))
        figure.pin_traces(named, named=True)


def _words_of(figure: Fig, recorded_trace: dict[str, Any]) -> dict[str, Any]:
    """What the figure's own trace of the same type and name says around the picture."""
    name = recorded_trace.get("name")
    asked = recorded_trace["type"], name and say(name)
    own = next((trace.to_plotly_json() for trace in figure.data if (trace.type, trace.name) == asked), {})
    return {key: own[key] for key in ("showlegend", "colorbar") if key in own}


def _shows(trace: Any) -> bool:
    if trace.meta == ALWAYS:
        return False
    values = trace.z if trace.type == "heatmap" else trace.y
    return trace.visible is not False and values is not None and len(values) > 0


def _plain(trace: Any) -> dict[str, Any]:
    found = json.loads(trace.to_json())
    return {name: value for name, value in found.items() if name in KEPT}
