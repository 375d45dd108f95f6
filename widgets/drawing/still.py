"""The still picture of a panel, for places that cannot show a widget: nbviewer, GitHub, a PDF, a printed page.

It is drawn with matplotlib from the traces that a figure holds at that moment: lines, points, bars and heat maps, which
is all that the workbench's panels use. Equations are written out as text.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from widgets.drawing.figure import Fig
from widgets.drawing.formula import Formula
from widgets.drawing.raster import Raster
from widgets.drawing.theme import GREY
from workbench.language import say

_DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-.", "longdash": "--", "longdashdot": "-."}
_MARKERS = {"circle": "o", "x": "x", "square": "s", "triangle-up": "^", "diamond": "D", "cross": "P", "line-ns": "|"}
_WIDTH, _ROW, _DPI = 7.0, 2.3, 72  # inches, inches for each pair of axes, dots per inch
_COLOURS = 64  # a third of the bytes of all colours, and the eye sees no difference
_POINTS = 0.75  # of a pixel
_FEW = 10  # rows of a heat map that fit the height of a pair of axes
_LABELS = 5  # labels beside their points that fit it with the room between them that the figure gives
_LINE, _HANDLE = 92, 7  # characters of a line of the legend, and as how many the mark of an entry counts


class Drawing(NamedTuple):
    """A function that draws into a pair of axes, its height in those of usual ones, and whose x axis it shares."""

    draw: Callable[[Any], None]
    share: float
    along: tuple[int, str] | None = None
    ends: tuple[float, float] | None = None  # of its x axis, where the figure says them


def still_picture(pictures: Sequence[Fig | Raster | Formula]) -> bytes:
    """A PNG of the pictures below one another, a pair of axes for each subplot. Takes 0.1 s after the import."""
    from matplotlib.figure import Figure  # half a second, and seldom needed
    from PIL import Image  # matplotlib writes its own pictures with it

    drawings = [drawing for picture in pictures for drawing in _drawings(picture)]
    shares = [drawing.share for drawing in drawings]
    figure = Figure(figsize=(_WIDTH, _ROW * max(sum(shares), 1)), layout="constrained")
    if drawings:
        axes = list(np.atleast_1d(figure.subplots(len(drawings), height_ratios=shares)))
        for ax, drawing in zip(axes, drawings, strict=True):
            drawing.draw(ax)
        _line_up(axes, drawings)
    picture, png = io.BytesIO(), io.BytesIO()
    figure.savefig(picture, format="png", dpi=_DPI)
    few = Image.open(picture).convert("RGB").quantize(_COLOURS, Image.Quantize.MAXCOVERAGE)  # keeps what is rare
    few.save(png, format="png", optimize=True)
    return png.getvalue()


def _line_up(axes: Sequence[Any], drawings: Sequence[Drawing]) -> None:
    """One x axis for those that share one: the one that the figure says, or one that shows all."""
    for along in {drawing.along for drawing in drawings if drawing.along}:
        both = [(ax, drawing) for ax, drawing in zip(axes, drawings, strict=True) if drawing.along == along]
        said = [drawing.ends for _, drawing in both if drawing.ends]
        lows, highs = zip(*(ax.get_xlim() for ax, _ in both), strict=True)
        for ax, _ in both:
            ax.set_xlim(said[0] if said else (min(lows), max(highs)))


def _drawings(picture: Fig | Raster | Formula) -> list[Drawing]:
    """One for each pair of axes."""
    if isinstance(picture, Formula):
        return [Drawing(lambda ax: _write(ax, picture.plain), 0.12 * max(len(picture.plain), 1))]
    if isinstance(picture, Raster):
        return [Drawing(lambda ax: _draw_raster(ax, picture), 1.0)]
    fig: Fig = picture
    shown = [trace for trace in fig.data if trace.visible is not False] or fig.data[:1]
    names = list(dict.fromkeys(trace.xaxis or "x" for trace in shown))
    return [
        Drawing(
            lambda ax, name=name: _draw_axes(ax, fig, name),
            _share(fig, name),
            (id(fig), _x_axis(fig, name).matches or name),
            _range(_x_axis(fig, name)),
        )
        for name in names
    ]


def _x_axis(fig: Fig, name: str) -> Any:
    return fig.layout[f"xaxis{name.removeprefix('x')}"]


def _range(axis: Any) -> tuple[float, float] | None:
    """The ends of a plotly axis in the units of its data, where they are said; the lower first."""
    if axis.range is None or axis.type not in (None, "-", "linear", "log"):
        return None
    low, high = sorted(float(end) for end in axis.range)
    return (10.0**low, 10.0**high) if axis.type == "log" else (low, high)


def _share(fig: Fig, name: str) -> float:
    """The height of a pair of axes: more for a heat map of many rows, and for labels of many lines."""
    maps = [t for t in fig.data if t.type == "heatmap" and t.z is not None and (t.xaxis or "x") == name]
    rows = max((len(trace.z) for trace in maps if trace.zmin is not None and trace.texttemplate), default=0)
    beside = next(trace.yaxis or "y" for trace in fig.data if (trace.xaxis or "x") == name)
    labels = fig.layout[f"yaxis{beside.removeprefix('y')}"].ticktext or ()
    words = [trace.text for trace in fig.data if trace.type == "scatter" and trace.mode == "text"]
    beside_points = max((len(text) for text in words if text is not None), default=0)
    lines = sum(1 + label.count("<br>") for label in labels)
    return max(1.0, rows / _FEW, lines / _FEW, beside_points / _LABELS)


def _write(ax: Any, lines: Sequence[str]) -> None:
    ax.set_axis_off()
    ax.text(0.0, 1.0, "\n".join(lines), va="top", family="serif", transform=ax.transAxes)


def _draw_axes(ax: Any, fig: Fig, name: str) -> None:
    from matplotlib.ticker import EngFormatter

    traces = [t for t in fig.data if (t.xaxis or "x") == name]
    traces = [t for t in traces if t.visible is not False] or traces[:1]
    horizontal = _x_axis(fig, name)
    vertical = fig.layout[f"yaxis{(traces[0].yaxis or 'y').removeprefix('y')}"]
    ax.set_xlabel(_title(horizontal))
    ax.set_ylabel(_title(vertical))
    ax.grid(alpha=0.25)
    if not any(_has_data(trace) for trace in traces if trace.visible is not False):
        ax.set(xticks=[], yticks=[])
        ax.text(0.5, 0.5, say("nothing drawn yet"), ha="center", va="center", color=GREY, transform=ax.transAxes)
        return
    for trace in traces:
        _draw_trace(ax, trace)
    for axis, scale in ((horizontal, ax.set_xscale), (vertical, ax.set_yscale)):
        if axis.type == "log":
            scale("log")
            (ax.xaxis if axis is horizontal else ax.yaxis).set_minor_formatter("")
        if axis.exponentformat == "SI":
            (ax.xaxis if axis is horizontal else ax.yaxis).set_major_formatter(EngFormatter(sep=""))
    _set_ticks(ax.set_xticks, horizontal)
    _set_ticks(ax.set_yticks, vertical, "\n")
    for ends, set_ends in ((_range(horizontal), ax.set_xlim), (_range(vertical), ax.set_ylim)):
        if ends is not None:
            set_ends(ends)
    if vertical.autorange == "reversed" or (vertical.range is not None and vertical.range[0] > vertical.range[1]):
        ax.invert_yaxis()
    handles, labels = ax.get_legend_handles_labels()
    entries = dict(zip(reversed(labels), reversed(handles), strict=True))  # of two with one name the first is told
    told = list(dict.fromkeys(labels))
    columns = max(_LINE // (_HANDLE + max(map(len, told), default=0)), 1)
    legend: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": columns, "frameon": False}
    if vertical.scaleanchor == name:  # a circle stays one; there is room beside it
        ax.set_aspect("equal")
        legend = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5)}
    if told:
        ax.legend([entries[label] for label in told], told, fontsize="small", borderaxespad=0.2, **legend)


def _has_data(trace: Any) -> bool:
    values = trace.z if trace.type == "heatmap" else trace.y
    return values is not None and not np.all(np.isnan(np.asarray(values, dtype=float)))


def _set_ticks(set_ticks: Any, axis: Any, between: str = " ") -> None:
    """The ticks of a plotly axis that names them or has none; matplotlib's own choice otherwise."""
    if axis.showticklabels is False:
        set_ticks([])
    elif axis.tickvals is not None and axis.ticktext is not None:
        set_ticks(list(axis.tickvals), [text.replace("<br>", between) for text in axis.ticktext], fontsize="small")


