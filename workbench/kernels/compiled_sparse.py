"""Events of a matrix, and products with them, compiled by numba for the CPU; see `kernels.sparse`."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.kernels import sparse
from workbench.kernels.compiling import check_dimensions, check_shape, compiled, inlined, suits
from workbench.kernels.sparse import DENSEST, SpikeList

# Of a word of eight bytes 0 or 1, all 0 but byte k: word · PLACES has k in its highest byte.
PLACES, HIGHEST, ONE = np.uint64(0x0001020304050607), np.uint64(56), np.uint64(1)


def find_events(x: Float[Tensor, "rows columns"], densest: float = DENSEST) -> SpikeList | None:
    """See `workbench.kernels.sparse.find_events`."""
    if not suits(x):
        return sparse.find_events(x, densest)
    check_dimensions("x", x, 2)
    entries = x.detach().numpy()
    most, width = int(densest * entries.size), x.shape[1]
    row_starts = np.zeros(len(entries) + 1, np.int64)
    columns, values = np.empty(most + width, np.int64), np.empty(most + width, entries.dtype)
    found = _find(entries, most, row_starts, columns, values)
    if found > most:
        return None
    columns, starts, values = map(torch.from_numpy, (columns[:found].copy(), row_starts, values[:found].copy()))
    return SpikeList(columns, starts, values, width)


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


@inlined
def note_events(line, marks, words, active, columns, found):  # pragma: no cover
    """Write down where a line is not zero, after the `found` places that stand in `columns`; returns how many then do.

    Each entry is marked by a byte. Eight bytes are looked at at once, and of those that hold something the lowest is
    taken away until none is left. `marks` has a byte more than the line at least and ends with zeros, `words` are its
    words, `active` has room for all of their numbers: they are written whether they count or not, because a branch that
    cannot be foreseen costs more.
    """
    for i in range(line.size):
        marks[i] = line[i] != 0
    count = 0
    for word in range(words.size):
        active[count] = word
        count += words[word] != 0
    for a in range(count):
        rest = words[active[a]]
        while rest:
            lowest = rest & (~rest + ONE)
            columns[found] = 8 * active[a] + np.int64((lowest * PLACES) >> HIGHEST)
            rest ^= lowest
            found += 1
    return found


@inlined
def room_for_marks(width):  # pragma: no cover
    """Marks, words and active words for `note_events`, for lines of this width."""
    marks = np.zeros(width + 8 - width % 8, np.uint8)
    words = marks.view(np.uint64)
    return marks, words, np.empty(words.size + 1, np.int64)


@compiled
def _find(x, most, row_starts, columns, values):  # pragma: no cover
    """Columns and values of what is not zero, row by row; ends where more than `most` were found."""
    marks, words, active = room_for_marks(x.shape[1])
    found = 0
    for r in range(x.shape[0]):
        found = note_events(x[r], marks, words, active, columns, found)
        row_starts[r + 1] = found
        for e in range(row_starts[r], found):
            values[e] = x[r, columns[e]]
        if found > most:
            break
    return found


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


@inlined
def _add_rows(total, rows, which, weights, e, end):  # pragma: no cover
    """Add rows with their weights, eight at a time so that the total is read and written less often."""
    while e + 8 <= end:
        a, b, c, d = rows[which[e]], rows[which[e + 1]], rows[which[e + 2]], rows[which[e + 3]]
        f, g, h, k = rows[which[e + 4]], rows[which[e + 5]], rows[which[e + 6]], rows[which[e + 7]]
        p, q, r, s = weights[e], weights[e + 1], weights[e + 2], weights[e + 3]
        t, u, v, w = weights[e + 4], weights[e + 5], weights[e + 6], weights[e + 7]
        for i in range(total.size):
            one, other = (p * a[i] + q * b[i]) + (r * c[i] + s * d[i]), (t * f[i] + u * g[i]) + (v * h[i] + w * k[i])
            total[i] += one + other
        e += 8
    while e + 2 <= end:
        a, b, p, q = rows[which[e]], rows[which[e + 1]], weights[e], weights[e + 1]
        for i in range(total.size):
            total[i] += p * a[i] + q * b[i]
        e += 2
    if e < end:
        a, p = rows[which[e]], weights[e]
        for i in range(total.size):
            total[i] += p * a[i]


@compiled
def _add_outer(grad, columns, row_starts, values, g):  # pragma: no cover
    if not _fits(columns, row_starts, len(grad)):
        return False
    rows, starts, values = _by_column(columns, row_starts, values, len(grad))
    for column in range(len(grad)):
        _add_rows(grad[column], g, rows, values, starts[column], starts[column + 1])
    return True
