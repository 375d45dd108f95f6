"""Colours and the plotly template: legible on light and dark pages, and without colour vision.

Colours are Okabe and Ito's palette (jfly.uni-koeln.de/color, 2008), ordered by contrast on white and on dark grey. Each
line of a picture also has its own dash, and each set of points its own marker, so that colour is never the only cue.
"""

from typing import NamedTuple

BLUE, VERMILLION, GREEN, PURPLE, SKY, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
GREY = "#7F7F7F"
FAINT = "rgba(127,127,127,0.25)"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, SKY, ORANGE)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = ("circle", "x", "square", "triangle-up", "diamond", "cross")


class Line(NamedTuple):
    """One plotly line: colour, dash and width in pixels; `Line(...)._asdict()` is what plotly takes."""

    color: str
    dash: str = "solid"
    width: float = 2.0


class Marker(NamedTuple):
    """One plotly marker: colour, symbol and size in pixels; `Marker(...)._asdict()` is what plotly takes."""

    color: str
    symbol: str = "circle"
    size: float = 8.0


def line(index: int) -> dict:
    """The style of the line number `index` of a picture (0 to 5): colour and dash both differ.

    >>> line(1)
    {'color': '#D55E00', 'dash': 'dash', 'width': 2.0}
    """
    _check_index(index)
    return Line(COLOURS[index], DASHES[index])._asdict()


def marker(index: int) -> dict:
    """The style of the set of points number `index` of a picture (0 to 5): colour and symbol both differ.

    >>> marker(0)
    {'color': '#0072B2', 'symbol': 'circle', 'size': 8.0}
    """
    _check_index(index)
    return Marker(COLOURS[index], MARKERS[index])._asdict()


def signs(negative: str, positive: str) -> list[list]:
    """A colour scale for numbers of both signs: the page, light or dark, shows through in the middle.

    >>> signs(BLUE, VERMILLION)[1:3]
    [[0.5, 'rgba(0,114,178,0)'], [0.5, 'rgba(213,94,0,0)']]
    """
    return [[0.0, negative], [0.5, _clear(negative)], [0.5, _clear(positive)], [1.0, positive]]


def _clear(colour: str) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},0)"


def template() -> dict:
    """The layout of every figure: transparent, mid-grey text, faint grid, legend above, small margins.

    Where the page defines JupyterLab's theme colours, a style sheet of `Fig` replaces the grey of the text by them.
    """
    axis = {
        "gridcolor": FAINT,
        "zerolinecolor": FAINT,
        "linecolor": GREY,
        "ticks": "outside",
        "tickcolor": FAINT,
        "automargin": True,
        "title": {"standoff": 8, "font": {"size": 14}},
    }
    return {
        "layout": {
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": GREY, "size": 13},
            "colorway": list(COLOURS),
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 56, "r": 16, "t": 36, "b": 48},
            "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0.0},
            "hovermode": "x unified",
            "hoverlabel": {"bgcolor": "#FFFFFF", "font": {"color": "#222222"}},
            "colorscale": {"sequential": "Cividis", "diverging": "RdBu"},
        }
    }


def _check_index(index: int) -> None:
    if not 0 <= index < len(COLOURS):
        raise ValueError(
            f"a picture has at most {len(COLOURS)} styles that can be told apart, got index {index!r}; "
            "show fewer curves or split the picture"
        )
