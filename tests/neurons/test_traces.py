"""Traces and timing windows: recursion, sum over pairs and closed form are three ways to one number."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.credit.eligibility import trace_after
from workbench.neurons.traces import (
    Factors,
    check_factors,
    check_spikes,
    decay_matrix,
    eligibility,
    post_trace,
    run_trace,
)
from workbench.neurons.windows import PairRule, stdp_by_traces, stdp_pair_sum, stdp_window, stllr_pair_sum, stllr_window

decays = st.floats(0.0, 0.99)
amplitudes = st.floats(-2.0, 2.0)


def activity(steps=30, neurons=4, rate=0.3, seed=0):
    return (torch.rand(steps, neurons, generator=torch.Generator().manual_seed(seed)) < rate).double()


@given(decays)
def test_constant_input_gives_the_geometric_sum(decay):
    trace = run_trace(torch.ones(12, dtype=torch.double), decay)
    assert float(trace[-1]) == pytest.approx((1 - decay**12) / (1 - decay))


@given(decays)
def test_three_ways_to_a_trace(decay):
    x = activity()
    recursion = run_trace(x, decay)
    assert torch.allclose(decay_matrix(30, decay, x) @ x, recursion, atol=1e-12)
    assert torch.allclose(trace_after(x, decay, torch.zeros(4, dtype=torch.double)), recursion[-1], atol=1e-12)
    expected = sum(decay ** (29 - k) * x[k] if 29 - k or decay else x[k] for k in range(30))
    assert torch.allclose(recursion[-1], expected, atol=1e-12)


def test_a_trace_goes_on_from_its_start():
    x = activity()
    first = run_trace(x[:11], 0.7)
    assert torch.allclose(run_trace(x[11:], 0.7, first[-1]), run_trace(x, 0.7)[11:])


def test_post_trace_excludes_the_present_and_the_forms_differ_by_one_decay():
    psi = activity()
    inclusive = run_trace(psi, 0.6)
    assert torch.allclose(post_trace(psi, 0.6), inclusive - psi, atol=1e-12)
    assert torch.equal(post_trace(psi, 0.6), 0.6 * post_trace(psi, 0.6, released=True))
    assert torch.equal(post_trace(psi, 0.0, released=True)[1:], psi[:-1])


@given(decays, decays, amplitudes, amplitudes, st.booleans())
def test_eligibility_sums_to_the_window_over_all_pairs(lambda_post, lambda_pre, alpha_post, alpha_pre, released):
    factors = Factors(lambda_post, lambda_pre, alpha_post, alpha_pre)
    x, psi = activity(seed=1), torch.rand(30, 3, dtype=torch.double, generator=torch.Generator().manual_seed(2))
    by_traces = eligibility(x, psi, factors, released).sum(0)
    assert torch.allclose(by_traces, stllr_pair_sum(x, psi, factors, released), atol=1e-10)


@settings(max_examples=30)
@given(st.floats(1, 100), st.floats(1, 100), st.floats(0, 2), st.floats(0, 2), st.integers(0, 1000))
def test_pair_rule_by_traces_equals_the_sum_over_pairs(tau_plus, tau_minus, a_plus, a_minus, seed):
    rule = PairRule(a_plus, a_minus, tau_plus, tau_minus)
    pre, post = activity(80, 1, 0.2, seed)[:, 0], activity(80, 1, 0.2, seed + 5000)[:, 0]
    times = [spikes.nonzero()[:, 0].double() for spikes in (pre, post)]
    total = stdp_by_traces(pre, post, rule)[-1]
    assert float(total) == pytest.approx(float(stdp_pair_sum(*times, rule)), abs=1e-6)


def test_steps_of_half_a_millisecond():
    pre, post = activity(80, 2, 0.2).unbind(1)
    times = [0.5 * spikes.nonzero()[:, 0].double() for spikes in (pre, post)]
    total = stdp_by_traces(pre, post, PairRule(), dt=0.5)[-1]
    assert float(total) == pytest.approx(float(stdp_pair_sum(*times, PairRule())), abs=1e-5)


def test_window_signs():
    lag = torch.tensor([-10.0, 0.0, 10.0])
    window = stdp_window(lag, PairRule(1.0, 0.5, 10.0, 20.0))
    assert window.tolist() == pytest.approx([-0.5 * 2.718281828**-0.5, 1.0, 2.718281828**-1])
    assert stdp_window(lag, PairRule(), potentiation=False)[1:].tolist() == [0, 0]
    assert stdp_window(lag, PairRule(), depression=False)[0] == 0


def test_minus_one_and_equal_decays_give_the_antisymmetric_window():
    lag = torch.arange(-6.0, 7.0, dtype=torch.double)
    window = stllr_window(lag, Factors(0.7, 0.7, -1.0, 1.0))
    expected = torch.where(lag >= 0, 0.7 ** lag.abs(), -(0.7 ** lag.abs()))
    assert torch.allclose(window, expected)
    x, psi = torch.zeros(13, 1, dtype=torch.double), torch.eye(13, dtype=torch.double)
    x[6] = 1.0  # one pre spike in the middle, one post neuron active at each step
    assert torch.allclose(eligibility(x, psi, Factors(0.7, 0.7, -1.0, 1.0)).sum(0)[:, 0], expected)


def test_released_window_forgets_one_step_less_before():
    lag = torch.tensor([-3.0, -2.0, -1.0])
    assert torch.allclose(stllr_window(lag, Factors(0.5), released=True), 2.0 * stllr_window(lag, Factors(0.5)))


@pytest.mark.parametrize("factors", [Factors(lambda_post=1.001), Factors(lambda_pre=-0.1), Factors(float("nan"))])
def test_decays_out_of_range_are_quoted(factors):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got"):
        check_factors(factors)


def test_swapping_before_and_after_moves_all_change_to_the_other_term():
    pre_first = torch.zeros(8, 1, dtype=torch.double)
    post_last = torch.zeros(8, 1, dtype=torch.double)
    pre_first[:3], post_last[5:] = 1.0, 1.0
    for x, psi, only in ((pre_first, post_last, "causal"), (pre_first.flip(0), post_last.flip(0), "non-causal")):
        causal = eligibility(x, psi, Factors(0.5, 0.5, 0.0, 1.0)).sum()
        non_causal = eligibility(x, psi, Factors(0.5, 0.5, 1.0, 0.0)).sum()
        assert (causal > 0) == (only == "causal")
        assert (non_causal > 0) == (only == "non-causal")


@pytest.mark.parametrize("x", [torch.tensor(1.0), torch.zeros(0, 3)], ids=["a number", "no step"])
def test_spikes_without_a_step_are_refused(x):
    with pytest.raises(ValueError, match="needs at least one step"):
        check_spikes(x, "pre")
