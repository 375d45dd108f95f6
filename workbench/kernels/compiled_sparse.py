"""Events of a matrix, and products with them, compiled by numba for the CPU; see `kernels.sparse`."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.kernels import sparse
from workbench.kernels.compiling import check_dimensions, check_shape, compiled, suits
from workbench.kernels.sparse import DENSEST, SpikeList


def find_events(x: Float[Tensor, "rows columns"], densest: float = DENSEST) -> SpikeList | None:
    """See `workbench.kernels.sparse.find_events`."""
    if not suits(x):
        return sparse.find_events(x, densest)
    check_dimensions("x", x, 2)
    entries = x.detach().numpy()
    row_starts = np.zeros(len(entries) + 1, np.int64)
    found = _count(entries, row_starts)
    if found > densest * entries.size:
        return None
    columns, values = np.empty(found + 1, np.int64), np.empty(found, entries.dtype)
    _collect(entries, row_starts, columns, values)
    columns, starts, values = map(torch.from_numpy, (columns[:found], row_starts, values))
    return SpikeList(columns, starts, values, x.shape[1])


def add_outer(grad: Float[Tensor, "columns n"], events: SpikeList, g: Float[Tensor, "rows n"]) -> None:
    """See `workbench.kernels.sparse.add_outer`. Raises ValueError for events that point outside."""
    columns, row_starts, values, width = events
    if not suits(grad, g, values):
        return sparse.add_outer(grad, events, g)
    check_dimensions("g", g, 2)
    for name, numbers in (("columns", columns), ("row_starts", row_starts)):
        check_dimensions(f"{name} of the events", numbers, 1)
        if numbers.dtype is not torch.int64:
            raise ValueError(f"{name} of the events must be int64, got {numbers.dtype}")
    check_shape("the gradient", grad, (width, g.shape[1]))
    check_shape("row_starts of the events", row_starts, (len(g) + 1,))
    check_shape("values of the events", values, columns.shape)
    if not _add_outer(grad.numpy(), columns.numpy(), row_starts.numpy(), values.numpy(), g.numpy()):
        raise ValueError(
            f"these events do not describe a matrix of {len(g)} rows and {width} columns: columns must lie in "
            f"0..{width - 1}, row_starts rise from 0 to their number, {len(columns)}"
        )


@compiled
def _count(x, row_starts):  # pragma: no cover
    """How many entries are not zero: in all, and up to the end of each row."""
    total = 0
    for r in range(x.shape[0]):
        found = 0
        for i in range(x.shape[1]):
            found += x[r, i] != 0
        total += found
        row_starts[r + 1] = total
    return total


@compiled
def _collect(x, row_starts, columns, values):  # pragma: no cover
    """Columns and values of the entries: each is marked by a byte, eight bytes are looked at at once, and a place is
    written whether it counts or not, because a branch that cannot be foreseen costs more."""
    width, found = x.shape[1], 0
    marks = np.zeros(width + 8 - width % 8, np.uint8)
    words = marks.view(np.uint64)
    for r in range(x.shape[0]):
        for i in range(width):
            marks[i] = x[r, i] != 0
        for word in range(words.size):
            if words[word]:
                for i in range(8 * word, 8 * word + 8):
                    columns[found] = i
                    found += marks[i]
        for e in range(row_starts[r], row_starts[r + 1]):
            values[e] = x[r, columns[e]]


@compiled
def _fits(columns, row_starts, width):  # pragma: no cover
    """Whether columns and row starts belong to a matrix of this width."""
    fits = row_starts[0] == 0 and row_starts[-1] == columns.size
    for r in range(row_starts.size - 1):
        fits &= row_starts[r] <= row_starts[r + 1]
    for e in range(columns.size):
        fits &= 0 <= columns[e] < width
    return fits


@compiled
def _by_column(columns, row_starts, values, width):  # pragma: no cover
    """The same entries column by column (a counting sort): their rows, where each column starts, their values."""
    starts = np.zeros(width + 2, np.int64)
    rows, sorted_values = np.empty_like(columns), np.empty_like(values)
    for e in range(columns.size):
        starts[columns[e] + 2] += 1
    for c in range(width):
        starts[c + 2] += starts[c + 1]
    for r in range(row_starts.size - 1):
        for e in range(row_starts[r], row_starts[r + 1]):
            place = starts[columns[e] + 1]
            rows[place], sorted_values[place] = r, values[e]
            starts[columns[e] + 1] = place + 1
    return rows, starts, sorted_values


@compiled
def _add_outer(grad, columns, row_starts, values, g):  # pragma: no cover
    """Row by row of the gradient, which is read and written once for four rows of g."""
    if not _fits(columns, row_starts, len(grad)):
        return False
    rows, starts, values = _by_column(columns, row_starts, values, len(grad))
    for column in range(len(grad)):
        total, e, end = grad[column], starts[column], starts[column + 1]
        while e + 4 <= end:
            a, b, c, d = g[rows[e]], g[rows[e + 1]], g[rows[e + 2]], g[rows[e + 3]]
            p, q, r, s = values[e], values[e + 1], values[e + 2], values[e + 3]
            for i in range(total.size):
                total[i] += (p * a[i] + q * b[i]) + (r * c[i] + s * d[i])
            e += 4
        while e < end:
            a, p = g[rows[e]], values[e]
            for i in range(total.size):
                total[i] += p * a[i]
            e += 1
    return True
