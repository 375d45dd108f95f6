"""Spiking neurons over a chunk of time, compiled by numba for the CPU; see `kernels.plain.fire`."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.kernels import plain
from workbench.kernels.compiled_sparse import note_events, room_for_marks
from workbench.kernels.compiling import check_dimensions, check_shape, compiled, inlined, suits
from workbench.kernels.plain import Fired
from workbench.kernels.sparse import SpikeList
from workbench.neurons.lif import Neuron, Reset, hard_reset, soft_reset

BLOCK = 1024  # neurons that are taken through all steps together, so that their u⁺ stays in the nearest cache


def fire(
    current: Float[Tensor, "time batch *shape"],
    neuron: Neuron,
    reset: Reset,
    rest: Float[Tensor, "batch *shape"],
    recurrent: Float[Tensor, "n n"] | None = None,
    last: Float[Tensor, "batch *shape"] | None = None,
) -> Fired:
    """See `workbench.kernels.plain.fire`."""
    if recurrent is not None:
        check_dimensions("the recurrent weight", recurrent, 2)
    rows = None if recurrent is None else recurrent.T
    if reset not in (soft_reset, hard_reset) or not current.numel() or not suits(current, rest, rows, last):
        return plain.fire(current, neuron, reset, rest, recurrent, last)
    check_shape("rest", rest, current.shape[1:])
    spikes, rest = torch.empty_like(current), rest.clone()
    constants = *(rest.numpy().dtype.type(value) for value in neuron), reset is hard_reset
    if rows is None or last is None:
        u, z = (t.numpy().reshape(len(t), -1) for t in (current, spikes))
        _fire(u, z, rest.numpy().reshape(-1), *constants)
        return Fired(spikes, rest)
    check_dimensions("the current of a recurrent layer", current, 3)
    check_shape("last", last, rest.shape)
    check_shape("the recurrent weight", rows, (rest.shape[1], rest.shape[1]))
    found = _fire_recurrent(*(t.numpy() for t in (current, spikes, rest, rows, last)), *constants)
    columns, row_starts = map(torch.from_numpy, found)
    return Fired(spikes, rest, SpikeList(columns, row_starts, torch.ones_like(columns, dtype=rest.dtype), len(rows)))


@inlined
def _step(u, z, rest, decay, threshold, hard):  # pragma: no cover
    """One LIF step of a row of neurons."""
    for i in range(rest.size):
        v = u[i] + decay * rest[i]
        over = v > threshold
        u[i], z[i] = v, over
        if hard:
            rest[i] = v * (1 - over)
        else:
            rest[i] = v - threshold * over


@compiled
def _fire(u, z, rest, decay, threshold, hard):  # pragma: no cover
    for start in range(0, rest.size, BLOCK):
        end = min(start + BLOCK, rest.size)
        for t in range(len(u)):
            _step(u[t, start:end], z[t, start:end], rest[start:end], decay, threshold, hard)


@inlined
def _add_rows(u, rows, active):  # pragma: no cover
    """Add the rows of `active` to u, eight at a time so that u is read and written less often."""
    e, count = 0, active.size
    while e + 8 <= count:
        a, b, c, d = rows[active[e]], rows[active[e + 1]], rows[active[e + 2]], rows[active[e + 3]]
        f, g, h, k = rows[active[e + 4]], rows[active[e + 5]], rows[active[e + 6]], rows[active[e + 7]]
        for i in range(u.size):
            u[i] += ((a[i] + b[i]) + (c[i] + d[i])) + ((f[i] + g[i]) + (h[i] + k[i]))
        e += 8
    while e < count:
        a = rows[active[e]]
        for i in range(u.size):
            u[i] += a[i]
        e += 1


@compiled
def _fire_recurrent(u, z, rest, rows, last, decay, threshold, hard):  # pragma: no cover
    """Also gives columns and row starts of z[t−1], which say whose rows of the recurrent weight to add."""
    steps, batch, n = u.shape
    marks, words, active = room_for_marks(n)
    columns, row_starts = np.empty((steps + 1) * batch * n, np.int64), np.zeros((steps + 1) * batch + 1, np.int64)
    count = 0
    for b in range(batch):
        count = note_events(last[b], marks, words, active, columns, count)
        row_starts[b + 1] = count
    for t in range(steps):
        for b in range(batch):
            row = t * batch + b
            _add_rows(u[t, b], rows, columns[row_starts[row] : row_starts[row + 1]])
            _step(u[t, b], z[t, b], rest[b], decay, threshold, hard)
            count = note_events(z[t, b], marks, words, active, columns, count)
            row_starts[row + batch + 1] = count
    rows_used = steps * batch
    return columns[: row_starts[rows_used]].copy(), row_starts[: rows_used + 1].copy()
