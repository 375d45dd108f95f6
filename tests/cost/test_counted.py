"""What is counted when a rule runs, against products counted by hand."""

from functools import partial

import pytest
import torch

from workbench.cost.counted import measure
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import psi_speech
from workbench.neurons.traces import Factors
from workbench.rules import bptt, eprop, stllr
from workbench.rules.stllr import STLLR


def test_measured_macs_of_dense_input_are_the_products_that_must_be_made():
    net = SpikingMLP([40, 30], 5, Neuron(0.9, 0.6), psi_speech)
    x, y = torch.ones(8, 3, 40), torch.zeros(3, dtype=torch.long)
    through_time = measure(bptt.gradients, net, x, y)
    first, last = 40 * 30 * 24, 30 * 5 * 24
    assert through_time.macs == 2 * first + 3 * last
    readout_dense = measure(partial(stllr.gradients, params=STLLR(Factors(0.0, 0.0, 0.0, 1.0))), net, x, y)
    assert readout_dense.macs <= through_time.macs


def test_eprop_makes_two_products_for_each_synapse_step_and_sample():
    """Also where the network is so large that other batches take compiled loops, which torch cannot count."""
    network = SpikingMLP([64, 96], 4, readout_decay=0.5, recurrent=True)
    x, y = torch.zeros(6, 40, 64), torch.zeros(40, dtype=torch.long)
    synapses = 96 * (64 + 1 + 96)
    readout, down = 4 * 97, 4 * 96
    counted = measure(eprop.gradients, network, x, y).macs
    assert counted == 6 * 40 * (2 * synapses + readout + down)


def test_silent_inputs_cost_nothing():
    net = SpikingMLP([400, 30], 5, Neuron(0.9, 0.6), psi_speech)
    y, macs = torch.zeros(3, dtype=torch.long), {}
    for rate in (0.0, 0.01, 0.05):
        x = (torch.rand(16, 3, 400, generator=torch.Generator().manual_seed(0)) < rate).float()
        macs[rate] = measure(stllr.gradients, net, x, y).macs
        assert measure(bptt.gradients, net, x, y).macs > 2 * 400 * 30 * 48
    assert macs[0.0] < macs[0.01] < macs[0.05] < 400 * 30 * 48


def test_state_does_not_grow_and_history_does():
    net = SpikingMLP([40, 30], 5, Neuron(0.9, 0.6), psi_speech)
    for rule, factor in ((stllr.gradients, 1.0), (bptt.gradients, 4.0)):
        short, long = (
            measure(rule, net, torch.ones(steps, 3, 40), torch.zeros(3, dtype=torch.long)) for steps in (16, 64)
        )
        assert long.state_bytes / short.state_bytes == factor
        assert long.saved_bytes / short.saved_bytes == pytest.approx(factor, rel=0.25)
