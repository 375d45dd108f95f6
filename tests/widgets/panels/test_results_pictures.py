"""Rows and axes of the claims, the frontier and its labels."""

import math

import pytest
from house import drawn

from widgets.panels.results_pictures import (
    HOURS,
    POINTS,
    RATIO,
    ShownRow,
    claims_figure,
    draw_claims,
    draw_frontier,
    ends,
    frontier_figure,
    wrapped,
)
from workbench.sweeps.frontier import Point, frontier

ROW = ShownRow("ahead of it", "stllr", "missed", (1.0, 3.0), 2.0, 1.4, (5.0,), 4.0, None, "told", "on")


@pytest.mark.parametrize(
    ("rows", "kind"), [([], POINTS), ([], RATIO), ([], HOURS), ([ROW], POINTS), ([ROW], RATIO), ([ROW], HOURS)]
)
def test_ends_hold_every_number(rows, kind):
    low, high = ends(rows, kind)
    assert low < high
    assert kind == POINTS or low > 0
    for row in rows:
        known = [*row.values, *row.reported, row.mean, row.low]
        assert low < min(known)
        assert max(known) < high


def test_a_row_with_one_end_has_a_band_to_the_edge():
    figure = claims_figure()
    draw_claims(figure, [ROW, ROW._replace(low=None, high=None), ROW._replace(low=-1.0, high=1.0)], POINTS, True)
    band = figure.data[0]
    low, high = figure.layout.xaxis.range
    assert list(band.x) == [4.0, high, None, -1.0, 1.0, None]
    assert list(band.y) == [0, 0, None, 2, 2, None]
    assert low < -1.0
    assert figure.layout.yaxis.ticktext[0] == "✗ ahead of it"
    assert figure.data[1].visible is True
    draw_claims(figure, [ROW], RATIO, False)
    assert figure.data[1].visible is False
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.range[0] < math.log10(1.0) < math.log10(5.0) < figure.layout.xaxis.range[1]


def test_claims_are_broken_into_lines():
    words = "at most 1.5 points behind backpropagation on events, one wide layer"
    assert wrapped(words).replace("<br>", " ") == words
    assert max(map(len, wrapped(words).split("<br>"))) <= 30


def test_the_frontier_goes_through_those_that_no_other_one_beats():
    points = [Point("a", 1.0, 50.0, 1.0), Point("b", 10.0, 49.9, 0.0), Point("c", 100.0, 60.0, 2.0)]
    figure = frontier_figure(3)
    draw_frontier(figure, points, ["stllr", "bptt", "ewc"], frontier(points), "kept (MB)")
    x, y = drawn(figure, "frontier")
    assert (list(x), list(y)) == ([1.0, 100.0], [50.0, 60.0])
    assert list(figure.data[3].text) == ["a", "b", "c"]
    assert figure.data[2].text[0] == "a: 50.0 ± 1.0 for 1"
    low, high = figure.layout.yaxis.range
    assert low < 49.0
    assert high > 62.0


def test_one_rule_alone_has_a_picture_too():
    figure, point = frontier_figure(1), Point("a", 1.0, 50.0, 0.0)
    draw_frontier(figure, [point], ["stllr"], [point], "kept (MB)")
    low, high = figure.layout.yaxis.range
    assert low < 50.0 < high
