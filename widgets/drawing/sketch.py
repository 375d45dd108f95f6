"""Sketches for the notebooks: networks, boxes with arrows, a tensor as a cube, rows that grow with time.

Each function returns a picture in the palette of the panels, with a sentence that says what it shows. Nothing is
computed from data here: these are the drawings of a blackboard.
"""

import io
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from IPython.display import Image

from widgets.drawing.theme import BLUE, COLOURS, GREEN, GREY, VERMILLION
from workbench.language import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TEACHERS = ("", "from above", "own", "direct")  # who tells a hidden layer what was wrong
_DPI, _COLOURS = 100, 64
_CIRCLES = 5  # of one layer; more are told by dots
_STYLES = ("-", "--", ":", "-.", (0, (8, 3)), (0, (8, 3, 1, 3)))  # second cue of the lines, as in the panels


class Arrow(NamedTuple):
    """An arrow from box to box with a word beside it; one that carries an error is vermillion and dashed."""

    start: str
    end: str
    word: str = ""
    error: bool = False
    bend: float = 0.0


def use_palette() -> None:
    """Let matplotlib draw in the colours and dashes of the panels from here on."""
    from cycler import cycler  # comes with matplotlib, which takes half a second
    from matplotlib import rcParams

    rcParams["axes.prop_cycle"] = cycler(color=COLOURS, linestyle=_STYLES)
    rcParams["image.cmap"] = "cividis"


def sketch_network(
    layers: Sequence[tuple[str, int]], teacher: str = "", loops: Collection[int] = (), word: str = "error"
) -> Image:
    """The layers of a network from left to right, as pairs of a name and a number of units.

    `teacher` says who tells the hidden layers what was wrong: a layer "from above", its "own" signal made of the label,
    or the outputs in a "direct" way; "" draws none. `loops` are the places of layers that hear themselves.

    Raises ValueError for another teacher and for fewer than two layers.
    """
    if teacher not in TEACHERS:
        raise ValueError(f"teacher must be one of {', '.join(map(repr, TEACHERS))}, got {teacher!r}")
    if len(layers) < 2:
        raise ValueError(f"a network has at least two layers, input and output, got {len(layers)}")
    figure, ax = _canvas(1.7 * len(layers) + 0.6, 2.9)
    columns = [_circles(ax, 2.0 * k, units) for k, (_, units) in enumerate(layers)]
    for k, (left, right) in enumerate(pairwise(columns)):
        for a in left:
            for b in right:
                ax.plot([2.0 * k + 0.16, 2.0 * k + 1.84], [a, b], "-", color=GREY, linewidth=0.5, alpha=0.5, zorder=0)
    for k, (name, units) in enumerate(layers):
        ax.text(
            2.0 * k, -1.95 if loops else -1.5, f"{name}\n{units}", ha="center", va="top", fontsize=10, color="black"
        )
    last = len(layers) - 1
    for k in loops:
        _arrow(ax, (2.0 * k + 0.25, -1.2), (2.0 * k - 0.25, -1.2), BLUE, bend=-1.6)
    for k in range(1, last) if teacher else ():
        if teacher == "own":
            ax.text(2.0 * k, 2.15, say(word), ha="center", va="bottom", fontsize=9, color=VERMILLION)
            _arrow(ax, (2.0 * k, 2.1), (2.0 * k, 1.35), VERMILLION)
        else:
            start = last if teacher == "direct" else k + 1
            _arrow(ax, (2.0 * start - 0.1, 1.4), (2.0 * k + 0.1, 1.4), VERMILLION, bend=0.35)
    if teacher:
        _arrow(ax, (2.0 * last, 2.1), (2.0 * last, 1.35), VERMILLION)
        ax.text(2.0 * last, 2.15, say("label"), ha="center", color=VERMILLION, fontsize=9)
    ax.set(xlim=(-0.9, 2.0 * last + 0.9), ylim=(-2.9 if loops else -2.5, 2.6))
    names = say(" to ").join(f"{name} ({units})" for name, units in layers)
    told = {
        "": "",
        "from above": say("; the {word} goes back from layer to layer", word=say(word)),
        "own": say("; each layer has its {word}", word=say(word)),
        "direct": say("; the {word} goes from the outputs to every layer", word=say(word)),
    }
    return _png(figure, say("Network: {layers}.", layers=names + told[teacher]))


