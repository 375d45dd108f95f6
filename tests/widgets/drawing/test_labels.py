"""Labels keep their distance and move as little as they can."""

import random
from itertools import pairwise, product

import pytest

from widgets.drawing.labels import spread


def test_what_is_apart_stays():
    assert spread([3.0, 1.0, 2.0], 0.5) == [3.0, 1.0, 2.0]
    assert spread([], 1.0) == []


def test_what_is_close_moves_apart_around_its_mean():
    assert spread([0.0, 0.0, 0.0], 2.0) == [-2.0, 0.0, 2.0]
    assert spread([0.0, 0.4, 3.0], 1.0) == pytest.approx([-0.3, 0.7, 3.0])


def test_the_ends_hold():
    assert spread([0.0, 0.0, 9.0, 9.0], 2.0, 0.0, 9.0) == [0.0, 2.0, 7.0, 9.0]
    with pytest.raises(ValueError, match="3 labels that are"):
        spread([0.0, 0.0, 0.0], 2.0, 0.0, 3.0)


@pytest.mark.parametrize("seed", range(5))
def test_no_placement_on_a_grid_is_nearer(seed):
    """Brute force over all placements in tenths."""
    heights = [random.Random(seed).randrange(11) / 10 for _ in range(3)]
    placed = spread(heights, 0.3)
    order = sorted(range(3), key=lambda k: (heights[k], k))
    assert all(placed[b] - placed[a] > 0.3 - 1e-9 for a, b in pairwise(order))
    grid = [k / 10 - 0.5 for k in range(21)]
    fitting = (
        other for other in product(grid, repeat=3) if all(other[b] - other[a] > 0.3 - 1e-9 for a, b in pairwise(order))
    )
    best = min(sum((a - b) ** 2 for a, b in zip(other, heights, strict=True)) for other in fitting)
    assert sum((a - b) ** 2 for a, b in zip(placed, heights, strict=True)) <= best + 1e-9
