"""The figures of `PaperResults`: a row for each claim of a paper, and the cost frontier of its rules."""

import math
import textwrap
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from widgets.drawing.figure import Fig
from widgets.drawing.labels import spread
from widgets.drawing.rows import curve, dots
from widgets.drawing.rule_look import rule_marker
from widgets.drawing.theme import FAINT, GREY, VERMILLION
from workbench.language import say
from workbench.sweeps.frontier import Point

POINTS, RATIO, HOURS = "points", "ratio", "hours"  # the kinds of numbers that a picture shows
TITLES = {
    POINTS: "difference or forgetting (points)",
    RATIO: "ratio of the two",
    HOURS: "hours on one H100 (estimate)",
}
_WIDE = 30  # characters of a claim in a line
_HEIGHT = 400
_LINE = 0.062  # of the picture's height, between two labels


class ShownRow(NamedTuple):
    """A row of a paper as it is drawn; `short` says how many times the paper's number is ours, of rows with a ratio.

    values: our number under each seed; low, high: the ends of what counts as reproduced, None for none. told, on: ours
    and the paper's in words, and which rules ran on what.
    """

    claim: str
    rule: str
    verdict: str
    values: tuple[float, ...]
    mean: float
    deviation: float
    reported: tuple[float, ...]
    low: float | None
    high: float | None
    told: str
    on: str
    short: float = 0.0


def claims_figure() -> Fig:
    """Empty: what counts, single seeds, ours, the paper's."""
    band = curve("counts as reproduced (our choice)", {"color": FAINT, "width": 14}, "", hoverinfo="skip")
    del band["hovertemplate"]
    seeds = dots("single seeds", {"color": GREY, "symbol": "line-ns-open", "size": 9}, "one seed: %{x:.4g}")
    ours = dots("here, mean ± sd", {}, "%{text}", error_x={"type": "data", "thickness": 2, "width": 5, "color": GREY})
    theirs = dots(
        "the paper", {"color": GREY, "symbol": "diamond-open", "size": 11, "line": {"width": 2}}, "the paper: %{x:.4g}"
    )
    layout: dict[str, Any] = {
        "yaxis": {"title": {"text": "claim", "font": {"color": "rgba(0, 0, 0, 0)"}}, "tickfont": {"size": 11}},
        "xaxis": {"title": {"text": TITLES[POINTS]}},
        "hovermode": "closest",
        "height": _HEIGHT,
    }
    return Fig([band, seeds, ours, theirs], layout, alt="Claims of a paper, its number beside ours in each row")


def draw_claims(figure: Fig, rows: Sequence[ShownRow], kind: str, with_seeds: bool) -> None:
    """Set the rows, the first on top."""
    low, high = ends(rows, kind)
    band, seeds, ours, theirs = figure.data
    places = range(len(rows))
    sides = [
        [low if row.low is None else row.low, high if row.high is None else row.high, None]
        for row in rows
        if (row.low, row.high) != (None, None)
    ]
    held = [k for k, row in enumerate(rows) if (row.low, row.high) != (None, None)]
    band.update(x=[end for side in sides for end in side], y=[part for k in held for part in (k, k, None)])
    single = [(value, k) for k, row in enumerate(rows) for value in row.values]
    seeds.update(x=[value for value, _ in single], y=[k for _, k in single], visible=with_seeds and kind != HOURS)
    looks = [rule_marker(row.rule) for row in rows]
    ours.marker.update(color=[look["color"] for look in looks], symbol=[look["symbol"] for look in looks], size=10)
    ours.update(x=[row.mean for row in rows], y=list(places), text=[pointed_at(row) for row in rows])
    ours.name = say("estimate") if kind == HOURS else say("here, mean ± sd")
    ours.error_x.array = [row.deviation for row in rows]
    said = [(value, k) for k, row in enumerate(rows) for value in row.reported]
    theirs.update(x=[value for value, _ in said], y=[k for _, k in said])
    words = [wrapped(f"{MARKS.get(row.verdict, '')}{row.claim}") for row in rows]
    figure.layout.yaxis.update(tickvals=list(places), ticktext=words, range=[max(len(rows), 1) - 0.5, -0.5])
    logarithmic = kind != POINTS
    figure.layout.xaxis.update(
        type="log" if logarithmic else "linear",
        range=[math.log10(low), math.log10(high)] if logarithmic else [low, high],
        title={"text": say(TITLES[kind])},
    )