def sketch_boxes(
    boxes: Mapping[str, tuple[float, float]], arrows: Sequence[Arrow], filled: Collection[str] = ()
) -> Image:
    """Boxes at places (right, up), in units of a box's width and height, joined by arrows.

    Raises ValueError where an arrow names a box that is not there.
    """
    if strange := {name for arrow in arrows for name in arrow[:2]} - set(boxes):
        raise ValueError(f"arrows join boxes that are there, {', '.join(boxes)}, got {', '.join(sorted(strange))}")
    rights, ups = zip(*boxes.values(), strict=True)
    figure, ax = _canvas(1.55 * (max(rights) - min(rights) + 1), 0.85 * (max(ups) - min(ups) + 1.2))
    ax.set(xlim=(min(rights) - 0.5, max(rights) + 0.5), ylim=(min(ups) - 0.6, max(ups) + 0.6))
    patches = {}
    for name, (right, up) in boxes.items():
        frame = {"boxstyle": "round,pad=0.35", "edgecolor": GREY, "facecolor": "#DCEBF5" if name in filled else "white"}
        patches[name] = ax.text(right, up, name, ha="center", va="center", fontsize=9.5, bbox=frame)
    figure.draw_without_rendering()  # a frame has its size only then
    for arrow in arrows:
        start, end = patches[arrow.start].get_bbox_patch(), patches[arrow.end].get_bbox_patch()
        style: dict[str, Any] = {"patchA": start, "patchB": end, "linestyle": "--" if arrow.error else "-"}
        _arrow(ax, boxes[arrow.start], boxes[arrow.end], VERMILLION if arrow.error else BLUE, arrow.bend, **style)
        if arrow.word:
            (x0, y0), (x1, y1) = boxes[arrow.start], boxes[arrow.end]
            lift = 0.17 if y0 == y1 else 0.0
            where = (x0 + x1) / 2 + arrow.bend * (y1 - y0) / 2, (y0 + y1) / 2 - arrow.bend * (x1 - x0) / 2 + lift
            ax.text(*where, arrow.word, ha="center", va="center", fontsize=8.5, backgroundcolor="#FFFFFFCC")
    told = "; ".join(" ".join(f"{a.start}{say(' to ')}{a.end} {a.word}".split()) for a in arrows)
    return _png(figure, say("Boxes: {arrows}.", arrows=told))


def sketch_cube(sizes: Mapping[str, int], kept: Mapping[str, int]) -> Image:
    """A tensor of three modes as a cube, and the small core that is kept of it with a basis for each mode.

    Both mappings name the same three modes: height, depth and width of the cube, in this order.

    Raises ValueError for other modes, and for a core that is larger than the cube.
    """
    if len(sizes) != 3 or list(sizes) != list(kept):
        raise ValueError(f"a cube has three modes, the same for its core, got {list(sizes)} and {list(kept)}")
    if larger := [name for name in sizes if kept[name] > sizes[name]]:
        raise ValueError(f"a core is not larger than its cube, got more than there is along {', '.join(larger)}")
    figure, ax = _canvas(7.6, 2.8)
    _cube(ax, (0.0, 0.0), (2.0, 2.0, 2.0), BLUE)
    small: tuple[float, ...] = tuple(max(2.0 * kept[name] / sizes[name], 0.18) for name in sizes)
    _cube(ax, (4.2, 0.6), small, VERMILLION)
    (high, deep, wide), (tall, _, broad) = sizes, sizes.values()
    ax.text(-0.15, 1.0, f"{high}\n{tall}", ha="right", va="center", fontsize=10)
    ax.text(1.0, -0.15, f"{wide}\n{broad}", ha="center", va="top", fontsize=10)
    ax.text(2.75, 0.2, f"{deep}\n{sizes[deep]}", ha="left", va="center", fontsize=10)
    ax.text(4.4, 0.45, f"{say('core')} {' × '.join(map(str, kept.values()))}", va="top", fontsize=10, color=VERMILLION)
    _arrow(ax, (3.0, 1.6), (4.0, 1.2), GREY)
    for k, name in enumerate(sizes):
        left, width = 6.3 + 1.3 * k, max(0.9 * kept[name] / sizes[name], 0.08)
        ax.fill([left, left + width, left + width, left], [0.6, 0.6, 2.2, 2.2], facecolor=GREEN, alpha=0.6)
        ax.text(left, 0.45, f"{say('basis of')}\n{name}\n{sizes[name]} × {kept[name]}", va="top", fontsize=8.5)
    ax.set(xlim=(-1.5, 10.2), ylim=(-0.9, 3.0))
    whole, core = (say(" by ").join(f"{n} {name}" for name, n in part.items()) for part in (sizes, kept))
    told = say("A cube of {whole}; kept are a core of {core} and a basis for each mode.", whole=whole, core=core)
    return _png(figure, told)


