"""Exercises of notebook 01: the right answers against loops, the truth of the prediction, a design that is right."""

import pytest
import torch

from workbench.course.exercises.spikes import BELOW_THRESHOLD, EVERY_FOURTH, LIF, TRACE, later
from workbench.neurons import Neuron, run_lif


def test_the_trace_against_a_loop():
    for x, decay in TRACE.trials():
        expected = [sum(decay ** (t - k) * x[k] for k in range(t + 1)) for t in range(len(x))]
        torch.testing.assert_close(TRACE.right(x, decay), torch.stack(expected))


def test_the_neuron_against_a_loop():
    for current, decay, threshold in LIF.trials():
        rest, spikes = 0.0, []
        for now in current.tolist():
            u = decay * rest + now
            spikes.append(float(u > threshold))
            rest = u - threshold * spikes[-1]
        assert LIF.right(current, decay, threshold).tolist() == spikes
        assert sum(spikes) > 0 or current.max() < threshold


def test_the_weak_input_never_fires():
    assert run_lif(torch.full((300,), 0.28), Neuron(0.5, 0.6)).spikes.sum() == 0
    assert run_lif(torch.full((300,), 0.35), Neuron(0.5, 0.6)).spikes.sum() > 0  # a reason that is refused says so
    assert BELOW_THRESHOLD.lettered[BELOW_THRESHOLD.right[0]].text == "never"


@pytest.mark.parametrize("settings", [{"decay": 0.9, "threshold": 1.6, "bits": 4}])
def test_a_clock(settings):
    assert EVERY_FOURTH.judge(settings).right


def test_later():
    assert later(torch.tensor([1.0, 2.0])).tolist() == [0.0, 1.0]
