"""The inner loops of `kernels.plain` compiled by numba for the CPU: same arguments, same numbers up to rounding.

Needs the extra `fast` (`pip install local-learning-workbench[fast]`), no compiler. The first call of each loop takes a
few seconds, later processes find it in numba's cache. What a compiled loop cannot do (another device, half precision, a
reset of one's own) goes to the torch version. Give `NUMBA` to a rule: `STLLR(kernels=NUMBA)`.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.kernels import plain
from workbench.kernels import sparse as products
from workbench.kernels.compiled_convolution import convolve
from workbench.kernels.compiling import compiled, inlined, suits
from workbench.kernels.plain import Fired, Kernels, Weighing
from workbench.kernels.sparse import DENSEST, Events
from workbench.neurons.lif import Neuron, Reset, hard_reset, soft_reset


def find_events(x: Float[Tensor, "rows columns"], densest: float = DENSEST) -> Events | None:
    """See `workbench.kernels.sparse.find_events`."""
    if not suits(x):
        return products.find_events(x, densest)
    flat = x.detach().numpy().reshape(-1)
    per_word = 8 // flat.itemsize
    words = flat[: flat.size - flat.size % per_word].view(np.uint64)
    found = _find(flat, words, per_word, x.shape[1], int(densest * flat.size))
    if found is None:
        return None
    columns, row_starts, values = map(torch.from_numpy, found)
    return Events(columns, row_starts, values, x.shape[1])


def fire(
    current: Float[Tensor, "time batch *shape"],
    neuron: Neuron,
    reset: Reset,
    rest: Float[Tensor, "batch *shape"],
    recurrent: Float[Tensor, "n n"] | None = None,
    last: Float[Tensor, "batch *shape"] | None = None,
) -> Fired:
    """See `workbench.kernels.plain.fire`."""
    rows = None if recurrent is None else recurrent.T
    if reset not in (soft_reset, hard_reset) or not suits(current, rest, rows, last):
        return plain.fire(current, neuron, reset, rest, recurrent, last)
    spikes, rest = torch.empty_like(current), rest.clone()
    u, z, r = (t.numpy().reshape(*t.shape[: t.ndim - current.ndim + 2], -1) for t in (current, spikes, rest))
    decay, threshold = (u.dtype.type(value) for value in neuron)
    if rows is None or last is None:
        _fire(u, z, r, decay, threshold, reset is hard_reset)
        return Fired(spikes, rest)
    found = _fire_recurrent(u, z, r, rows.numpy(), last.numpy(), decay, threshold, reset is hard_reset)
    columns, row_starts = map(torch.from_numpy, found)
    return Fired(spikes, rest, Events(columns, row_starts, torch.ones_like(columns, dtype=rest.dtype), len(rows)))


def add_outer(grad: Float[Tensor, "columns n"], events: Events, g: Float[Tensor, "rows n"]) -> None:
    """See `workbench.kernels.sparse.add_outer`."""
    if not suits(grad, g, events.values):
        return products.add_outer(grad, events, g)
    _add_outer(grad.numpy(), events.columns.numpy(), events.row_starts.numpy(), events.values.numpy(), g.numpy())


def run_h(
    psi: Float[Tensor, "time *shape"], start: Float[Tensor, "*shape"], decay: float
) -> Float[Tensor, "time+1 *shape"]:
    """See `workbench.kernels.plain.run_h`."""
    if not suits(psi, start):
        return plain.run_h(psi, start, decay)
    h = psi.new_empty(len(psi) + 1, *psi.shape[1:])
    h[0] = start
    rows = h.numpy().reshape(len(h), -1)
    _run_h(rows, psi.numpy().reshape(len(psi), -1), rows.dtype.type(decay))
    return h


def output_side(
    delta: Float[Tensor, "time batch *shape"],
    psi: Float[Tensor, "time batch *shape"] | None,
    h: Float[Tensor, "time batch *shape"] | None,
    weighing: Weighing,
) -> tuple[Float[Tensor, "time batch *shape"], Float[Tensor, "batch *shape"]]:
    """See `workbench.kernels.plain.output_side`."""
    if psi is None or not suits(delta, psi, h):
        return plain.output_side(delta, psi, h, weighing)
    m, earlier = torch.empty_like(delta), torch.empty_like(delta[0])
    factors = [earlier.numpy().dtype.type(value) for value in weighing]
    delta_, psi_, h_, m_ = (t.numpy().reshape(len(t), -1) for t in (delta, psi, psi if h is None else h, m))
    _output_side(delta_, psi_, h_, m_, earlier.numpy().reshape(-1), *factors[:2], factors[2] * (h is not None))
    return m, earlier


NUMBA = Kernels(find_events, fire, run_h, output_side, add_outer, convolve)


@compiled
def _find(flat, words, per_word, width, most):  # pragma: no cover
    """What is not zero, looked for in whole 64-bit words; None when there is more than `most` of it."""
    columns, values = np.empty(most, np.int64), np.empty(most, flat.dtype)
    row_starts = np.zeros(flat.size // width + 1, np.int64)
    found, row, end = 0, 0, width
    for word in range(words.size + 1):
        if word < words.size and words[word] == 0:
            continue
        for place in range(word * per_word, min(word * per_word + per_word, flat.size)):
            if flat[place] == 0:
                continue
            if found == most:
                return None
            while place >= end:
                row, end = row + 1, end + width
                row_starts[row] = found
            columns[found], values[found] = place - end + width, flat[place]
            found += 1
    row_starts[row + 1 :] = found
    return columns[:found].copy(), row_starts, values[:found].copy()


@inlined
def _step(u, z, rest, fired, decay, threshold, hard):  # pragma: no cover
    """One LIF step of a row of neurons; `fired` gets one byte for each."""
    for i in range(u.size):
        v = u[i] + decay * rest[i]
        over = v > threshold
        u[i], z[i], fired[i] = v, over, over
        if hard:
            rest[i] = v * (1 - over)
        else:
            rest[i] = v - threshold * over


@compiled
def _fire(u, z, rest, decay, threshold, hard):  # pragma: no cover
    steps, batch, n = u.shape
    fired = np.zeros(n, np.uint8)
    for t in range(steps):
        for b in range(batch):
            _step(u[t, b], z[t, b], rest[b], fired, decay, threshold, hard)


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
    fired = np.zeros(n + 8 - n % 8, np.uint8)
    words = fired.view(np.uint64)
    columns, row_starts = np.empty((steps + 1) * batch * n, np.int64), np.zeros((steps + 1) * batch + 1, np.int64)
    count = 0
    for b in range(batch):
        for i in range(n):
            if last[b, i] != 0:
                columns[count] = i
                count += 1
        row_starts[b + 1] = count
    for t in range(steps):
        for b in range(batch):
            row = t * batch + b
            _add_rows(u[t, b], rows, columns[row_starts[row] : row_starts[row + 1]])
            _step(u[t, b], z[t, b], rest[b], fired, decay, threshold, hard)
            for word in range(words.size):
                if words[word]:
                    for i in range(8 * word, 8 * word + 8):
                        if fired[i]:
                            columns[count] = i
                            count += 1
            row_starts[row + batch + 1] = count
    rows_used = steps * batch
    return columns[: row_starts[rows_used]].copy(), row_starts[: rows_used + 1].copy()


@compiled
def _run_h(h, psi, decay):  # pragma: no cover
    steps, n = psi.shape
    for t in range(steps):
        for i in range(n):
            h[t + 1, i] = decay * h[t, i] + psi[t, i]


@compiled
def _add_outer(grad, columns, row_starts, values, g):  # pragma: no cover
    """Four rows of the gradient at a time, so that g is read less often."""
    for r in range(g.shape[0]):
        row, e, end = g[r], row_starts[r], row_starts[r + 1]
        while e + 4 <= end:
            a, b, c, d = grad[columns[e]], grad[columns[e + 1]], grad[columns[e + 2]], grad[columns[e + 3]]
            p, q, s, t = values[e], values[e + 1], values[e + 2], values[e + 3]
            for i in range(row.size):
                a[i] += p * row[i]
                b[i] += q * row[i]
                c[i] += s * row[i]
                d[i] += t * row[i]
            e += 4
        while e < end:
            a, p = grad[columns[e]], values[e]
            for i in range(row.size):
                a[i] += p * row[i]
            e += 1


@compiled
def _output_side(delta, psi, h, m, earlier, lambda_pre, alpha_pre, alpha_post):  # pragma: no cover
    steps, n = delta.shape
    for i in range(n):
        earlier[i] = 0
    for t in range(steps - 1, -1, -1):
        for i in range(n):
            credit = delta[t, i] * psi[t, i] + lambda_pre * earlier[i]
            earlier[i] = credit
            m[t, i] = alpha_pre * credit + alpha_post * delta[t, i] * h[t, i]
    for i in range(n):
        earlier[i] *= alpha_pre * lambda_pre
