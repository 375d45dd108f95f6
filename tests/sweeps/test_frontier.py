"""Who stands on the frontier, against all pairs, and what the picture holds."""

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweeps_cells import cell

from workbench.sweeps.frontier import HEIGHT, LINE, Point, _decades, _spread, _ticks, frontier, picture, points
from workbench.training import ACCURACY

POINTS = st.lists(st.builds(Point, st.just("a"), st.integers(1, 9), st.integers(1, 9), st.just(0.0)), max_size=12)
FOUND = [Point("S-TLLR <x>", 1.0, 80.0, 1.0), Point("BPTT", 10.0, 82.0, 0.5), Point("worse", 20.0, 70.0, 0.0)]


@given(POINTS, st.booleans())
def test_nobody_beats_a_point_of_the_frontier(found, more):
    def beats(one, other):
        better = one.mean >= other.mean if more else one.mean <= other.mean
        return better and one.cost <= other.cost and one[1:3] != other[1:3]

    front = frontier(found, more)
    assert {p[1:3] for p in front} == {p[1:3] for p in found if not any(beats(other, p) for other in found)}
    assert all(one.cost < other.cost for one, other in combinations(front, 2))


def test_points_come_from_cells():
    cells = [cell("stllr", 0, 0.8), cell("stllr", 1, 0.9), cell("bptt", 0, 0.7)]
    labels = {"bptt": "BPTT", "stllr": "S-TLLR", "eprop": "never run"}
    assert points(cells, "sound", 3, labels, "kept") == [
        Point("BPTT", pytest.approx(0.004), pytest.approx(70.0), 0.0),
        Point("S-TLLR", pytest.approx(0.004), pytest.approx(85.0), pytest.approx(50**0.5)),
    ]
    assert points(cells, "sound", 3, labels, "macs")[0].cost == pytest.approx(2.0)


def test_the_picture_has_every_rule_in_every_panel():
    svg = picture({"MB": FOUND, "millions": FOUND[:2]}, ACCURACY, "Events & more")
    root = ElementTree.fromstring(svg)
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [words.count(name) for name in ("S-TLLR <x>", "BPTT", "worse", "MB", "millions")] == [2, 2, 1, 1, 1]
    assert words[0] == "Events & more"
    assert words.count("accuracy, %") == 2
    classes = [element.get("class") for element in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert (classes.count("dot"), classes.count("off")) == (4, 1)
    assert svg == picture({"MB": FOUND, "millions": FOUND[:2]}, ACCURACY, "Events & more")
    assert not re.search(r"nan|inf", svg)


def test_a_single_point_can_be_drawn_and_none_cannot():
    ElementTree.fromstring(picture({"MB": FOUND[:1]}, ACCURACY, "one"))
    with pytest.raises(ValueError, match="there is no cell to draw"):
        picture({"MB": []}, ACCURACY, "none")


@given(st.lists(st.floats(0, HEIGHT), min_size=1, max_size=HEIGHT // LINE - 2))
def test_labels_do_not_touch(heights):
    placed = [height for _, height in _spread([(FOUND[0], height) for height in heights])]
    assert all(later - before >= LINE - 0.2 for before, later in pairwise(placed))
    assert placed[-1] <= HEIGHT
    assert placed[0] >= -LINE


@given(st.floats(-100, 100), st.floats(0.01, 1000))
def test_ticks_are_few_and_inside(low, width):
    ticks = _ticks(low, low + width)
    assert 3 <= len(ticks) <= 11
    assert all(low - 1e-5 <= tick <= low + width + 1e-5 for tick in ticks)


def test_decades_lie_between():
    assert _decades(0.2, 1.4) == [2, 5, 10, 20]
