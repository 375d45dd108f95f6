"""Traces and the sums that they enter, compiled by numba for the CPU; see `kernels.plain`.

Neurons are taken through all steps `BLOCK` at a time, so that what is carried from step to step stays in the nearest
cache.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.kernels import plain
from workbench.kernels.compiling import check_dimensions, check_shape, compiled, suits
from workbench.kernels.plain import Weighing

BLOCK = 1024


def run_h(
    psi: Float[Tensor, "time *shape"], start: Float[Tensor, "*shape"], decay: float
) -> Float[Tensor, "time+1 *shape"]:
    """See `workbench.kernels.plain.run_h`."""
    if not psi.numel() or not suits(psi, start):
        return plain.run_h(psi, start, decay)
    check_shape("start", start, psi.shape[1:])
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
    if psi is None or not delta.numel() or not suits(delta, psi, h):
        return plain.output_side(delta, psi, h, weighing)
    check_shape("psi", psi, delta.shape)
    if h is not None:
        check_shape("h", h, delta.shape)
    m, earlier = torch.empty_like(delta), torch.empty_like(delta[0])
    factors = [earlier.numpy().dtype.type(value) for value in weighing]
    if h is None:  # any numbers, times 0 where they are finite: ψ is
        h, factors[2] = psi, factors[2] * 0
    arrays = (t.numpy().reshape(len(t), -1) for t in (delta, psi, h, m))
    _output_side(*arrays, earlier.numpy().reshape(-1), *factors)
    return m, earlier


def filter_synapses(
    filtered: Float[Tensor, "batch n_out n_in"],
    psi: Float[Tensor, "batch n_out"],
    q: Float[Tensor, "batch n_in"],
    decay: float,
) -> Float[Tensor, "batch n_out n_in"]:
    """See `workbench.kernels.plain.filter_synapses`."""
    if not suits(filtered, psi, q):
        return plain.filter_synapses(filtered, psi, q, decay)
    check_dimensions("filtered", filtered, 3)
    check_shape("psi", psi, filtered.shape[:2])
    check_shape("q", q, filtered.shape[::2])
    arrays = filtered.numpy(), psi.numpy(), q.numpy()
    _filter_synapses(*arrays, arrays[0].dtype.type(decay))
    return filtered


def weigh_synapses(
    signal: Float[Tensor, "batch n_out"], filtered: Float[Tensor, "batch n_out n_in"]
) -> Float[Tensor, "n_out n_in"]:
    """See `workbench.kernels.plain.weigh_synapses`."""
    if not suits(signal, filtered):
        return plain.weigh_synapses(signal, filtered)
    check_dimensions("filtered", filtered, 3)
    check_shape("signal", signal, filtered.shape[:2])
    total = filtered.new_zeros(filtered.shape[1:])
    _weigh_synapses(total.numpy(), signal.numpy(), filtered.numpy())
    return total


@compiled
def _run_h(h, psi, decay):  # pragma: no cover
    steps, n = psi.shape
    for start in range(0, n, BLOCK):
        end = min(start + BLOCK, n)
        for t in range(steps):
            now, after, value = h[t, start:end], h[t + 1, start:end], psi[t, start:end]
            for i in range(now.size):
                after[i] = decay * now[i] + value[i]


@compiled
def _output_side(delta, psi, h, m, earlier, lambda_pre, alpha_pre, alpha_post):  # pragma: no cover
    steps, n = delta.shape
    for start in range(0, n, BLOCK):
        end = min(start + BLOCK, n)
        credit = earlier[start:end]
        credit[:] = 0
        for t in range(steps - 1, -1, -1):
            d, p, trace, out = delta[t, start:end], psi[t, start:end], h[t, start:end], m[t, start:end]
            for i in range(credit.size):
                value = d[i] * p[i] + lambda_pre * credit[i]
                credit[i] = value
                out[i] = alpha_pre * value + alpha_post * d[i] * trace[i]
        for i in range(credit.size):
            credit[i] *= alpha_pre * lambda_pre


@compiled
def _filter_synapses(filtered, psi, q, decay):  # pragma: no cover
    for b in range(filtered.shape[0]):
        for o in range(filtered.shape[1]):
            row, value, inputs = filtered[b, o], psi[b, o], q[b]
            for i in range(row.size):
                row[i] = decay * row[i] + value * inputs[i]


@compiled
def _weigh_synapses(total, signal, filtered):  # pragma: no cover
    """Four samples at a time, so that the total is read and written less often."""
    batch = len(signal)
    for o in range(len(total)):
        row, b = total[o], 0
        while b + 4 <= batch:
            p, q, r, s = signal[b, o], signal[b + 1, o], signal[b + 2, o], signal[b + 3, o]
            e, f, g, h = filtered[b, o], filtered[b + 1, o], filtered[b + 2, o], filtered[b + 3, o]
            for i in range(row.size):
                row[i] += (p * e[i] + q * f[i]) + (r * g[i] + s * h[i])
            b += 4
        while b < batch:
            p, e = signal[b, o], filtered[b, o]
            for i in range(row.size):
                row[i] += p * e[i]
            b += 1