def reveal(rows: Mapping[str, Sequence[float]], start: int = 0, milliseconds: int = 450) -> Image:
    """Numbers of each step as rows of stems that grow step by step: a picture that moves once and then stands still.

    Rows of equal length `(steps,)`; `start` is the first step of the axis.

    Raises ValueError for no rows and rows of different length.
    """
    lengths = {name: len(values) for name, values in rows.items()}
    if not lengths or len(set(lengths.values())) != 1:
        raise ValueError(f"rows must have one length, got {lengths}")
    (steps,) = set(lengths.values())
    frames = [_rows(rows, shown, start) for shown in range(1, steps + 1)]
    moving = io.BytesIO()
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, optimize=True)
    final = "; ".join(f"{name}: {' '.join(f'{float(v):.3g}' for v in values)}" for name, values in rows.items())
    return Image(moving.getvalue(), format="gif", alt=say("Rows over time steps. {rows}.", rows=final))


def _rows(rows: Mapping[str, Sequence[float]], shown: int, start: int) -> Any:
    """One frame: the first steps of every row."""
    figure, _ = _canvas(7.0, 0.85 * len(rows) + 0.5)
    figure.clear()
    axes = figure.subplots(len(rows), squeeze=False, sharex=True)[:, 0]
    for ax, colour, (name, values) in zip(axes, COLOURS * len(rows), rows.items(), strict=False):
        numbers = [float(value) for value in values]
        at = range(start, start + shown)
        ax.vlines(at, 0, numbers[:shown], color=colour, linewidth=3)
        ax.plot(at, numbers[:shown], "o", color=colour, markersize=5)
        for t, number in zip(at, numbers[:shown], strict=True):
            if number:
                ax.annotate(
                    f"{number:.2g}".replace("-", "−"), (t, number), (6, -4), textcoords="offset points", fontsize=8
                )
        ax.axhline(0, color=GREY, linewidth=0.8)
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
        low, high = min(0.0, *numbers), max(0.0, *numbers)
        ax.set(xlim=(start - 0.5, start + len(numbers) - 0.2), ylim=(1.3 * low - 0.05, 1.3 * high + 0.05), yticks=[])
        ax.spines[:].set_visible(False)
        ax.tick_params(bottom=ax is axes[-1])
    axes[-1].set(xticks=range(start, start + len(next(iter(rows.values())))), xlabel=say("time step"))
    return _pixels(figure)


def _circles(ax: "Axes", x: float, units: int) -> list[float]:
    """Draw a layer; return the heights of its circles."""
    count = min(units, _CIRCLES)
    heights = [1.2 - 2.4 * (k + 0.5) / count for k in range(count)]
    if units > _CIRCLES:
        ax.text(x, heights[2], "⋮", ha="center", va="center", fontsize=13)
        heights = heights[:2] + heights[3:]
    ax.plot([x] * len(heights), heights, "o", markersize=11, markerfacecolor="white", markeredgecolor=BLUE)
    return heights


def _cube(ax: "Axes", corner: tuple[float, float], sizes: Sequence[float], colour: str) -> None:
    """A cube of height, depth and width, seen from the right and above."""
    (x, y), (high, deep, wide) = corner, sizes
    shift, rise = 0.35 * deep, 0.3 * deep
    front = ([x, x + wide, x + wide, x], [y, y, y + high, y + high])
    top = ([x, x + wide, x + wide + shift, x + shift], [y + high, y + high, y + high + rise, y + high + rise])
    side = ([x + wide, x + wide + shift, x + wide + shift, x + wide], [y, y + rise, y + high + rise, y + high])
    for (xs, ys), shade in ((front, 0.25), (top, 0.4), (side, 0.55)):
        ax.fill(xs, ys, facecolor=colour, alpha=shade, edgecolor=colour)


def _arrow(ax: "Axes", start: tuple, end: tuple, colour: str, bend: float = 0.0, **more: Any) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "connectionstyle": f"arc3,rad={bend}", "shrinkA": 2, "shrinkB": 2}
    ax.annotate("", end, start, arrowprops=style | {"linewidth": 1.6} | more)


def _canvas(width: float, height: float) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure  # half a second, and seldom needed

    figure = Figure(figsize=(width, height), layout="constrained")
    ax = figure.subplots()
    ax.set_axis_off()
    return figure, ax


def _pixels(figure: "Figure") -> Any:
    """The picture in few colours."""
    from PIL import Image as Pixels

    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=_DPI)
    return Pixels.open(png).convert("RGB").quantize(_COLOURS)


def _png(figure: "Figure", alt: str) -> Image:
    png = io.BytesIO()
    _pixels(figure).save(png, format="png", optimize=True)
    return Image(png.getvalue(), format="png", alt=alt)
