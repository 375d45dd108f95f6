"""What several seeds say: mean and deviation, and whether one rule beats another on the same seeds.

With d the differences of two rules seed by seed, n of them, mean m and standard deviation s (of n − 1):

    t = m √n / s        paired t test (Student 1908), ν = n − 1; its p is exact for whole ν: Abramowitz and Stegun 1964,
                        26.7.3 and 26.7.4
    p of signs          share of the 2ⁿ ways to choose signs of d whose |mean| is at least |m| (Fisher 1935); assumes
                        nothing of d but symmetry around 0 if the rules are equal. With five seeds 1/16 at the least
    effect = m / s      Cohen's d of paired samples; above 0.8 it is called large
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

MOST_SIGNS = 16  # differences of which all signs are tried


class Summary(NamedTuple):
    """Mean and standard deviation (of n − 1; None for one run) of so many runs."""

    mean: float
    deviation: float | None
    runs: int


class Paired(NamedTuple):
    """One rule less another on the seeds that both have: see above. None where there are too few pairs, too many for
    all signs, or no spread. wins: pairs in which the first is larger."""

    difference: float
    deviation: float | None
    pairs: int
    wins: int
    effect: float | None
    t: float | None
    p: float | None
    p_signs: float | None


def summary(values: Sequence[float]) -> Summary:
    """Of at least one run.

    >>> summary([1.0, 2.0, 3.0])
    Summary(mean=2.0, deviation=1.0, runs=3)
    """
    if not values:
        raise ValueError("there is no run to summarise; sweep at least one seed")
    return Summary(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None, len(values))


def paired(first: Mapping[int, float], second: Mapping[int, float]) -> Paired:
    """Compare two rules by their values under each seed; ValueError where they have no seed in common.

    >>> found = paired({0: 0.9, 1: 0.8, 2: 0.9}, {0: 0.8, 1: 0.75, 2: 0.7})
    >>> found.wins, round(found.p, 3), found.p_signs
    (3, 0.118, 0.25)
    """
    d = [first[seed] - second[seed] for seed in sorted(first) if seed in second]
    if not d:
        raise ValueError(f"no seed was run under both: {sorted(first)} and {sorted(second)}; sweep both with the same")
    mean, n = statistics.fmean(d), len(d)
    spread = statistics.stdev(d) if n > 1 else None
    effect = mean / spread if spread else None
    t = None if effect is None else effect * math.sqrt(n)
    p = None if t is None else t_two_sided(t, n - 1)
    wins = sum(each > 0 for each in d)
    return Paired(mean, spread, n, wins, effect, t, p, sign_flips(d) if 1 < n <= MOST_SIGNS else None)


def t_two_sided(t: float, freedom: int) -> float:
    """Probability of a |t| at least as large, with so many whole degrees of freedom.

    >>> round(t_two_sided(2.776445, 4), 6)
    0.05
    """
    if freedom < 1:
        raise ValueError(f"degrees of freedom must be at least 1, got {freedom}")
    theta = math.atan(abs(t) / math.sqrt(freedom))
    odd, cosine = freedom % 2, math.cos(theta)
    term, total = (cosine if odd else 1.0), 0.0
    for k in range(freedom // 2):
        total += term
        term *= cosine**2 * (2 * k + 1 + odd) / (2 * k + 2 + odd)
    inside = 2.0 / math.pi * (theta + math.sin(theta) * total) if odd else math.sin(theta) * total
    return max(0.0, 1.0 - inside)


def sign_flips(d: Sequence[float]) -> float:
    """Share of all choices of signs whose |mean| is at least that of d, d itself among them.

    >>> sign_flips([0.1, 0.2, 0.3])
    0.25
    """
    if not 1 <= len(d) <= MOST_SIGNS:
        raise ValueError(f"all signs are tried of 1 to {MOST_SIGNS} differences, got {len(d)}")
    least = abs(sum(d)) - 1e-12 * sum(map(abs, d))
    flipped = (
        abs(sum(sign * each for sign, each in zip(signs, d, strict=True))) for signs in product((1, -1), repeat=len(d))
    )
    return sum(total >= least for total in flipped) / 2 ** len(d)