def _counts_from_one(trace: Any) -> bool:
    """Whether the cells of a heat map stand at 1, 2, 3, …"""
    return all(axis is not None and list(axis) == list(range(1, len(axis) + 1)) for axis in (trace.x, trace.y))


def _title(axis: Any) -> str:
    """The title of a plotly axis in a line; none where it is there for those who hear the page read only."""
    unseen = str(axis.title.font.color or "").replace(" ", "").endswith(",0)")
    return "" if unseen else (axis.title.text or "").replace("<br>", " ")


def _draw_trace(ax: Any, trace: Any) -> None:
    shown = trace.name if trace.showlegend is not False and _has_data(trace) else None
    label = shown or "_"
    if trace.type == "heatmap":
        _draw_heat_map(ax, trace)
        return
    if trace.opacity == 0.0:
        return  # there to be read off by the pointer only
    y = np.asarray([] if trace.y is None else trace.y)
    x = np.arange(len(y)) if trace.x is None else np.asarray(trace.x)
    if trace.type == "bar":
        ax.bar(x, y.astype(float), label=label, color=_colour(trace.marker.color))
        return
    mode = trace.mode or "lines"
    if "lines" in mode:
        style = _DASHES.get(trace.line.dash or "solid", "-")
        step = "steps-post" if trace.line.shape == "hv" else "default"
        width = _POINTS * (trace.line.width or 2.0)
        ax.plot(x, y, style, label=label, color=_colour(trace.line.color), drawstyle=step, linewidth=width)
    if "markers" in mode:
        _draw_errors(ax, trace, x, y)
        colours, symbols = trace.marker.color, trace.marker.symbol
        if isinstance(colours, tuple | list) and len(colours) == len(y):
            each = symbols if isinstance(symbols, tuple | list) else [symbols] * len(y)
            there = [k for k in range(len(y)) if x[k] is not None and y[k] is not None]
            for k, colour, symbol in ((k, colours[k], each[k]) for k in there):
                look = {"color": _colour(colour), "label": label if k == there[0] else "_", "zorder": 3}
                ax.plot(x[k], y[k], _symbol(symbol), **look)
        else:
            fill = "none" if str(symbols).endswith("-open") else "full"
            named = "_" if "lines" in mode else label
            ax.plot(x, y, _symbol(symbols), label=named, color=_colour(colours), fillstyle=fill)
    if mode == "text":
        for where, height, words in zip(x, y, trace.text if trace.text is not None else (), strict=False):
            ax.text(where, height, f" {words}", fontsize="small", va="center")


