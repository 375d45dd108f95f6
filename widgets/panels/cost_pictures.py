"""The figures of `CostExplorer`: curves by formula, and one row of marks for each rule, formula against measured."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from widgets.drawing.figure import Fig
from widgets.drawing.labels import spread
from widgets.drawing.rows import curve, dots
from widgets.drawing.rule_look import rule_line
from widgets.drawing.theme import FAINT, GREY
from widgets.frame.recorded import ALWAYS
from workbench.cost.table import COSTED
from workbench.language import say

RULES = tuple(rule.label for rule in COSTED)
RULE_COLOURS = [rule_line(rule.name)["color"] for rule in COSTED]
LAST = 300  # steps
_LINE_OF_TEXT = 0.1  # of a picture's height
_TIME = 4  # the trace of times, behind two for each of two formulas
_KINDS = ("MACs per sample (millions)", "kept per sample (kB)", "ms per batch")


def macs_figure() -> Fig:
    """A curve for each rule, the chosen T, and where S-TLLR costs more."""
    dearer = {"fill": "toself", "fillcolor": FAINT, "mode": "none", "name": "S-TLLR costs more than BPTT"}
    traces = [*_traces("million"), dearer | {"hoveron": "fills", "hovertemplate": "S-TLLR costs more<extra></extra>"}]
    alt = f"Multiply-accumulate operations of {len(RULES)} rules for one sample, against the number of steps"
    return Fig(traces, _layout(_KINDS[0]), alt=alt)


def memory_figure() -> Fig:
    """A curve for each rule, and the chosen T."""
    return Fig(_traces("kB"), _layout(_KINDS[1]), alt=f"Bytes kept by {len(RULES)} rules for one sample")


def draw_curves(figure: Fig, steps: Sequence[int], curves: Mapping[str, Sequence[float]], chosen: int) -> None:
    """Set the curves `(rule: values)`, the labels at their ends, and the line at the chosen T."""
    low = math.log10(min(min(values) for values in curves.values())) - 0.1
    high = math.log10(max(max(values) for values in curves.values())) + 0.1
    *lines, labels, here = figure.data[: len(RULES) + 2]
    for trace, rule in zip(lines, RULES, strict=True):
        trace.x, trace.y = list(steps), list(curves[rule])
    ends = [math.log10(curves[rule][-1]) for rule in RULES]
    labels.y = [10**height for height in spread(ends, _LINE_OF_TEXT * (high - low), low, high)]
    here.x, here.y = [chosen, chosen], [10**low, 10**high]
    figure.layout.yaxis.range = [low, high]


def pairs_figure() -> Fig:
    """A row for each rule: a ring by formula, a cross measured; multiplications, bytes and time beside one another."""
    rows = list(range(len(RULES)))
    traces = []
    for column, (kind, digits) in enumerate((("million MACs", "%{x:.4g}"), ("kB", "%{x:.4g}"))):
        axes = {"xaxis": f"x{column + 1}" if column else "x", "yaxis": "y"}
        hover = f"%{{text}}: {digits} {kind}"
        ring = {"color": RULE_COLOURS, "symbol": "circle-open", "size": 11, "line": {"width": 2}}
        traces.append(
            dots("by formula", ring, f"{hover} by formula", y=rows, text=RULES, showlegend=not column, meta=ALWAYS)
            | axes
        )
        traces.append(dots("measured", _cross(), f"{hover} measured", y=rows, text=RULES, showlegend=not column) | axes)
    shown = {"mode": "markers+text", "textposition": "middle right", "showlegend": False, "cliponaxis": False}
    traces.append(dots("time", _cross(), "%{text}", y=rows, **shown) | {"xaxis": "x3", "yaxis": "y"})
    domains = ([0.0, 0.29], [0.345, 0.635], [0.69, 0.94])
    layout: dict[str, Any] = {
        f"xaxis{column + 1 if column else ''}": {
            "domain": domain,
            "type": "log",
            "dtick": "D2",
            "title": {"text": title},
        }
        for column, (domain, title) in enumerate(zip(domains, _KINDS, strict=True))
    }
    layout["yaxis"] = {
        "tickvals": rows,
        "ticktext": RULES,
        "range": [len(RULES) - 0.5, -0.5],
        "title": {"text": "rule", "font": {"color": "rgba(0, 0, 0, 0)"}},  # for readers
    }
    alt = f"Multiplications, bytes and time of {len(RULES)} rules: by formula, and measured on this machine"
    return Fig(traces, {**layout, "hovermode": "closest", "height": 300, "margin": {"t": 24}}, alt=alt)


def draw_pairs(figure: Fig, formula: Sequence[Sequence[float]], measured: Sequence[Sequence[float | None]]) -> None:
    """Set the marks of the three columns; `measured` has None where a rule was not measured.

    Each axis holds all its marks, those of a pinned or recorded run too.
    """
    for column, values in enumerate(measured):
        shown = list(values) if any(values) else []
        rows = list(range(len(shown)))  # without marks none, so that the legend does not name them
        if column < len(formula):
            ring, cross = figure.data[2 * column : 2 * column + 2]
            ring.x = list(formula[column])
            cross.update(x=shown, y=rows)
        else:
            figure.data[_TIME].update(x=shown, y=rows, text=[milliseconds(value) for value in shown])
        axis, marks = f"x{column + 1 if column else ''}", (*figure.data, *figure.pinned_traces)
        if known := [value for trace in marks if trace.xaxis == axis for value in trace.x or () if value]:
            figure.layout[axis.replace("x", "xaxis")].range = _around(known)


def _around(values: Sequence[float]) -> list[float]:
    """The ends of a logarithmic axis round these values: at half powers of ten, so that it seldom moves."""
    low, high = math.log10(min(values)), math.log10(max(values))
    return [math.floor(2 * (low - 0.2)) / 2, math.ceil(2 * (high + 0.2)) / 2]


def milliseconds(value: float | None) -> str:
    """A time in milliseconds as people say it; nothing where it is not known."""
    if value is None:
        return ""
    return f"{value:.3g} ms" if value < 1000.0 else f"{value / 1000:.2g} s"


def _cross() -> dict:
    return {"color": RULE_COLOURS, "symbol": "x", "size": 9}


def _traces(unit: str) -> list[dict]:
    hovers = [say("{rule}: %{{y:.4g}} {unit}", rule=say(rule.label), unit=say(unit)) for rule in COSTED]
    lines = [curve(rule.label, rule_line(rule.name), told) for rule, told in zip(COSTED, hovers, strict=True)]
    text = {"mode": "text", "textposition": "middle right", "cliponaxis": False, "hoverinfo": "skip"}
    text |= {"textfont": {"size": 12, "color": RULE_COLOURS}, "x": [LAST] * len(RULES), "text": RULES}
    here = {"color": GREY, "width": 1.5, "dash": "dot"}
    traces = [*lines, curve("labels", {}, "", **text), curve("chosen T", here, "the chosen T = %{x}")]
    return [{**trace, "showlegend": False} for trace in traces]


def _layout(y_title: str) -> dict:
    return {
        "xaxis": {"title": {"text": "steps T"}, "range": [0, LAST]},
        "yaxis": {"title": {"text": y_title}, "type": "log", "dtick": 1},
        "hovermode": "closest",
        "height": 300,
        "margin": {"r": 108, "t": 24},
    }
