"""The weight gradient over patches against autograd."""

from importlib import import_module

import pytest
import torch
from torch import nn

from workbench.kernels.weight_gradient import patches, weight_gradient

module = import_module("workbench.kernels.weight_gradient")  # the face gives the function of this name


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "PATCH_BYTES", 40_000)  # several pieces of unequal size
    monkeypatch.setattr(module, "FEWEST_COLUMNS", 1)


CONVOLUTIONS = {
    "3 x 3": {"kernel_size": 3, "padding": 1},
    "stride": {"kernel_size": 3, "padding": 1, "stride": 2},
    "dilation": {"kernel_size": 3, "padding": 2, "dilation": 2},
    "uneven": {"kernel_size": (2, 3), "padding": (0, 2), "stride": (1, 3), "dilation": (3, 1)},
    "1 x 1": {"kernel_size": 1},
    "groups": {"kernel_size": 3, "padding": 1, "groups": 2},
}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("options", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_weight_gradient_equals_autograd(options, layout):
    torch.manual_seed(0)
    connection = nn.Conv2d(4, 6, **options).double()
    x = torch.randn(7, 4, 9, 11, dtype=torch.double).contiguous(memory_format=layout)
    y = connection(x)
    g = torch.randn_like(y)
    (expected,) = torch.autograd.grad(y, connection.weight, g)
    assert torch.allclose(weight_gradient(connection, x, g), expected, rtol=0, atol=1e-12)


def test_patches_share_the_memory_of_the_padded_input():
    x = torch.arange(2 * 3 * 16.0).view(2, 3, 4, 4)
    rows = patches(nn.Conv2d(3, 1, 3, padding=1), x, 4, 4)
    assert rows.shape == (2, 4, 4, 3, 3, 3)
    assert rows.untyped_storage().nbytes() == 2 * 3 * 36 * 4
    assert torch.equal(rows[1, 2, 1], x[1, :, 1:4, 0:3].permute(1, 2, 0))
    assert not rows[:, 0, :, 0].any()


def test_narrow_patches_are_left_to_torch(monkeypatch):
    monkeypatch.setattr(module, "FEWEST_COLUMNS", 127)
    monkeypatch.setattr(module, "patches", None)
    connection, x, g = nn.Conv2d(14, 2, 3), torch.ones(1, 14, 3, 3), torch.ones(1, 2, 1, 1)
    assert torch.equal(weight_gradient(connection, x, g), torch.ones(2, 14, 3, 3))
