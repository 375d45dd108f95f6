"""Timing windows: formula, pairs and traces are three ways to one number."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.neurons.stimuli import spikes_at
from workbench.neurons.traces import Factors
from workbench.neurons.windows import (
    PairRule,
    change_by_pairs,
    change_by_traces,
    factors_of,
    stdp_by_traces,
    stdp_pair_sum,
    stdp_window,
    stllr_window,
    window_by_traces,
)

few = settings(max_examples=15, deadline=None)
STEPS = 60
decays, amplitudes = st.floats(0.0, 0.99), st.floats(-2.0, 2.0)
factors_ = st.builds(Factors, decays, decays, amplitudes, amplitudes)
rules = st.builds(PairRule, st.floats(0, 2), st.floats(0, 2), st.floats(1, 50), st.floats(1, 50))
times = st.lists(st.integers(0, STEPS - 1), min_size=1, max_size=4)


def whole(numbers):
    return torch.tensor(numbers, dtype=torch.long)


@few
@given(factors_, st.booleans())
def test_the_measured_window_is_the_formula(factors, released):
    lags = torch.arange(-20, 21)
    measured = window_by_traces(lags, factors, released)
    assert torch.allclose(measured, stllr_window(lags.double(), factors, released), atol=1e-12)


@few
@given(times, times, factors_, st.booleans())
def test_pairs_and_traces_agree_at_every_step(pre, post, factors, released):
    by_traces = change_by_traces(spikes_at(pre, STEPS), spikes_at(post, STEPS), factors, released)
    by_pairs = change_by_pairs(whole(pre), whole(post), STEPS, factors, released)
    assert torch.allclose(by_traces, by_pairs, atol=1e-10)


@few
@given(times, times, rules)
def test_pair_stdp_is_a_case_of_the_general_window(pre, post, rule):
    lags = torch.arange(-30.0, 31.0, dtype=torch.double)
    factors = factors_of(rule)
    assert torch.allclose(stllr_window(lags, factors), stdp_window(lags, rule), atol=1e-12)
    change = change_by_pairs(whole(pre), whole(post), STEPS, factors)
    assert float(change[-1]) == pytest.approx(float(stdp_pair_sum(whole(pre).double(), whole(post).double(), rule)))
    by_traces = stdp_by_traces(spikes_at(pre, STEPS), spikes_at(post, STEPS), rule)
    assert torch.allclose(change, by_traces, atol=1e-10)


def test_the_step_has_a_length():
    assert factors_of(PairRule(tau_plus=20.0), dt=2.0).lambda_pre == factors_of(PairRule(tau_plus=10.0)).lambda_pre
