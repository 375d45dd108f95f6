"""The gradient of a convolution's filters from the inputs that are not zero alone, compiled by numba for the CPU.

Every entry v of channel c at row y and column x meets the gradients g of the outputs that it reached. They lie in a
small window of the map of gradients, whose channels are laid side by side in memory and whose border is zero:

    ∂L/∂W[o, c, K−1−k, L−1−l] = Σ over samples, y, x of  v · a[y + k, x + l, o]      k < K, l < L the filters' size
    a[y + K−1−p, x + L−1−p, o] = g[o, y, x], else 0                                  p the padding

so that one entry costs K long additions. Four entries of a channel are added at once. Inputs that are not sparse, a
stride, a dilation and groups are left to the library; both agree up to rounding.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.kernels import plain
from workbench.kernels.compiled_convolution import is_plain, share_of_entries
from workbench.kernels.compiling import check_dimensions, check_shape, compiled, inlined, suits

DENSEST = 0.4  # above this part of entries that are not zero the library is faster; it was measured on one thread


def add_filters(
    connection: nn.Conv2d,
    grad: Float[Tensor, "c_out c_per_group k_h k_w"],
    x: Float[Tensor, "n c h w"],
    g: Float[Tensor, "n c_out h_out w_out"],
) -> None:
    """See `workbench.kernels.plain.add_filters`."""
    if not is_plain(connection) or not suits(x, g) or grad.dtype is not x.dtype:
        return plain.add_filters(connection, grad, x, g)
    check_dimensions("x", x, 4)
    n_out, channels, rows, columns = grad.shape
    above, left = (int(p) for p in connection.padding)
    check_shape("x", x, (len(x), channels, *x.shape[2:]))
    check_shape("g", g, (len(x), n_out, x.shape[2] + 2 * above - rows + 1, x.shape[3] + 2 * left - columns + 1))
    if not x.numel() or share_of_entries(x) * torch.get_num_threads() > DENSEST:
        return plain.add_filters(connection, grad, x, g)
    total = x.new_zeros(channels, rows, columns, n_out)
    start = rows - 1 - above, columns - 1 - left
    _add_filters(total.numpy(), x.detach().numpy(), g.detach().numpy(), start)
    grad.add_(total.flip(1, 2).permute(3, 0, 1, 2))


@compiled
def _add_filters(total, x, g, start):  # pragma: no cover
    channels, rows, columns, n_out = total.shape
    _, _, height, width = x.shape
    line = width + columns - 1  # places in a row of the map of gradients
    spread = np.zeros((height + rows - 1, line, n_out), x.dtype)
    places, values = np.empty(height * width + 1, np.int64), np.empty(height * width + 1, x.dtype)
    sums, windows = total.reshape(channels, rows, columns * n_out), spread.reshape(spread.size)
    for n in range(len(x)):
        _lay_out(g[n], start, spread)
        for c in range(channels):
            found = _note(x[n, c], line, places, values)
            _add_windows(sums[c], windows, line * n_out, n_out, places, values, found)


@inlined
def _lay_out(g, start, spread):  # pragma: no cover
    """The gradients of one sample, channels last, inside their border; four channels at a time, which stay near each
    other in memory on both sides."""
    n_out, height, width = g.shape
    fours = n_out - n_out % 4
    for first in range(0, fours, 4):
        for y in range(height):
            for column in range(width):
                for o in range(4):
                    spread[y + start[0], column + start[1], first + o] = g[first + o, y, column]
    for o in range(fours, n_out):
        for y in range(height):
            for column in range(width):
                spread[y + start[0], column + start[1], o] = g[o, y, column]


@inlined
def _note(plane, line, places, values):  # pragma: no cover
    """Where a channel is not zero and what stands there; written whether it counts or not, which costs less."""
    found = 0
    for y in range(plane.shape[0]):
        for column in range(plane.shape[1]):
            places[found], values[found] = y * line + column, plane[y, column]
            found += plane[y, column] != 0
    return found


@inlined
def _add_windows(sums, windows, line, step, places, values, found):  # pragma: no cover
    """Add the windows of all entries of a channel; `line` and `step` numbers lie between rows and between places."""
    size, e = sums.shape[1], 0
    while e + 4 <= found:
        p, q, r, s = values[e], values[e + 1], values[e + 2], values[e + 3]
        for k in range(len(sums)):
            row, shift = sums[k], k * line
            one, other = places[e] * step + shift, places[e + 1] * step + shift
            third, fourth = places[e + 2] * step + shift, places[e + 3] * step + shift
            a, b = windows[one : one + size], windows[other : other + size]
            c, d = windows[third : third + size], windows[fourth : fourth + size]
            for i in range(size):
                row[i] += (p * a[i] + q * b[i]) + (r * c[i] + s * d[i])
        e += 4
    while e < found:
        p = values[e]
        for k in range(len(sums)):
            first = places[e] * step + k * line
            row, a = sums[k], windows[first : first + size]
            for i in range(size):
                row[i] += p * a[i]
        e += 1
