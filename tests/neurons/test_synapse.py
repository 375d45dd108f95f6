"""One synapse: the rules agree with what they are elsewhere, and pairs add up to what the traces say."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.neurons.stimuli import spikes_at
from workbench.neurons.synapse import (
    closeness,
    eprop_synapse,
    ottt_synapse,
    pair_contributions,
    run_synapse,
    signal_window,
    stdp_synapse,
    stllr_synapse,
)
from workbench.neurons.traces import Factors, eligibility
from workbench.neurons.windows import PairRule, stdp_by_traces

STEPS = 30
FACTORS = Factors(0.6, 0.8, -0.7, 0.9)
RULES = [
    stllr_synapse(FACTORS),
    ottt_synapse(0.9),
    eprop_synapse(0.9, 0.7),
    stdp_synapse(PairRule(1.0, 0.5, 10.0, 5.0)),
]


def inputs(seed: int) -> list[torch.Tensor]:
    torch.manual_seed(seed)
    x, z = ((torch.rand(STEPS) < 0.3).double() for _ in range(2))
    return [x, z, torch.rand(STEPS).double(), torch.randn(STEPS).double()]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from(RULES))
def test_all_pairs_add_up_to_the_last_weight(seed, rule):
    arguments = inputs(seed)
    pairs = pair_contributions(*arguments, rule)
    assert torch.allclose(pairs.sum(), run_synapse(*arguments, rule).weight[-1], atol=1e-12)


def test_one_pair_lies_at_its_place():
    x, z = spikes_at([10], STEPS), spikes_at([13], STEPS)
    signal = signal_window(STEPS, 15, 2, 2.0)
    pairs = pair_contributions(x, z, z, signal, eprop_synapse(0.5, 0.8))
    assert pairs.nonzero().tolist() == [[13, 10]]
    assert float(pairs[13, 10]) == pytest.approx(0.5**3 * (0.8**2 + 0.8**3) * 2.0)
    late = pair_contributions(z, x, x, signal_window(STEPS, 0, STEPS, 1.0), stllr_synapse(FACTORS))
    assert late.nonzero().tolist() == [[10, 13]]
    assert float(late.sum()) == pytest.approx(-0.7 * 0.6**3)


def test_stllr_is_the_eligibility_of_the_rule():
    x, z, psi, signal = inputs(0)
    run = run_synapse(x, z, psi, signal, stllr_synapse(FACTORS))
    expected = eligibility(x[:, None], psi[:, None], FACTORS)[:, 0, 0]
    assert torch.allclose(run.causal + run.non_causal, expected, atol=1e-12)
    assert torch.allclose(run.weight, (signal * expected).cumsum(0), atol=1e-12)


def test_pair_stdp_is_the_sum_of_pairs_whatever_the_signal():
    x, z, psi, signal = inputs(1)
    rule = PairRule(1.0, 0.5, 10.0, 5.0)
    run = run_synapse(x, z, psi, signal, stdp_synapse(rule))
    assert torch.allclose(run.weight, stdp_by_traces(x, z, rule), atol=1e-12)


def test_eprop_without_a_filter_is_ottt():
    arguments = inputs(2)
    for one, other in zip(
        run_synapse(*arguments, eprop_synapse(0.9, 0.0)), run_synapse(*arguments, ottt_synapse(0.9)), strict=True
    ):
        assert torch.equal(one, other)


def test_eprop_is_the_gradient_of_a_leaky_readout():
    """o[t] = κ o[t−1] + z[t] with z = ψ u linear: m ē is the exact gradient of Σ m o in the weight."""
    x, z, psi, signal = inputs(3)
    gamma, kappa = 0.9, 0.7
    w = torch.zeros((), dtype=torch.float64, requires_grad=True)
    u = o = torch.zeros((), dtype=torch.float64)
    loss = torch.zeros((), dtype=torch.float64)
    for t in range(STEPS):
        u = gamma * u + w * x[t]
        o = kappa * o + psi[t] * u
        loss = loss + signal[t] * o
    loss.backward()
    assert w.grad is not None
    assert torch.allclose(w.grad, run_synapse(x, z, psi, signal, eprop_synapse(gamma, kappa)).weight[-1])


def test_a_neuron_that_never_fires_is_never_close():
    assert not closeness(torch.zeros(5), 3.0).any()
    with pytest.raises(ValueError, match="width, in steps, must be a number above 0, got 0"):
        closeness(torch.zeros(5), 0.0)


def test_bad_decays_are_named():
    for make in (lambda: ottt_synapse(1.01), lambda: eprop_synapse(0.5, 1.5), lambda: stllr_synapse(Factors(1.2))):
        with pytest.raises(ValueError, match="decay per step"):
            make()
