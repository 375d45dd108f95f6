"""Convolution and input gradient of every geometry, against torch's own layers and autograd."""

import pytest
import torch
from torch import nn

from workbench.kernels.convolution import Geometry, conv2d_input_gradient, convolve, geometry_of

LAYERS = {
    "plain": {"kernel_size": 3},
    "padded": {"kernel_size": 3, "padding": 1},
    "uneven padding of rows and columns": {"kernel_size": (3, 2), "padding": (2, 1)},
    "stride that leaves a rest": {"kernel_size": 3, "stride": 2, "padding": 1},
    "dilated": {"kernel_size": 2, "dilation": (1, 3)},
    "groups": {"kernel_size": 3, "groups": 2, "padding": 1, "stride": (2, 1)},
    "valid": {"kernel_size": 3, "padding": "valid"},
    "same, odd": {"kernel_size": 3, "padding": "same", "dilation": 2},
    "same, even": {"kernel_size": (2, 4), "padding": "same"},
}
# torch says so itself of the plain convolution that we compare with
SAME_PADDING = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")


@SAME_PADDING
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-4)])
@pytest.mark.parametrize("options", LAYERS.values(), ids=LAYERS)
def test_both_directions_are_torch_s(options, dtype, tolerance):
    layer = nn.Conv2d(4, 6, **options).to(dtype)
    x = torch.randn(3, 4, 8, 7, dtype=dtype, requires_grad=True)
    geometry = geometry_of(layer)
    expected = layer(x)
    torch.testing.assert_close(convolve(x, layer.weight, layer.bias, geometry), expected, rtol=0, atol=tolerance)
    g = torch.randn_like(expected)
    (down,) = torch.autograd.grad(expected, x, g)
    ours = conv2d_input_gradient(x.shape, layer.weight, g, geometry)
    torch.testing.assert_close(ours, down, rtol=0, atol=tolerance)


def test_an_even_kernel_that_keeps_the_size_has_its_longer_side_behind():
    assert geometry_of(nn.Conv2d(1, 1, (2, 4), padding="same")) == Geometry(padding=(1, 2, 0, 1))


def test_other_paddings_than_zeros_are_refused():
    with pytest.raises(ValueError, match="padding_mode='reflect' is not supported, expected 'zeros'"):
        geometry_of(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"))
