"""Ends of axes hold all values and move seldom."""

import math
import random

import pytest

from widgets.drawing.ends import MARGIN, ROOM, standing_ends


def test_all_values_lie_within_and_fill_most_of_it():
    draw = random.Random(0)
    for _ in range(300):
        values = [draw.uniform(-1, 1) * 10 ** draw.uniform(-3, 3) for _ in range(3)]
        low, high = standing_ends(values)
        assert low < 0.0 < high
        assert low <= MARGIN * min(values)
        assert high >= MARGIN * max(values)
        reach = max(map(abs, values))
        assert max(-low, high) <= MARGIN * 2 * reach * (1 + 1e-12)


def test_they_stand_while_values_grow_a_little():
    ends = [standing_ends([0.0, 0.001 * k]) for k in range(1000, 2000)]
    assert len({tuple(each) for each in ends}) == 2


@pytest.mark.parametrize("values", [[], [0.0], [math.nan], [math.inf, 0.0]])
def test_without_a_size_there_is_still_an_axis(values):
    low, high = standing_ends(values)
    assert low < 0.0 < high


def test_a_side_that_is_nearly_empty_has_the_room_of_an_empty_one():
    low, high = standing_ends([0.5, 1.0])
    assert low == pytest.approx(-ROOM * high)
    assert standing_ends([-0.1, 1.0]) == [low, high]
