"""Exercises of notebooks 04 and 06: the right answers against loops, the truth of the predictions, a right design."""

import pytest
import torch

from workbench.audit import angle_per_layer
from workbench.course.exercises.sequences import (
    ALPHA_ZERO,
    EPROP_EXACT,
    KEPT_TRACE,
    RECURRENT_TRACE,
    REMEMBER,
    SIGN,
    carried,
)
from workbench.networks import SpikingMLP
from workbench.neurons import Neuron
from workbench.rules import bptt, eprop


def test_the_recurrent_trace_against_a_loop():
    for z, decay in RECURRENT_TRACE.trials():
        expected = [sum(decay ** (t - 1 - k) * z[k] for k in range(t)) for t in range(len(z))]
        torch.testing.assert_close(RECURRENT_TRACE.right(z, decay), torch.tensor([float(each) for each in expected]))


def test_two_recordings_do_not_know_each_other():
    for first, second, psi, decay in KEPT_TRACE.trials():
        pairs = [
            sum(psi[t] * decay ** (t - k) * x[k] for t in range(len(x)) for k in range(t + 1)) for x in (first, second)
        ]
        torch.testing.assert_close(KEPT_TRACE.right(first, second, psi, decay), torch.stack(pairs))


def test_a_step_makes_the_loss_smaller():
    weight, target, x = torch.tensor(0.5), 2.0, torch.tensor(0.8)
    delta = weight * x - target  # of the loss ½ (w x − target)²
    after = SIGN.right(weight, delta, x, 0.1)
    assert (after * x - target).abs() < delta.abs()


def test_the_budget_needs_the_trace_that_can_be_dropped():
    assert REMEMBER.judge({"neurons": 280, "rule": "stllr", "alpha_post": 0}).right
    assert carried(280, "stllr", 0.5)["bytes"] - carried(280, "stllr", 0.0)["bytes"] == 4 * 280
    assert ALPHA_ZERO.lettered[ALPHA_ZERO.right[0]].text == "the trace of ψ, one number per neuron"


def test_eprop_is_exact_in_the_last_hidden_layer_only():
    torch.manual_seed(0)
    network = SpikingMLP([12, 10, 8], 3, Neuron(0.8, 0.4), readout_decay=0.8).double()
    x, y = (torch.rand(10, 6, 12) < 0.5).double(), torch.tensor([0, 1, 2, 0, 1, 2])
    first, last, *_ = angle_per_layer(network, x, y, eprop.gradients, bptt.gradients).values()
    assert last == pytest.approx(0, abs=1e-3)
    assert first > 1
    assert EPROP_EXACT.lettered[EPROP_EXACT.right[0]].text == "in the last hidden layer only"
