"""Exercises of notebook 02: the right answers against sums over pairs, the truth of the prediction."""

import math

import torch

from workbench.course.exercises.timing import CAUSAL, SAME_MOMENT, STDP_ORDER, WINDOW


def test_the_window_number_by_number():
    for lags, tau in WINDOW.trials():
        expected = [(1 if lag >= 0 else -1) * math.exp(-abs(lag) / tau) for lag in lags.tolist()]
        torch.testing.assert_close(WINDOW.right(lags, tau), torch.tensor(expected))


def test_the_causal_half_as_a_sum_over_pairs():
    for x, psi, decay in CAUSAL.trials():
        pairs = [psi[t] * decay ** (t - k) * x[k] for t in range(len(x)) for k in range(t + 1)]
        torch.testing.assert_close(CAUSAL.right(x, psi, decay), sum(pairs))


def test_the_repaired_rule_as_a_sum_over_pairs():
    for pre, post, decay in STDP_ORDER.trials():
        steps = range(len(pre))
        pairs = [pre[a] * post[b] * (decay ** (b - a) if b >= a else -(decay ** (a - b))) for a in steps for b in steps]
        torch.testing.assert_close(STDP_ORDER.right(pre, post, decay), sum(pairs))


def test_twice_as_far():
    assert SAME_MOMENT.lettered[SAME_MOMENT.right[0]].text == f"{math.exp(-40 / 20):.2f}"
