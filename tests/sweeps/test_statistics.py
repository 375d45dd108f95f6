"""Means, deviations and tests, against SciPy and by hand."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.sweeps.statistics import paired, sign_flips, summary, t_two_sided

VALUES = st.lists(st.integers(-1000, 1000).map(lambda k: k / 1000), min_size=2, max_size=8)


@given(st.floats(-50, 50), st.integers(1, 60))
def test_the_probability_of_t_is_that_of_scipy(t, freedom):
    assert t_two_sided(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), abs=1e-12)


@given(VALUES, st.randoms())
def test_the_paired_test_is_that_of_scipy(first, random):
    second = [value + random.choice([-0.5, 0.25, 0.0, 0.125]) for value in first]
    found = paired(dict(enumerate(first)), dict(enumerate(second)))
    d = [a - b for a, b in zip(first, second, strict=True)]
    assert found.difference == pytest.approx(sum(d) / len(d))
    assert found.wins == sum(a > b for a, b in zip(first, second, strict=True))
    if found.deviation is not None and found.deviation > 1e-6:
        t, p = stats.ttest_rel(first, second)
        assert (found.t, found.p) == (pytest.approx(t), pytest.approx(p, abs=1e-9))
        assert found.effect == pytest.approx(t / math.sqrt(len(d)))


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=7))
def test_signs_are_counted_as_written_out(d):
    signed = [
        abs(sum(s * e for s, e in zip(signs, d, strict=True))) for signs in itertools.product((-1, 1), repeat=len(d))
    ]
    assert sign_flips(d) == sum(total >= abs(sum(d)) for total in signed) / 2 ** len(d)


def test_five_wins_of_five_are_one_sixteenth():
    assert sign_flips([0.1] * 5) == 1 / 16


def test_only_seeds_that_both_have_count():
    found = paired({0: 0.5, 1: 0.6, 7: 0.0}, {1: 0.5, 0: 0.5, 9: 1.0})
    assert (found.pairs, found.wins) == (2, 1)
    alone = paired({3: 0.5}, {3: 0.25})
    assert (alone.difference, alone.deviation, alone.t, alone.p, alone.p_signs) == (0.25, None, None, None, None)
    same = paired({0: 0.5, 1: 0.5}, {0: 0.5, 1: 0.5})
    assert (same.t, same.p, same.p_signs) == (None, None, 1.0)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="no seed was run under both"):
        paired({0: 1.0}, {1: 1.0})
    with pytest.raises(ValueError, match="there is no run to summarise"):
        summary([])
    with pytest.raises(ValueError, match="degrees of freedom must be at least 1, got 0"):
        t_two_sided(1.0, 0)
    with pytest.raises(ValueError, match="1 to 16 differences, got 17"):
        sign_flips([0.1] * 17)
    assert paired(dict.fromkeys(range(17), 1.0), dict.fromkeys(range(17), 0.5)).p_signs is None


def test_a_single_run_has_no_deviation():
    assert summary([0.25]) == (0.25, None, 1)
    assert summary([1.0, 2.0, 3.0]) == (2.0, 1.0, 3)
