"""Blocks, their latents and their parameters."""

import pytest
import torch
from torch import nn

from workbench.networks.block_networks import mini_conv
from workbench.networks.blocks import conv_block, feature_shapes, parameter_groups
from workbench.networks.taken import take_blocks
from workbench.rules.lls import local_head, mixing


@pytest.mark.parametrize(("side", "cells"), [(8, 2), (9, 3), (8, 1)])
def test_averaging_spreads_the_signal_evenly_over_a_cell(side, cells):
    a = torch.randn(3, 4, side, side, dtype=torch.double, requires_grad=True)
    z = conv_block(1, 4, cells).latents(a)
    g = torch.randn_like(z)
    z.backward(g)
    parts = a.grad.unflatten(2, (cells, -1)).unflatten(4, (cells, -1))
    assert torch.allclose(parts.sum((3, 5)).flatten(1), g)
    assert parts.amax((3, 5)).equal(parts.amin((3, 5)))


def test_parameters_are_grouped_by_block():
    groups = parameter_groups(mini_conv(10, 1, local_head(10, modulation=mixing)))
    assert [len(group["params"]) for group in groups] == [5, 5, 5, 5, 2]


def test_shapes_of_blocks_whose_norms_keep_no_statistics():
    """Such a norm needs more than one sample, also in evaluation."""
    norm = nn.BatchNorm1d(5, track_running_stats=False)
    network = take_blocks(nn.Sequential(nn.Linear(3, 5), norm, nn.ReLU(), nn.Linear(5, 2)), (3,))
    assert feature_shapes(network, (3,)) == [torch.Size([5])]
