"""Costs by formula against counting by hand and against what is executed."""

from functools import partial

import pytest
import torch

from workbench.cost.formulas import bptt_cost, layer_sizes, mac_saving, measure, memory_saving, stllr_cost
from workbench.networks.architectures import small_conv, sound_network, vgg9
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import psi_speech
from workbench.neurons.traces import Factors
from workbench.rules import bptt, stllr
from workbench.rules.stllr import STLLR


def test_sound_network_has_the_papers_size():
    sizes = layer_sizes(sound_network(), torch.zeros(1, 1, 700))
    assert [(size.neurons, size.macs) for size in sizes] == [(700, 0), (450, 450 * 1150), (20, 9000)]
    assert sum(size.macs for size in sizes) == 526_500


def test_vgg_on_gestures_is_four_times_the_papers_number():
    sizes = layer_sizes(vgg9(11), torch.zeros(1, 1, 2, 32, 32))
    bptt_macs, stllr_macs = bptt_cost(sizes, 20).macs, stllr_cost(sizes, 5).macs
    assert bptt_macs / 6.06e9 == pytest.approx(4.0, rel=0.01)
    assert bptt_macs / stllr_macs == pytest.approx(6.06 / 2.27, rel=0.01)


def test_savings_are_ratios_of_costs():
    sizes = layer_sizes(small_conv(5), torch.zeros(1, 1, 2, 28, 28))
    for steps, learning in ((20, 5), (10, 10), (100, 90)):
        for non_causal in (True, False):
            whole, local = bptt_cost(sizes, steps), stllr_cost(sizes, learning, non_causal)
            assert mac_saving(steps, learning, non_causal) == pytest.approx(whole.macs / local.macs)
            assert memory_saving(steps, non_causal) == pytest.approx(whole.memory / local.memory)


def test_region_where_stllr_costs_more():
    assert mac_saving(90, 60) == pytest.approx(1.0)
    assert mac_saving(90, 61) < 1.0 < mac_saving(90, 59)
    assert mac_saving(100, 90) == pytest.approx(200 / 270)
    with pytest.raises(ValueError, match=r"1\.\.5, got 6"):
        mac_saving(5, 6)


def test_measured_macs_of_dense_input_are_the_products_that_must_be_made():
    net = SpikingMLP([40, 30], 5, Neuron(0.9, 0.6), psi_speech)
    x, y = torch.ones(8, 3, 40), torch.zeros(3, dtype=torch.long)
    through_time = measure(bptt.gradients, net, x, y)
    first, last = 40 * 30 * 24, 30 * 5 * 24
    assert through_time.macs == 2 * first + 3 * last
    readout_dense = measure(partial(stllr.gradients, params=STLLR(Factors(0.0, 0.0, 0.0, 1.0))), net, x, y)
    assert readout_dense.macs <= through_time.macs


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
