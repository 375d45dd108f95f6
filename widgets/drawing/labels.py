"""Labels at the ends of lines, in place of a legend: near their line and never on one another."""

import math
from collections.abc import Sequence


def spread(heights: Sequence[float], gap: float, low: float = -math.inf, high: float = math.inf) -> list[float]:
    """Heights at least `gap` apart in the same order, with the least sum of squared moves; equal ones keep their order.

    All lie from `low` to `high`. Raises ValueError where so many do not fit there.

    Pool adjacent violators (Barlow et al., Statistical Inference under Order Restrictions, 1972) on heights − k · gap.

    >>> spread([1.0, 1.0, 5.0], 1.0)
    [0.5, 1.5, 5.0]
    """
    most = high - (len(heights) - 1) * gap
    if most < low:
        raise ValueError(f"{len(heights)} labels that are {gap} apart do not fit between {low} and {high}")
    order = sorted(range(len(heights)), key=lambda k: heights[k])
    pools: list[list[float]] = []
    for rank, k in enumerate(order):
        pools.append([heights[k] - rank * gap])
        while len(pools) > 1 and _mean(pools[-2]) > _mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    found = [min(max(_mean(pool), low), most) for pool in pools for _ in pool]
    placed = dict(zip(order, (height + rank * gap for rank, height in enumerate(found)), strict=True))
    return [placed[k] for k in range(len(heights))]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
