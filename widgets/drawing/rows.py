"""Pictures above one another in one figure with one common x axis, and the traces in them."""

from collections.abc import Sequence
from typing import Any

from workbench.language import say

GAP = 0.06  # of the figure's height, between two rows


def stacked_rows(titles: Sequence[str], shares: Sequence[float], x_title: str) -> dict:
    """The layout of `Fig` for one row per title, from the top; `shares` are their heights in proportion.

    Zooming or moving along x in one row does the same in all. `in_row(k)` places a trace. What is read off by the
    pointer is headed by the place on the x axis, in its words.

    >>> sorted(stacked_rows(["I", "u"], [1, 2], "time t (steps)"))
    ['xaxis', 'xaxis2', 'yaxis', 'yaxis2']
    """
    if len(titles) != len(shares) or not titles:
        raise ValueError(f"one share of the height for each row, got {list(titles)} and {list(shares)}")
    unit = (1.0 - GAP * (len(titles) - 1)) / sum(shares)
    layout, top = {}, 1.0
    for k, (title, share) in enumerate(zip(titles, shares, strict=True)):
        last = k == len(titles) - 1
        bottom = 0.0 if last else top - unit * share
        layout[f"xaxis{_number(k)}"] = _x_axis(k, last, x_title)
        layout[f"yaxis{_number(k)}"] = {
            "domain": [bottom, top],
            "anchor": f"x{_number(k)}",
            "title": {"text": title},
        }
        top = bottom - GAP
    return layout


def in_row(k: int) -> dict[str, str]:
    """The axes of row `k`, from 0 at the top, as part of a trace.

    >>> in_row(1)
    {'xaxis': 'x2', 'yaxis': 'y2'}
    """
    return {"xaxis": f"x{_number(k)}", "yaxis": f"y{_number(k)}"}


def curve(name: str, style: dict, hover: str, row: int = 0, **more: Any) -> dict:
    """A line for `Fig`, without points; `hover` says what a symbol means and its value there.

    >>> curve("u", {"dash": "dot"}, "membrane u = %{y}", row=1)["hovertemplate"]
    'membrane u = %{y}<extra></extra>'
    """
    template = f"{hover}<extra></extra>"
    return {"name": name, "mode": "lines", "line": style, "hovertemplate": template, **in_row(row), **more}


def dots(name: str, style: dict, hover: str, row: int = 0, **more: Any) -> dict:
    """Points for `Fig`, without a line."""
    template = f"{hover}<extra></extra>"
    return {"name": name, "mode": "markers", "marker": style, "hovertemplate": template, **in_row(row), **more}


def stems(name: str, colour: str, hover: str, row: int = 0, **more: Any) -> dict:
    """Points that stand on stems for `Fig`: spikes. Unlike bars they are drawn alone, without the whole figure."""
    stem = {"type": "percent", "symmetric": False, "value": 0, "valueminus": 100, "thickness": 3, "width": 0}
    return dots(name, {"color": colour, "size": 9}, hover, row, error_y=stem, **more)


def bars(name: str, colour: str, hover: str, row: int = 0, **more: Any) -> dict:
    """Bars for `Fig`, half a step wide."""
    bar = {"type": "bar", "width": 0.5, "marker": {"color": colour}}
    return {"name": name, "hovertemplate": f"{hover}<extra></extra>", **bar, **in_row(row), **more}


def number_table(highest: float, bar_title: str, hover: str, **more: Any) -> dict:
    """A heat map from 0 to `highest` with the text of each cell in it, for a few rows and columns."""
    bar = {"title": {"text": bar_title}, "thickness": 12}
    look = {"colorscale": "Cividis", "texttemplate": "%{text}", "xgap": 2, "ygap": 2, "colorbar": bar}
    return {"type": "heatmap", "zmin": 0, "zmax": highest, "hovertemplate": f"{hover}<extra></extra>", **look, **more}


def table_layout(x_title: str, y_title: str, height: int) -> dict:
    """The layout of a `number_table`: the first row on top."""
    return {
        "xaxis": {"title": {"text": x_title}, "showgrid": False},
        "yaxis": {"title": {"text": y_title}, "autorange": "reversed", "showgrid": False},
        "hovermode": "closest",
        "height": height,
        "margin": {"t": 12},
    }


def labelled_bar(name: str, k: int, look: dict, hover: str) -> dict:
    """The bar number `k` of a picture with one for each of a few names: its look (`theme.filling`), text above it."""
    return bars(
        name,
        "",
        hover,
        marker=look,
        x=[k],
        width=0.6,
        textposition="outside",
        constraintext="none",
        cliponaxis=False,
        showlegend=False,
    )


def _x_axis(k: int, last: bool, title: str) -> dict:
    heading = {"text": f"{say(title)}: %{{x}}"}
    axis: dict = {"anchor": f"y{_number(k)}", "showticklabels": last, "unifiedhovertitle": heading}
    if k:
        axis["matches"] = "x"
    if last:
        axis["title"] = {"text": title}
    return axis


def _number(k: int) -> str:
    return str(k + 1) if k else ""
