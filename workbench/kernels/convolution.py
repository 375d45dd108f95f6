"""The exact convolution and its input gradient, for any stride, dilation, groups and padding, also an uneven one."""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.grad import conv2d_input

from workbench.faces import short_repr


class Geometry(NamedTuple):
    """How a convolution walks over its input; padding as `F.pad` takes it: left, right, top, bottom."""

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    __repr__ = short_repr


def geometry_of(conv: nn.Conv2d) -> Geometry:
    """Geometry of `conv`. Even kernels with padding "same" give uneven sides. ValueError for non-zero padding modes."""
    if conv.padding_mode != "zeros":
        raise ValueError(
            f"padding_mode={conv.padding_mode!r} is not supported, expected 'zeros'; put the padding into a layer "
            "of its own before the convolution: nn.ReflectionPad2d, nn.ReplicationPad2d or nn.CircularPad2d"
        )
    stride, dilation = (conv.stride[0], conv.stride[1]), (conv.dilation[0], conv.dilation[1])
    if conv.padding == "valid":
        return Geometry(stride, (0, 0, 0, 0), dilation, conv.groups)
    if conv.padding == "same":
        extra = [d * (k - 1) for d, k in zip(dilation, conv.kernel_size, strict=True)]
        (top, left), (height, width) = [e // 2 for e in extra], extra
        return Geometry(stride, (left, width - left, top, height - top), dilation, conv.groups)
    rows, columns = int(conv.padding[0]), int(conv.padding[1])
    return Geometry(stride, (columns, columns, rows, rows), dilation, conv.groups)


def steps_of(connection: nn.Conv2d) -> tuple:
    """Stride, padding, dilation and groups in numbers, also of padding "same".

    Raises ValueError for a padding with other values than zeros, or with uneven sides: `nn.ReflectionPad2d` and its
    like are layers of their own.
    """
    stride, (left, right, top, bottom), dilation, groups = geometry_of(connection)
    if (left, top) != (right, bottom):
        raise ValueError(
            f"padding={connection.padding!r} of a kernel {connection.kernel_size} pads unevenly; take an odd kernel, "
            "or put nn.ZeroPad2d before the convolution"
        )
    return stride, (top, left), dilation, groups


def convolve(
    x: Float[Tensor, "batch c_in height width"],
    weight: Float[Tensor, "c_out c_per_group k_h k_w"],
    bias: Float[Tensor, "c_out"] | None,
    geometry: Geometry,
) -> Float[Tensor, "batch c_out h_out w_out"]:
    """The exact convolution; uneven padding is laid on before."""
    left, right, top, bottom = geometry.padding
    padding = (top, left)
    if (left, top) != (right, bottom):
        x, padding = F.pad(x, geometry.padding), (0, 0)
    return F.conv2d(x, weight, bias, geometry.stride, padding, geometry.dilation, geometry.groups)


def conv2d_input_gradient(
    shape: torch.Size,
    weight: Float[Tensor, "c_out c_per_group k_h k_w"],
    grad_output: Float[Tensor, "batch c_out h_out w_out"],
    geometry: Geometry,
) -> Float[Tensor, "batch c_in height width"]:
    """∂L/∂X of the exact convolution, of `shape`; it needs no activation at all."""
    left, right, top, bottom = geometry.padding
    uneven = (left, top) != (right, bottom)
    padded = (*shape[:2], shape[2] + top + bottom, shape[3] + left + right) if uneven else shape
    padding = (0, 0) if uneven else (top, left)
    walk: Any = (geometry.stride, padding, geometry.dilation, geometry.groups)
    grad = conv2d_input(padded, weight, grad_output, *walk)
    return F.pad(grad, [-side for side in geometry.padding]) if uneven else grad
