"""Layers that keep less and compute the same."""

import pytest
import torch
from few_activations import EXACT, residual_free_network
from torch import nn

from workbench.compression.lance import compress
from workbench.compression.lean import FrozenNorm2d, SignReLU, pack_bits, unpack_bits
from workbench.meters.timeline import saved_bytes

pytestmark = pytest.mark.usefixtures("in_double_precision")


@pytest.mark.parametrize("size", [1, 7, 8, 9, 100])
def test_bits_survive_packing(size: int):
    mask = torch.rand(size) > 0.5
    assert pack_bits(mask).numel() == (size + 7) // 8
    assert torch.equal(unpack_bits(pack_bits(mask), mask.shape), mask)


@pytest.mark.parametrize("inplace", [False, True])
def test_sign_relu_is_relu(inplace: bool):
    x = torch.randn(3, 5, 7)
    x[0, 0, 0] = 0.0
    grad = torch.randn(3, 5, 7)
    results = []
    for relu in (nn.ReLU(), SignReLU(inplace)):
        leaf = x.clone().requires_grad_()
        y = relu(leaf * 1.0)
        results.append([y, *torch.autograd.grad(y, leaf, grad)])
    EXACT(results[0], results[1])
    assert saved_bytes(lambda: SignReLU(inplace)(x.clone().requires_grad_() * 1.0)) == (3 * 5 * 7 + 7) // 8


def test_frozen_norm_is_the_batch_norm_in_evaluation_mode():
    norm = nn.BatchNorm2d(4, affine=False)
    norm(torch.randn(8, 4, 5, 5) * 3 + 1)
    norm.eval()
    x = torch.randn(8, 4, 5, 5)
    EXACT(FrozenNorm2d(norm)(x), norm(x))
    with pytest.raises(ValueError, match="track_running_stats=False"):
        FrozenNorm2d(nn.BatchNorm2d(4, track_running_stats=False))


def test_a_trained_or_training_norm_is_left_alone():
    net, x = residual_free_network(), torch.randn(6, 3, 8, 8)
    net[1].requires_grad_(True)
    net[4].train()
    lance = compress(net, [x])
    assert isinstance(lance.get_submodule("1"), nn.BatchNorm2d)
    assert isinstance(lance.get_submodule("4"), nn.BatchNorm2d)
    assert isinstance(lance.get_submodule("7"), FrozenNorm2d)


def test_bits_lie_in_the_order_of_the_mask():
    mask = torch.zeros(24, dtype=torch.bool)
    for k in range(24):
        alone = mask.clone()
        alone[k] = True
        assert pack_bits(alone).tolist() == [(1 << k % 8) * (k // 8 == byte) for byte in range(3)]
    assert pack_bits(~mask).tolist() == [255] * 3
    assert unpack_bits(pack_bits(~mask), mask.shape).all()
