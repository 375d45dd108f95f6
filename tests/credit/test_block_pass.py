"""The local pass of one block against autograd."""

import copy

import pytest
import torch
from few_blocks import images, with_local_heads
from torch import nn

from workbench.credit.block_pass import convolution, local_pass
from workbench.networks.blocks import conv_block, separable_block
from workbench.rules.lls import local_signal


@pytest.mark.parametrize(("side", "cells"), [(8, 2), (7, 2), (9, 4), (6, 1)])
@pytest.mark.parametrize("batch", [2, 130])
def test_pass_in_pieces_equals_autograd(side, cells, batch, monkeypatch):
    monkeypatch.setattr("workbench.credit.block_pass.PIECE_BYTES", 20_000)  # several pieces of unequal size
    torch.manual_seed(0)
    between = nn.Sequential(nn.MaxPool2d(2)) if cells > 1 else None
    block = conv_block(3, 5, cells, between).double().to(memory_format=torch.channels_last)
    for parameter in block.parameters():
        nn.init.normal_(parameter)
    other, x = copy.deepcopy(block), torch.randn(batch, 3, side, side, dtype=torch.double)
    z, following = local_pass(block, x)
    g = torch.randn_like(z)
    z.backward(g)
    a = other.features(x)
    expected = other.latents(a)
    expected.backward(g)
    assert torch.allclose(z, expected, atol=1e-12)
    assert torch.allclose(following, other.between(a), atol=1e-12)
    assert not following.requires_grad
    for ours, theirs in zip(block.parameters(), other.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, atol=1e-11 * batch)
    for ours, theirs in zip(block.buffers(), other.buffers(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-12)


def test_pass_of_other_blocks_goes_through_autograd():
    torch.manual_seed(0)
    for block in (separable_block(4, 6, 2, 1), conv_block(4, 6, 2, normalize=False), conv_block(4, 6, 2).eval()):
        x = torch.randn(3, 4, 8, 8)
        z, following = local_pass(block, x)
        z.sum().backward()
        assert all(parameter.grad is not None for parameter in block.parameters())
        assert not following.requires_grad


def test_batch_of_a_single_value_is_quoted():
    with pytest.raises(ValueError, match=r"more than one value per channel, got shape \(1, 5, 1, 1\)"):
        local_pass(conv_block(3, 5, 1), torch.zeros(1, 3, 1, 1))


def test_loss_of_a_block_reaches_no_block_before_it():
    net, (x, y) = with_local_heads(), images(side=16)
    first, second = net.blocks[:2]
    net.zero_grad()
    z, following = local_pass(first, x.requires_grad_())
    assert not following.requires_grad
    z, _ = local_pass(second, following)
    z.backward(local_signal(z.detach(), net.heads[1].basis, y).latents)
    assert x.grad is None
    assert all(parameter.grad is None for parameter in first.parameters())
    assert all(parameter.grad is not None for parameter in second.parameters())


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (1, lambda norm: norm.eval()),
        (1, lambda norm: nn.BatchNorm2d(6, affine=False)),
        (1, lambda norm: nn.BatchNorm2d(6, track_running_stats=False)),
        (1, lambda norm: nn.BatchNorm2d(6, momentum=None)),
        (0, lambda connection: nn.Conv2d(4, 6, 3, padding="same")),
    ],
    ids=["evaluated", "without weights", "without statistics", "cumulative statistics", "padding by name"],
)
def test_only_ordinary_blocks_are_taken_in_pieces(place, change):
    block = conv_block(4, 6, 2)
    assert convolution(block) is not None
    block.body[place] = change(block.body[place])
    assert convolution(block) is None