def _symbol(symbol: Any) -> str:
    return _MARKERS.get(str(symbol or "circle").removesuffix("-open"), "o")


def _draw_errors(ax: Any, trace: Any, x: np.ndarray, y: np.ndarray) -> None:
    """Stems down to 0, and bars to both sides of a point."""
    if trace.error_y.type == "percent" and trace.error_y.valueminus == 100:
        ax.vlines(x, 0.0, y, color=_colour(trace.marker.color), linewidth=2.0)
    for error, lines, at, middle in ((trace.error_x, ax.hlines, y, x), (trace.error_y, ax.vlines, x, y)):
        if error.type == "data" and error.array is not None and len(error.array) == len(y):
            wide = np.asarray(error.array, dtype=float)
            lines(at, middle - wide, middle + wide, color=_colour(error.color), linewidth=1.5)


def _draw_heat_map(ax: Any, trace: Any) -> None:
    z = np.asarray(trace.z, dtype=float)
    place = {"extent": (0.5, z.shape[1] + 0.5, 0.5, z.shape[0] + 0.5)} if _counts_from_one(trace) else {}
    lowest, highest = trace.zmin, trace.zmax
    if trace.zmid is not None and lowest is None:
        reach = float(np.nanmax(np.abs(z - trace.zmid), initial=0.0)) or 1.0
        lowest, highest = trace.zmid - reach, trace.zmid + reach
    scale = {"cmap": _scale(trace.colorscale), "vmin": lowest, "vmax": highest}
    ax.imshow(z, aspect="auto", origin="lower", **scale, **place)


def _scale(colours: Any) -> Any:
    """matplotlib's form of a plotly colour scale; the theme's own where there is none."""
    from matplotlib.colors import LinearSegmentedColormap

    if colours is None:
        return "cividis"
    return LinearSegmentedColormap.from_list("scale", [(place, _rgba(colour)) for place, colour in colours])


def _rgba(colour: str) -> Any:
    """A colour of a plotly scale: "#rrggbb", or "rgb(…)" and "rgba(…)" in the units of CSS."""
    if not colour.startswith("rgb"):
        return colour
    red, green, blue, *opacity = (float(number) for number in colour[colour.index("(") + 1 : -1].split(","))
    return red / 255, green / 255, blue / 255, *(opacity or (1.0,))


def _colour(colour: Any) -> Any:
    """matplotlib's form of a plotly colour; what is none becomes grey."""
    return _rgba(colour) if isinstance(colour, str) else GREY


def _draw_raster(ax: Any, raster: Raster) -> None:
    ax.imshow(raster.image(), aspect="auto", interpolation="nearest")
    ax.set_xlabel(raster.x_label)
    ax.set_ylabel(raster.y_label)