MARKS = {"reproduced": "✓ ", "missed": "✗ "}


def wrapped(words: str, wide: int = _WIDE) -> str:
    """A claim in lines of at most so many characters.

    >>> wrapped("✗ up to 300 times fewer products", 18)
    '✗ up to 300 times<br>fewer products'
    """
    return "<br>".join(textwrap.wrap(words, wide))


def pointed_at(row: ShownRow) -> str:
    """What is read off at a row: its numbers, and under them on what they were found."""
    return "<br>".join(wrapped(escape(words, quote=False), 60) for words in (row.told, row.on))


def ends(rows: Sequence[ShownRow], kind: str) -> tuple[float, float]:
    """The least and the largest number on the axis, with room around; of ratios and hours by a factor."""
    known = [number for row in rows for number in (*row.values, row.mean, *row.reported, row.low, row.high) if number]
    known += [row.mean + sign * row.deviation for row in rows for sign in (-1, 1)] if kind == POINTS else []
    if kind == POINTS:
        low, high = min([*known, -1.0]), max([*known, 1.0])
        room = 0.06 * (high - low)
        return low - room, high + room
    known = [number for number in known if number > 0] or [1.0]
    return min(*known, 1.0) / 1.5, max(*known, 1.0) * 1.5


def frontier_figure(most: int) -> Fig:
    """Empty, for at most so many rules: the frontier, what leads to the labels, the rules and their labels."""
    front = curve("frontier", {"color": VERMILLION, "width": 1.5}, "", hoverinfo="skip")
    lead = curve("to the labels", {"color": FAINT, "width": 1}, "", hoverinfo="skip")
    for quiet in (front, lead):
        del quiet["hovertemplate"]
    rules = dots(
        "rules", {}, "%{text}", error_y={"type": "data", "thickness": 2, "width": 4, "color": GREY}, cliponaxis=False
    )
    text = {"mode": "text", "textposition": "middle right", "cliponaxis": False, "hoverinfo": "skip"}
    labels = {"name": "labels", "textfont": {"size": 11, "color": GREY}, **text}
    layout = {
        "xaxis": {"title": {"text": "kept (MB)"}, "type": "log"},
        "yaxis": {"title": {"text": "accuracy (%)"}},
        "hovermode": "closest",
        "height": _HEIGHT,
        "margin": {"r": 150, "t": 36},
    }
    traces = [{**trace, "showlegend": False} for trace in (front, lead, rules, labels)]
    alt = f"What each of up to {most} rules reaches against what it costs, and which of them no other one beats"
    return Fig(traces, layout, alt=alt)


def draw_frontier(
    figure: Fig, points: Sequence[Point], rules: Sequence[str], front: Sequence[Point], axis: str
) -> None:
    """Set the rules, and their labels on the right, each at the height of its rule or near it."""
    line, lead, marks, labels = figure.data
    line.update(x=[point.cost for point in front], y=[point.mean for point in front])
    logs = [math.log10(point.cost) for point in points]
    first, last = min(logs) - 0.12, max(logs) + 0.12
    low = min(point.mean - point.deviation for point in points)
    high = max(point.mean + point.deviation for point in points)
    room = 0.06 * (high - low) or 1.0
    low, high = low - room, high + room
    heights = spread([point.mean for point in points], _LINE * (high - low), low, high)
    edge = 10**last
    lead.update(
        x=[part for point in points for part in (point.cost, edge, None)],
        y=[part for point, height in zip(points, heights, strict=True) for part in (point.mean, height, None)],
    )
    looks = [rule_marker(rule) for rule in rules]
    marks.marker.update(color=[look["color"] for look in looks], symbol=[look["symbol"] for look in looks], size=10)
    names = [say(point.label) for point in points]
    told = [
        say("{rule}: {mean:.1f} ± {deviation:.1f} for {cost:.3g}", rule=name, **point._asdict())
        for name, point in zip(names, points, strict=True)
    ]
    marks.update(x=[point.cost for point in points], y=[point.mean for point in points], text=told)
    marks.error_y.array = [point.deviation for point in points]
    labels.update(x=[edge] * len(points), y=heights, text=names)
    figure.layout.xaxis.update(range=[first, last], title={"text": say(axis)})
    figure.layout.yaxis.range = [low, high]
