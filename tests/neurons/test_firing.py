"""Rheobase and rates against the simulated neuron."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.neurons.firing import firing_rate, rate_curve, spike_intervals, threshold_current
from workbench.neurons.lif import Neuron, hard_reset, run_lif, soft_reset
from workbench.neurons.stimuli import constant_current

few = settings(max_examples=15, deadline=None)
neurons = st.builds(Neuron, st.floats(0.0, 0.9), st.floats(0.1, 2.0))


@few
@given(neurons)
def test_the_threshold_current_divides_silent_from_firing(neuron):
    edge = threshold_current(neuron)
    assert not run_lif(constant_current(200, 0.99 * edge), neuron).spikes.any()
    assert run_lif(constant_current(200, 1.01 * edge), neuron).spikes.any()


def test_a_neuron_that_forgets_nothing_fires_at_any_current():
    assert threshold_current(Neuron(1.0, 0.6)) == 0.0


@few
@given(neurons, st.floats(1.01, 20.0))
def test_hard_reset_fires_at_the_interval_of_the_closed_form(neuron, excess):
    current = excess * threshold_current(neuron)
    spikes = run_lif(constant_current(150, current), neuron, reset=hard_reset).spikes
    intervals = set(spike_intervals(spikes).tolist())
    reached = current * (1 - neuron.decay ** torch.arange(1.0, 151.0, dtype=torch.double)) / (1 - neuron.decay)
    first = int((reached > neuron.threshold * (1 + 1e-12)).nonzero()[0]) + 1
    assert intervals <= {first, first - 1}
    assert len(intervals) <= 1


def test_without_a_leak_the_soft_reset_passes_the_current_on():
    """Rate = I / v_th exactly, as nothing is lost; the hard reset throws the rest away."""
    neuron, currents = Neuron(1.0, 1.0), torch.tensor([0.0, 0.3, 0.7, 1.0], dtype=torch.double)
    assert torch.allclose(rate_curve(currents, neuron, soft_reset, 2000), currents, atol=1e-3)
    assert float(rate_curve(currents, neuron, hard_reset, 2000)[2]) == pytest.approx(0.5)


def test_the_curve_is_the_rate_of_each_current():
    currents = torch.linspace(0, 1, 7, dtype=torch.double)
    one_by_one = [firing_rate(run_lif(constant_current(100, float(c)), Neuron()).spikes) for c in currents]
    assert torch.equal(rate_curve(currents, Neuron()), torch.stack(one_by_one))


def test_intervals_of_few_spikes():
    assert spike_intervals(torch.zeros(4)).tolist() == spike_intervals(torch.tensor([0.0, 1.0])).tolist() == []
