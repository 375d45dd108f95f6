"""Costs of the rules of blocks against the published ratios."""

import pytest

from workbench.cost.blocks import backprop_macs, lls_macs
from workbench.networks.block_networks import small_conv, vgg8


def test_published_ratios_of_signal_costs_and_the_fair_total():
    for make, classes, ratio in ((small_conv, 10, 271), (vgg8, 10, 3512), (vgg8, 100, 351)):
        net = make(classes, 3)
        ours, theirs = lls_macs(net, (3, 32, 32)), backprop_macs(net, (3, 32, 32))
        assert theirs.signal / ours.signal == pytest.approx(ratio, abs=0.5)
        assert 1.4 < theirs.total() / ours.total() < 1.5
    assert lls_macs(small_conv(10, 3), (3, 32, 32)).signal == 2 * 10 * (512 + 256 + 512 + 512)
