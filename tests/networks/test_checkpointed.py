"""Checkpointed blocks: the same gradients and running statistics, a fraction of the bytes."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.meters.kept import KeptBytes
from workbench.networks.block_networks import mini_conv
from workbench.networks.blocks import Block, BlockNetwork
from workbench.networks.checkpointed import checkpoint_blocks


def test_gradients_and_statistics_are_those_of_one_pass():
    plain = mini_conv(4).double()
    twice = checkpoint_blocks(deepcopy(plain))
    x, y = torch.rand(6, 1, 28, 28, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0, 1])
    kept = []
    for network in (plain, twice):
        with KeptBytes(*network.parameters(), x, y) as meter:
            F.cross_entropy(network(x), y).backward()
        kept.append(meter.peak)
    for (name, p), q in zip(plain.named_parameters(), twice.parameters(), strict=True):
        torch.testing.assert_close(q.grad, p.grad, msg=name)
    for (name, b), c in zip(plain.named_buffers(), twice.buffers(), strict=True):
        torch.testing.assert_close(c, b, msg=name)
    assert kept[1] < 0.7 * kept[0]


def test_dropout_would_draw_twice():
    block = Block(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)), 4)
    with pytest.raises(ValueError, match=r"block 0 has dropout"):
        checkpoint_blocks(BlockNetwork([block], nn.Linear(4, 2)))
