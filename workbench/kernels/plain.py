"""The inner loops of local rules: convolution, firing, and the output side of an update, on any device.

`Kernels` names the functions that a faster machine-specific version may replace, with the same arguments and, up
to rounding, the same numbers: `workbench.kernels.compiled.NUMBA` does so on the CPU.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

from workbench.faces import short_repr
from workbench.kernels.convolution import steps_of
from workbench.kernels.sparse import SpikeList, add_outer, find_events, times
from workbench.neurons.lif import Neuron, Reset


def convolve(
    connection: nn.Conv2d,
    x: Float[Tensor, "n c h w"],
    weight: Float[Tensor, "c_out c_per_group k_h k_w"],
    bias: Float[Tensor, "c_out"] | None,
) -> Float[Tensor, "n c_out h_out w_out"]:
    """The convolution of `connection` with another weight and bias."""
    return F.conv2d(x, weight, bias, connection.stride, connection.padding, connection.dilation, connection.groups)


def add_filters(
    connection: nn.Conv2d,
    grad: Float[Tensor, "c_out c_per_group k_h k_w"],
    x: Float[Tensor, "n c h w"],
    g: Float[Tensor, "n c_out h_out w_out"],
) -> None:
    """Add the gradient of Σ g · `connection`(x) with respect to the filters to `grad`, in place."""
    grad.add_(conv2d_weight(x, grad.shape, g, *steps_of(connection)))  # pyright: ignore


class Fired(NamedTuple):
    """Spikes of a chunk, the last u⁺, and of recurrent layers the events of z[t−1] where they were found on the way."""

    spikes: Float[Tensor, "time batch ..."]
    rest: Float[Tensor, "batch ..."]
    past: SpikeList | None = None


def fire(
    current: Float[Tensor, "time batch *shape"],
    neuron: Neuron,
    reset: Reset,
    rest: Float[Tensor, "batch *shape"],
    recurrent: Float[Tensor, "n n"] | None = None,
    last: Float[Tensor, "batch *shape"] | None = None,
) -> Fired:
    """Turn input currents into potentials u, in place, and give the spikes: `neurons.lif_step` without copies.

    With `recurrent` Ŵ_r and the `last` spikes before the chunk, Ŵ_r z[t−1] is added to the current of every step.
    """
    spikes = torch.empty_like(current)
    for u, z in zip(current.unbind(), spikes.unbind(), strict=True):
        if recurrent is not None and last is not None:
            add_recurrent_current(u, last, recurrent)
        torch.gt(u.add_(rest, alpha=neuron.decay), neuron.threshold, out=z)
        rest = reset(u, z, neuron.threshold)
        last = z
    return Fired(spikes, rest)


def add_recurrent_current(
    current: Float[Tensor, "batch n"], spikes: Float[Tensor, "batch n"], weight: Float[Tensor, "n n"]
) -> None:
    """Add Ŵ_r z to the current, in place; silent neurons are skipped."""
    events = find_events(spikes)
    if events is None:
        current.addmm_(spikes, weight.mT)
    else:
        current.add_(times(events, weight.mT))


class Weighing(NamedTuple):
    """λ_pre, α_pre, and what δh is multiplied with: α_post, times λ_post in the paper's form."""

    lambda_pre: float
    alpha_pre: float
    alpha_post: float


def output_side(
    delta: Float[Tensor, "time batch *shape"],
    psi: Float[Tensor, "time batch *shape"] | None,
    h: Float[Tensor, "time batch *shape"] | None,
    weighing: Weighing,
) -> tuple[Float[Tensor, "time batch *shape"], Float[Tensor, "batch *shape"]]:
    """α_pre ã + α_post δh, which meets x[k], and α_pre λ_pre ã[s], which meets q[s−1]. Equation (*) of
    `credit.eligibility`: ã[k] = Σ_{t≥k} λ_pre^{t−k} δ[t] ψ[t], s the first step of the chunk; ψ = 1 when None."""
    lambda_pre, alpha_pre, alpha_post = weighing
    m = delta.clone(memory_format=torch.contiguous_format) if psi is None else delta * psi
    steps = m.unbind()
    for now, later in zip(steps[-2::-1], steps[:0:-1], strict=True) if lambda_pre else ():
        now.add_(later, alpha=lambda_pre)
    earlier = steps[0] * (alpha_pre * lambda_pre)
    if alpha_pre != 1.0:
        m.mul_(alpha_pre)
    if h is not None:
        m.addcmul_(delta, h, value=alpha_post)
    return m, earlier


def run_h(
    psi: Float[Tensor, "time *shape"], start: Float[Tensor, "*shape"], decay: float
) -> Float[Tensor, "time+1 *shape"]:
    """Σ_{k<t} λ_post^{t−1−k} ψ[k] for every step of a chunk and one more, which starts the next chunk."""
    h = psi.new_empty(len(psi) + 1, *psi.shape[1:])
    h[0] = start
    for before, now, after in zip(h[:-1].unbind(), psi.unbind(), h[1:].unbind(), strict=True):
        torch.add(now, before, alpha=decay, out=after)
    return h


def filter_synapses(
    filtered: Float[Tensor, "batch n_out n_in"],
    psi: Float[Tensor, "batch n_out"],
    q: Float[Tensor, "batch n_in"],
    decay: float,
) -> Float[Tensor, "batch n_out n_in"]:
    """ē[t] = κ ē[t−1] + ψ[t] ⊗ q[t] of e-prop, for every sample and synapse, in the memory of ē[t−1]."""
    return filtered.baddbmm_(psi[:, :, None], q[:, None], beta=decay)


def weigh_synapses(
    signal: Float[Tensor, "batch n_out"], filtered: Float[Tensor, "batch n_out n_in"]
) -> Float[Tensor, "n_out n_in"]:
    """Σ_b L ē, the update of a step under the learning signal L."""
    return torch.einsum("bo,boi->oi", signal, filtered)


class Kernels(NamedTuple):
    """Events of a matrix, firing, the trace h, the output side, Xᵀ G added to a gradient, a convolution, its gradient
    added, and of e-prop the trace of every synapse and what the learning signal makes of it."""

    find_events: Callable[[Tensor], SpikeList | None]
    fire: Callable[..., Fired]
    run_h: Callable[[Tensor, Tensor, float], Tensor]
    output_side: Callable[..., tuple[Tensor, Tensor]]
    add_outer: Callable[[Tensor, SpikeList, Tensor], None]
    convolve: Callable[[nn.Conv2d, Tensor, Tensor, Tensor | None], Tensor]
    add_filters: Callable[[nn.Conv2d, Tensor, Tensor, Tensor], None]
    filter_synapses: Callable[[Tensor, Tensor, Tensor, float], Tensor]
    weigh_synapses: Callable[[Tensor, Tensor], Tensor]

    __repr__ = short_repr


# plain PyTorch, on any device
TORCH = Kernels(
    find_events, fire, run_h, output_side, add_outer, convolve, add_filters, filter_synapses, weigh_synapses
)
