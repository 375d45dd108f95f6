"""The inner loops of `workbench.kernels` compiled by numba for the CPU: same arguments, same numbers up to rounding.

Needs the extra `fast` (`pip install local-learning-workbench[fast]`), no compiler. The first call of each loop takes a
few seconds, later processes find it in numba's cache. What a compiled loop cannot do (another device, half precision, a
reset of one's own) goes to the torch version. Give `NUMBA` to a rule: `STLLR(kernels=NUMBA)`.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench import kernels as plain
from workbench import products
from workbench.kernels import Fired, Kernels, Weighing
from workbench.lif import Neuron, Reset, hard_reset, soft_reset
from workbench.products import DENSEST, Events


def compiled(function: Callable[..., Any]) -> Any:
    """Compile the bare function, without the shape checks that a test run wraps around it."""
    return numba.njit(cache=True, nogil=True)(inspect.unwrap(function))


def inlined(function: Callable[..., Any]) -> Any:
    """The same, for parts of compiled functions."""
    return numba.njit(cache=True, inline="always")(inspect.unwrap(function))


def arrays(*tensors: Tensor) -> list[np.ndarray] | None:
    """The tensors as arrays `(time, ...)` with contiguous rows, one for each step, in one memory order that all share
    (as they are, or images with channels last); None unless they are of single or double precision on the CPU."""
    if not all(t.device.type == "cpu" and t.dtype in (torch.float32, torch.float64) for t in tensors):
        return None
    if not all(t.is_contiguous() for t in tensors):
        tensors = tuple(t.movedim(-3, -1) if t.ndim > 3 else t for t in tensors)
    return [t.detach().numpy() for t in tensors] if all(t.is_contiguous() for t in tensors) else None


def find_events(x: Float[Tensor, "rows columns"], densest: float = DENSEST) -> Events | None:
    """See `workbench.products.find_events`."""
    found = arrays(x)
    if found is None:
        return products.find_events(x, densest)
    flat = found[0].reshape(-1)
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
    """See `workbench.kernels.fire`."""
    spikes, after = torch.empty_like(current), rest.clone()
    found = arrays(current, spikes, after)
    if reset not in (soft_reset, hard_reset) or found is None:
        return plain.fire(current, neuron, reset, rest, recurrent, last)
    u, z, r = found
    decay, threshold, hard = u.dtype.type(neuron.decay), u.dtype.type(neuron.threshold), reset is hard_reset
    if recurrent is None or last is None:
        _fire(u.reshape(len(u), -1), z.reshape(len(u), -1), r.reshape(-1), decay, threshold, hard)
        return Fired(spikes, after)
    rows = recurrent.T.contiguous().numpy()
    columns, row_starts = map(torch.from_numpy, _fire_recurrent(u, z, r, rows, last.numpy(), decay, threshold, hard))
    return Fired(spikes, after, Events(columns, row_starts, torch.ones_like(columns, dtype=rest.dtype), len(rows)))


def add_outer(grad: Float[Tensor, "columns n"], events: Events, g: Float[Tensor, "rows n"]) -> None:
    """See `workbench.products.add_outer`."""
    found = arrays(grad, g, events.values)
    if found is None:
        return products.add_outer(grad, events, g)
    _add_outer(found[0], events.columns.numpy(), events.row_starts.numpy(), found[2], found[1])


def run_h(
    psi: Float[Tensor, "time *shape"], start: Float[Tensor, "*shape"], decay: float
) -> Float[Tensor, "time+1 *shape"]:
    """See `workbench.kernels.run_h`."""
    h = plain.empty_steps(psi, len(psi) + 1)
    found = arrays(h, psi)
    if found is None:
        return plain.run_h(psi, start, decay)
    h[0] = start
    rows, steps = (array.reshape(len(array), -1) for array in found)
    _run_h(rows, steps, rows.dtype.type(decay))
    return h


def output_side(
    delta: Float[Tensor, "time batch *shape"],
    psi: Float[Tensor, "time batch *shape"] | None,
    h: Float[Tensor, "time batch *shape"] | None,
    weighing: Weighing,
) -> tuple[Float[Tensor, "time batch *shape"], Float[Tensor, "batch *shape"]]:
    """See `workbench.kernels.output_side`."""
    m, earlier = torch.empty_like(delta), torch.empty_like(delta[0])
    found = None if psi is None else arrays(delta, psi, psi if h is None else h, m, earlier)
    if found is None:
        return plain.output_side(delta, psi, h, weighing)
    steps = [array.reshape(len(delta), -1) for array in found[:4]]
    lambda_pre, alpha_pre, alpha_post = (found[0].dtype.type(value) for value in weighing)
    _output_side(*steps, found[4].reshape(-1), lambda_pre, alpha_pre, alpha_post if h is not None else 0 * alpha_post)
    return m, earlier


NUMBA = Kernels(find_events, fire, run_h, output_side, add_outer)


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


@compiled
def _fire(u, z, rest, decay, threshold, hard):  # pragma: no cover
    for t in range(u.shape[0]):
        for i in range(u.shape[1]):
            v = u[t, i] + decay * rest[i]
            over = v > threshold
            u[t, i], z[t, i] = v, over
            if hard:
                rest[i] = v * (1 - over)
            else:
                rest[i] = v - threshold * over


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
