"""Colours and the plotly template: legible on light and dark pages, and without colour vision.

Colours are Okabe and Ito's palette (jfly.uni-koeln.de/color, 2008), ordered by contrast on white and on dark grey. Each
line of a picture also has its own dash, each set of points its own marker and each bar its own hatching, so that colour
is never the only cue. The first six of a picture differ in both; from the seventh on colours come again with another
dash, marker or hatching, and after all pairs with another size, so that no two are ever the same.
"""

from typing import NamedTuple

# Okabe and Ito's colours
BLUE, VERMILLION, GREEN, PURPLE, SKY, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
GREY = "#7F7F7F"  # legible on white and on black
INK = "#444444"  # words inside pictures; the style sheet turns them on a dark page
FAINT = "rgba(127,127,127,0.25)"  # grid lines and what steps back
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, SKY, ORANGE)  # of the first, second, … thing in a picture
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")  # the second cue of lines, in the same order
MARKERS = ("circle", "x", "square", "triangle-up", "diamond", "cross")  # the second cue of points
HATCHES = ("", "/", "\\", "x", ".", "-")  # the second cue of areas


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
    """The style of the line number `index` of a picture: colour and dash both differ between any two near ones.

    >>> line(1), line(6)["color"] == line(0)["color"], line(6)["dash"]
    ({'color': '#D55E00', 'dash': 'dash', 'width': 2.0}, True, 'dash')
    """
    colour, second, round_ = _turn(index)
    return Line(COLOURS[colour], DASHES[second], 2.0 + 1.5 * round_)._asdict()


def marker(index: int) -> dict:
    """The style of the set of points number `index` of a picture: colour and symbol both differ.

    >>> marker(0)
    {'color': '#0072B2', 'symbol': 'circle', 'size': 8.0}
    """
    colour, second, round_ = _turn(index)
    return Marker(COLOURS[colour], MARKERS[second], 8.0 + 4.0 * round_)._asdict()


def filling(index: int) -> dict:
    """The marker of the bar number `index` of a picture: colour and hatching both differ.

    >>> filling(1)
    {'color': '#D55E00', 'pattern': {'shape': '/', 'size': 8.0}}
    """
    colour, second, round_ = _turn(index)
    if round_:  # a bar without hatching has no size of hatching to tell it from the first ones
        round_, second = divmod(index - len(COLOURS) * len(HATCHES), len(COLOURS) * (len(HATCHES) - 1))
        second, round_ = 1 + (second // len(COLOURS) + colour) % (len(HATCHES) - 1), round_ + 1
    return {"color": COLOURS[colour], "pattern": {"shape": HATCHES[second], "size": 8.0 + 4.0 * round_}}


def _turn(index: int) -> tuple[int, int, int]:
    """Place of the colour, of the second cue, and how often all pairs of the two have been used up before."""
    if index < 0:
        raise ValueError(f"a style has a number from 0 on, got {index!r}")
    turn, colour = divmod(index, len(COLOURS))
    return colour, (colour + turn) % len(COLOURS), turn // len(COLOURS)


def signs(negative: str, positive: str) -> list[list]:
    """A colour scale for numbers of both signs: the page, light or dark, shows through in the middle.

    >>> signs(BLUE, VERMILLION)[1:3]
    [[0.5, 'rgba(0,114,178,0)'], [0.5, 'rgba(213,94,0,0)']]
    """
    return [[0.0, negative], [0.5, _clear(negative)], [0.5, _clear(positive)], [1.0, positive]]


def more_and_less() -> list[list]:
    """The colour scale of all numbers of both signs: blue is more, vermillion is less."""
    return signs(VERMILLION, BLUE)


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
