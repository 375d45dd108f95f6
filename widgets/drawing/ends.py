"""Ends of axes that stand while what is drawn changes a little: an axis that moves is drawn anew with its figure."""

import math
from collections.abc import Iterable

MARGIN = 1.04  # ends are 1.5 times a power of two: the starts of our panels do not lie close below one
ROOM = 0.125  # of the longer side, on the other one


def standing_ends(values: Iterable[float]) -> list[float]:
    """Both ends of a linear axis with 0 on it and all these values within; some room beyond 0 on either side.

    >>> standing_ends([0.0, 1.05]) == standing_ends([0.2, 1.4])
    True
    >>> [round(end, 2) for end in standing_ends([-0.5, 1.05])]
    [-0.75, 1.5]
    """
    found = [value for value in values if math.isfinite(value)]
    low, high = _end(-min(found, default=0.0)), _end(max(found, default=0.0))
    room = ROOM * max(low, high, 1e-12)
    return [-max(low, room), max(high, room)]


def _end(size: float) -> float:
    """1.5 times a power of two, at least `size` and its margin; 0 for nothing."""
    if size <= 0.0:
        return 0.0
    return 1.5 * 2.0 ** math.ceil(math.log2(MARGIN * size / 1.5))
