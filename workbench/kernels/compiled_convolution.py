"""A convolution that touches only the inputs that are not zero, compiled by numba for the CPU.

An image of spikes is mostly silent. Every entry v that is not zero, at channel c, row y and column x, adds v times the
mirrored filters of channel c to a small window of the outputs, whose channels lie side by side in memory:

    a[y + k, x + l, :] += v W[:, c, K−1−k, L−1−l]        k < K, l < L the size of the filters
    out[o, y, x] = a[y + K−1−p, x + L−1−p, o] + b[o]      p the padding

so that one entry costs K long additions. Where the input is not sparse, or the convolution has a stride, a dilation or
groups, the library's convolution is taken; both agree up to rounding.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.kernels import plain
from workbench.kernels.compiling import check_dimensions, check_shape, compiled, inlined, suits
from workbench.kernels.frugal import trained_weight

DENSEST = 0.125  # above this part of entries that are not zero the library is faster; it was measured on one thread


def convolve(
    connection: nn.Conv2d,
    x: Float[Tensor, "n c h w"],
    weight: Float[Tensor, "c_out c_per_group k_h k_w"],
    bias: Float[Tensor, "c_out"] | None,
) -> Float[Tensor, "n c_out h_out w_out"]:
    """See `workbench.kernels.plain.convolve`."""
    if torch.is_grad_enabled() or not is_plain(connection) or not suits(x, bias) or weight.dtype is not x.dtype:
        return plain.convolve(connection, x, weight, bias)
    check_dimensions("x", x, 4)
    check_shape("the weight", weight, trained_weight(connection).shape)
    check_shape("x", x, (len(x), weight.shape[1], *x.shape[2:]))
    if bias is not None:
        check_shape("the bias", bias, weight.shape[:1])
    n_out, _, rows, columns = weight.shape
    (above, left), (height, width) = connection.padding, x.shape[2:]
    size = height + 2 * int(above) - rows + 1, width + 2 * int(left) - columns + 1
    if min(size) < 1 or not x.numel() or not is_sparse(x):
        return plain.convolve(connection, x, weight, bias)
    out = x.new_empty(len(x), n_out, *size)
    bias = x.new_zeros(n_out) if bias is None else bias.detach()
    start = rows - 1 - int(above), columns - 1 - int(left)
    _convolve(x.numpy(), input_major(weight).numpy(), bias.numpy(), start, out.numpy())
    return out


def is_plain(connection: nn.Conv2d) -> bool:
    """Whether there is no stride, dilation or group, and the padding is less than the filter."""
    return (
        connection.stride == connection.dilation == (1, 1)
        and connection.groups == 1
        and connection.padding_mode == "zeros"
        and not isinstance(connection.padding, str)
        and all(int(p) < size for p, size in zip(connection.padding, connection.kernel_size, strict=True))
    )


def is_sparse(x: Float[Tensor, "n c h w"]) -> bool:
    """Whether few enough entries are not zero; the library shares its work among threads, this loop does not."""
    return share_of_entries(x) * torch.get_num_threads() <= DENSEST


def share_of_entries(x: Float[Tensor, "n c h w"]) -> float:
    """The part of the entries of a contiguous tensor that are not zero."""
    return _count(x.detach().numpy().reshape(-1)) / max(x.numel(), 1)


def input_major(weight: Float[Tensor, "c_out c rows columns"]) -> Float[Tensor, "c rows columns c_out"]:
    """The filters mirrored, those of one input channel together, output channels side by side."""
    return weight.detach().permute(1, 2, 3, 0).contiguous().flip(1, 2)


@compiled
def _count(flat):  # pragma: no cover
    found = 0
    for i in range(flat.size):
        found += flat[i] != 0
    return found


@compiled
def _convolve(x, filters, bias, start, out):  # pragma: no cover
    _, rows, columns, n_out = filters.shape
    sums = np.empty((x.shape[2] + rows - 1, (x.shape[3] + columns - 1) * n_out), x.dtype)
    touched = np.empty(len(sums), np.bool_)
    for n in range(len(x)):
        touched[:] = False
        _spread(x[n], filters.reshape(len(filters), rows, columns * n_out), n_out, sums, touched)
        _collect(sums, touched, bias, start, out[n])


@inlined
def _spread(x, filters, n_out, sums, touched):  # pragma: no cover
    """Add the filters of every entry to the sums; a row of sums is set to zero when it is first touched."""
    channels, height, width = x.shape
    for c in range(channels):
        for y in range(height):
            for column in range(width):
                v = x[c, y, column]
                if v != 0:
                    for k in range(filters.shape[1]):
                        if not touched[y + k]:
                            sums[y + k] = 0
                            touched[y + k] = True
                        window, filter_ = sums[y + k, column * n_out :], filters[c, k]
                        for i in range(filter_.size):
                            window[i] += v * filter_[i]


@inlined
def _collect(sums, touched, bias, start, out):  # pragma: no cover
    """Turn the sums, cut to the size of the output, channels first, and add the bias; four channels at a time, which
    stay near each other in memory on both sides."""
    (n_out, height, width), (above, left) = out.shape, start
    fours, lines = n_out - n_out % 4, sums.reshape(len(sums), sums.shape[1] // n_out, n_out)
    for first in range(0, fours, 4):
        for y in range(height):
            if touched[y + above]:
                line = lines[y + above]
                for column in range(width):
                    for o in range(4):
                        out[first + o, y, column] = line[column + left, first + o] + bias[first + o]
            else:
                for o in range(4):
                    out[first + o, y] = bias[first + o]
    for o in range(fours, n_out):
        for y in range(height):
            for column in range(width):
                out[o, y, column] = (lines[y + above, column + left, o] if touched[y + above] else 0) + bias[o]
