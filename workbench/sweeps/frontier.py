"""The cost frontier of rules on one task: what they reach against the bytes they keep and the products they make.

A rule stands on the frontier when no other one reaches at least as much for at most the same cost, and differs. The
picture is SVG, written as text: the same cells give the same file, and it follows the reader's light or dark page.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from workbench.sweeps.statistics import summary
from workbench.sweeps.values import Asked, values_of
from workbench.training.score import Score

WIDTH, HEIGHT, LEFT, TOP, GAP = 420, 300, 52, 44, 40  # of a panel, and what lies around it, in pixels
ROOM = 150  # for labels, to the right of a panel
LINE = 14  # between two labels
STYLE = """text{font:12px system-ui,sans-serif;fill:#333}.axis{stroke:#999}.grid{stroke:#ddd}.bar{stroke:#1764ab}
.dot{fill:#1764ab}.off{fill:#8fb4d8}.front{fill:none;stroke:#c4541a;stroke-width:1.5}.lead{stroke:#aaa;stroke-width:.6}
@media(prefers-color-scheme:dark){text{fill:#ddd}.axis{stroke:#888}.grid{stroke:#444}.dot{fill:#6db1f2}.off{fill:#40617f}
.bar{stroke:#6db1f2}.front{stroke:#f2935c}}"""


class Point(NamedTuple):
    """A rule: its cost, its mean and deviation in the score's unit."""

    label: str
    cost: float
    mean: float
    deviation: float


def points(
    cells: Sequence[Mapping[str, Any]], experiment: str, epochs: int, labels: Mapping[str, str], cost: str
) -> list[Point]:
    """The rules that were run, with `cost` "kept" (MB) or "macs" (millions per sample and update)."""
    found = []
    for rule, label in labels.items():
        values = values_of(cells, Asked(experiment, rule, epochs))
        costs = values_of(cells, Asked(experiment, rule, epochs, cost))
        if values and costs:
            mean, deviation, _ = summary(list(values.values()))
            found.append(Point(label, summary(list(costs.values())).mean, mean, deviation or 0.0))
    return found


def frontier(found: Sequence[Point], more_is_better: bool = True) -> list[Point]:
    """The points that no other one beats, in the order of their cost.

    >>> [point.label for point in frontier([Point("a", 1, 5, 0), Point("b", 2, 4, 0), Point("c", 3, 6, 0)])]
    ['a', 'c']
    """
    sign = 1.0 if more_is_better else -1.0
    best, front = -math.inf, []
    for point in sorted(found, key=lambda each: (each.cost, -sign * each.mean)):
        if sign * point.mean > best:
            best = sign * point.mean
            front.append(point)
    return front


def picture(panels: Mapping[str, Sequence[Point]], score: Score, title: str) -> str:
    """An SVG with a panel for each cost, named by its axis; ValueError where there is no point."""
    if not panels or not all(panels.values()):
        raise ValueError("there is no cell to draw; sweep the experiment first")
    wide = len(panels) * (LEFT + WIDTH + ROOM)
    high = TOP + HEIGHT + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img"'
        f' aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text x="{LEFT}" y="16">{escape(title)}</text>',
    ]
    for number, (axis, found) in enumerate(panels.items()):
        parts.append(f'<g transform="translate({number * (LEFT + WIDTH + ROOM) + LEFT},{TOP})">')
        parts += _panel(axis, found, score)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(axis: str, found: Sequence[Point], score: Score) -> Iterator[str]:
    low, high = _ends(found)
    costs = [point.cost for point in found]
    first, last = math.log10(min(costs)) - 0.1, math.log10(max(costs)) + 0.1

    def x(cost: float) -> float:
        return round(WIDTH * (math.log10(cost) - first) / (last - first), 1)

    def y(value: float) -> float:
        return round(HEIGHT * (high - value) / (high - low), 1)

    for value in _ticks(low, high):
        yield f'<line class="grid" x1="0" x2="{WIDTH}" y1="{y(value)}" y2="{y(value)}"/>'
        yield f'<text x="-6" y="{y(value) + 4}" text-anchor="end">{value:g}</text>'
    for cost in _decades(first, last):
        yield f'<line class="grid" x1="{x(cost)}" x2="{x(cost)}" y1="0" y2="{HEIGHT}"/>'
        yield f'<text x="{x(cost)}" y="{HEIGHT + 16}" text-anchor="middle">{cost:g}</text>'
    yield f'<path class="axis" fill="none" d="M0 0V{HEIGHT}H{WIDTH}"/>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT + 34}" text-anchor="middle">{escape(axis)}</text>'
    yield f'<text x="{-LEFT + 4}" y="-6">{escape(score.label)}, {escape(score.unit)}</text>'
    front = frontier(found, score.more_is_better)
    yield f'<path class="front" d="M{" L".join(f"{x(p.cost)} {y(p.mean)}" for p in front)}"/>'
    placed = _spread([(point, y(point.mean)) for point in found])
    for point, height in sorted(placed, key=lambda each: each[0] in front):  # those of the frontier lie on top
        across, down = x(point.cost), y(point.mean)
        bar = round(HEIGHT * point.deviation / (high - low), 1)
        yield f'<line class="bar" x1="{across}" x2="{across}" y1="{round(down - bar, 1)}" y2="{round(down + bar, 1)}"/>'
        yield f'<line class="lead" x1="{across}" y1="{down}" x2="{WIDTH + 4}" y2="{height}"/>'
        yield f'<circle class="{"dot" if point in front else "off"}" cx="{across}" cy="{down}" r="4"/>'
        yield f'<text x="{WIDTH + 7}" y="{round(height + 4, 1)}">{escape(point.label)}</text>'


def _ends(found: Sequence[Point]) -> tuple[float, float]:
    """The least and the largest value that is drawn, with room around."""
    low, high = min(p.mean - p.deviation for p in found), max(p.mean + p.deviation for p in found)
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _ticks(low: float, high: float) -> list[float]:
    """Four to nine round numbers between the ends."""
    step = 10.0 ** math.floor(math.log10(high - low))
    step = next(step * part for part in (1.0, 0.5, 0.25, 0.2, 0.1) if (high - low) / (step * part) >= 4)
    return [round(k * step, 6) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _decades(first: float, last: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two logarithms."""
    wanted = [part * 10.0**power for power in range(math.floor(first), math.ceil(last) + 1) for part in (1, 2, 5)]
    return [cost for cost in wanted if first <= math.log10(cost) <= last]


def _spread(placed: Sequence[tuple[Point, float]]) -> list[tuple[Point, float]]:
    """Heights of labels, from top to bottom, moved apart where they would touch."""
    spread: list[tuple[Point, float]] = []
    least = -math.inf
    for point, height in sorted(placed, key=lambda each: each[1]):
        least = max(height, least)
        spread.append((point, least))
        least += LINE
    top = float(HEIGHT)
    for k in range(len(spread) - 1, -1, -1):  # what ran out below is pushed up again
        point, height = spread[k]
        spread[k] = (point, round(min(height, top), 1))
        top = spread[k][1] - LINE
    return spread
