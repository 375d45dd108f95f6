"""Rows above one another: they fill the figure in the shares asked for, and share their x axis."""

from itertools import pairwise

import pytest

from widgets.drawing.figure import Fig
from widgets.drawing.rows import (
    GAP,
    bars,
    curve,
    dots,
    in_row,
    labelled_bar,
    number_table,
    stacked_rows,
    stems,
    table_layout,
)


@pytest.mark.parametrize("shares", [[1], [1, 2], [3, 1, 1], [0.5, 0.25, 1, 2]])
def test_rows_have_their_shares_and_fill_the_figure(shares):
    layout = stacked_rows([f"row {k}" for k in range(len(shares))], shares, "time")
    domains = [layout[f"yaxis{k + 1 if k else ''}"]["domain"] for k in range(len(shares))]
    assert domains[0][1] == 1.0
    assert domains[-1][0] == 0.0
    heights = [top - bottom for bottom, top in domains]
    assert [height / sum(heights) for height in heights] == pytest.approx([share / sum(shares) for share in shares])
    gaps = [above[0] - below[1] for above, below in pairwise(domains)]
    assert gaps == pytest.approx([GAP] * (len(shares) - 1))


def test_x_is_one_axis_named_below_the_last_row():
    layout = stacked_rows(["I", "u", "z"], [1, 1, 1], "time t (steps)")
    axes = [layout["xaxis"], layout["xaxis2"], layout["xaxis3"]]
    assert [axis.get("matches") for axis in axes] == [None, "x", "x"]
    assert [axis["showticklabels"] for axis in axes] == [False, False, True]
    assert [axis.get("title") for axis in axes] == [None, None, {"text": "time t (steps)"}]
    assert {axis["unifiedhovertitle"]["text"] for axis in axes} == {"time t (steps): %{x}"}
    assert [layout[f"yaxis{k}"]["title"]["text"] for k in ("", 2, 3)] == ["I", "u", "z"]


@pytest.mark.parametrize(("titles", "shares"), [([], []), (["a"], [1, 2]), (["a", "b"], [1])])
def test_one_share_for_each_row(titles, shares):
    with pytest.raises(ValueError, match="one share of the height for each row, got"):
        stacked_rows(titles, shares, "time")


@pytest.mark.parametrize("make", [curve, dots, bars, stems])
def test_a_trace_lies_in_its_row_and_hovers_with_its_words_only(make):
    trace = make("u", "#000000" if make in (bars, stems) else {}, "u = %{y}", 2, visible=False)
    assert trace["hovertemplate"] == "u = %{y}<extra></extra>"
    assert in_row(2).items() <= trace.items()
    assert trace["visible"] is False


def test_plotly_takes_all_of_them():
    bar = labelled_bar("a", 3, {"color": "#112233"}, "a: %{y}")
    traces = [curve("c", {"color": "#000000"}, "c"), dots("d", {"size": 3}, "d", 1), bars("b", "#123456", "b"), bar]
    figure = Fig(traces, stacked_rows(["one", "two"], [1, 1], "x"), alt="Four traces in two rows")
    assert [trace.yaxis for trace in figure.data] == ["y", "y2", "y", "y"]
    assert list(figure.data[3].x) == [3]
    assert figure.data[3].marker.color == "#112233"
    table = Fig([number_table(2.0, "share", "%{z}")], table_layout("x", "y", 200), alt="A table of numbers")
    assert (table.data[0].zmin, table.data[0].zmax) == (0, 2.0)
    assert table.layout.yaxis.autorange == "reversed"  # the first row on top
