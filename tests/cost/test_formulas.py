"""Costs by formula against counting by hand and against what is executed."""

import pytest
import torch

from workbench.cost.formulas import layer_sizes, mac_saving, memory_saving
from workbench.networks.architectures import sound_network, spiking_small_conv, vgg9
from workbench.rules import bptt, stllr


def test_sound_network_has_the_papers_size():
    sizes = layer_sizes(sound_network(), torch.zeros(1, 1, 700))
    assert [(size.neurons, size.macs) for size in sizes] == [(700, 0), (450, 450 * 1150), (20, 9000)]
    assert sum(size.macs for size in sizes) == 526_500


def test_vgg_on_gestures_is_four_times_the_papers_number():
    sizes = layer_sizes(vgg9(11), torch.zeros(1, 1, 2, 32, 32))
    bptt_macs, stllr_macs = bptt.cost(sizes, 20, 20).macs, stllr.cost(sizes, 20, 5).macs
    assert bptt_macs / 6.06e9 == pytest.approx(4.0, rel=0.01)
    assert bptt_macs / stllr_macs == pytest.approx(6.06 / 2.27, rel=0.01)


def test_savings_are_ratios_of_costs():
    sizes = layer_sizes(spiking_small_conv(5), torch.zeros(1, 1, 2, 28, 28))
    for steps, learning in ((20, 5), (10, 10), (100, 90)):
        for non_causal in (True, False):
            whole, local = bptt.cost(sizes, steps, steps), stllr.cost(sizes, steps, learning, non_causal)
            assert mac_saving(steps, learning, non_causal) == pytest.approx(whole.macs / local.macs)
            assert memory_saving(steps, non_causal) == pytest.approx(whole.memory / local.memory)


def test_region_where_stllr_costs_more():
    assert mac_saving(90, 60) == pytest.approx(1.0)
    assert mac_saving(90, 61) < 1.0 < mac_saving(90, 59)
    assert mac_saving(100, 90) == pytest.approx(200 / 270)
    with pytest.raises(ValueError, match=r"1\.\.5, got 6"):
        mac_saving(5, 6)
