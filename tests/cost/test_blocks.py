"""Costs of the rules of blocks against the published ratios."""

import pytest
from torch import nn

from workbench.cost.blocks import backprop_macs, connection_macs, lls_macs
from workbench.networks.block_networks import small_conv, vgg8
from workbench.networks.taken import take_blocks


def test_published_ratios_of_signal_costs_and_the_fair_total():
    for make, classes, ratio in ((small_conv, 10, 271), (vgg8, 10, 3512), (vgg8, 100, 351)):
        net = make(classes, 3)
        ours, theirs = lls_macs(net, (3, 32, 32)), backprop_macs(net, (3, 32, 32))
        assert theirs.signal / ours.signal == pytest.approx(ratio, abs=0.5)
        assert 1.4 < theirs.total() / ours.total() < 1.5
    assert lls_macs(small_conv(10, 3), (3, 32, 32)).signal == 2 * 10 * (512 + 256 + 512 + 512)


def test_norms_that_keep_no_statistics_are_counted_too():
    layers = [nn.Linear(3, 5), nn.BatchNorm1d(5, track_running_stats=False), nn.ReLU(), nn.Linear(5, 2)]
    assert connection_macs(take_blocks(nn.Sequential(*layers), (3,)), (3,)) == [15, 10]
