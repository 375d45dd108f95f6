"""The leaky integrate-and-fire (LIF) neuron of S-TLLR and TESS, in discrete time.

Papers: S-TLLR (arXiv 2306.15220), eq. 1-2; TESS (arXiv 2502.01837), eq. 1-2.

    u[t] = γ u⁺[t−1] + I[t]            membrane potential before the reset, I[t] = W x[t] + b
    z[t] = 1[u[t] > v_th]              spike (strictly above the threshold)
    u⁺[t] = u[t] − v_th z[t]           after the soft reset; the hard reset is u[t] (1 − z[t])

The paper prints u[t] = γ (u[t−1] − v_th z[t−1]) + I[t], which is the same with u⁺ written out.
Symbols: γ decay of the membrane per step, v_th threshold, u⁺ `rest`. Everything is dimensionless, time is in steps.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from workbench.checks import POSITIVE_FLOAT32, SHARE, Array, as_floats, check_kind, check_like
from workbench.faces import short_repr
from workbench.neurons.surrogate import heaviside


class Neuron(NamedTuple):
    """Constants of a LIF neuron: membrane decay γ per step, and threshold v_th."""

    decay: float = 0.5
    threshold: float = 0.6

    __repr__ = short_repr


class Membrane(NamedTuple):
    """What one or many LIF steps give: spikes z, membrane u before the reset, and u⁺ after it."""

    spikes: Float[Tensor, "..."]
    potential: Float[Tensor, "..."]
    rest: Float[Tensor, "..."]


Reset = Callable[[Tensor, Tensor, float], Tensor]  # (u, z, v_th) → u⁺
Fire = Callable[[Tensor], Tensor]  # u − v_th → z


def check_neuron(neuron: Neuron) -> Neuron:
    """Return `neuron`, or raise ValueError when γ is outside [0, 1] or v_th is no positive number of float32."""
    check_kind(neuron, Neuron)
    if not SHARE.holds(neuron.decay):
        raise ValueError(f"the membrane decay γ must lie in [0, 1], got {neuron.decay!r}")
    if not POSITIVE_FLOAT32.holds(neuron.threshold):
        raise ValueError(f"the threshold v_th must be {POSITIVE_FLOAT32.words}, got {neuron.threshold!r}")
    return neuron


def soft_reset(u: Float[Tensor, "*shape"], z: Float[Tensor, "*shape"], threshold: float) -> Float[Tensor, "*shape"]:
    """u⁺ = u − v_th z: what exceeds the threshold is kept. The spike is detached (the papers' reset)."""
    return torch.sub(u, z.detach(), alpha=threshold)


def hard_reset(u: Float[Tensor, "*shape"], z: Float[Tensor, "*shape"], threshold: float) -> Float[Tensor, "*shape"]:
    """u⁺ = u (1 − z): back to zero after a spike. The spike is detached."""
    return u * (1.0 - z.detach())


def unit_reset(u: Float[Tensor, "*shape"], z: Float[Tensor, "*shape"], threshold: float) -> Float[Tensor, "*shape"]:
    """u⁺ = u − z: takes away 1 whatever the threshold. The released code of TESS does so; its paper has v_th."""
    return u - z.detach()


def late_reset(
    u: Float[Tensor, "*shape"], z: Float[Tensor, "*shape"], threshold: float, decay: float
) -> Float[Tensor, "*shape"]:
    """u⁺ = u − (v_th / γ) z, of which γ u⁺ lacks the whole threshold one step later, as in snnTorch; `decay` is γ."""
    return torch.sub(u, z.detach(), alpha=threshold / decay)


def no_reset(u: Float[Tensor, "*shape"], z: Float[Tensor, "*shape"], threshold: float) -> Float[Tensor, "*shape"]:
    """u⁺ = u: a leaky integrator that also reports threshold crossings."""
    return u


def lif_step(
    current: Float[Tensor, "*shape"],
    rest: Float[Tensor, "*shape"],
    neuron: Neuron,
    reset: Reset = soft_reset,
    fire: Fire = heaviside,
) -> Membrane:
    """One time step: input current I[t] and u⁺[t−1] to spikes, potential and u⁺[t], all of the same shape.

    `fire` turns v = u − v_th into spikes: `heaviside` (no gradient), or `partial(spike, psi=...)` to differentiate.
    """
    u = torch.add(current, rest, alpha=neuron.decay)
    z = fire(u - neuron.threshold)
    return Membrane(z, u, reset(u, z, neuron.threshold))


def run_lif(
    current: Shaped[Array, "time *shape"],
    neuron: Neuron,
    rest: Float[Tensor, "*shape"] | None = None,
    reset: Reset = soft_reset,
    fire: Fire = heaviside,
) -> Membrane:
    """`lif_step` over a whole sequence; spikes and potential are `(time, *shape)`, rest is the last u⁺ `(*shape)`.

    >>> run_lif(torch.full((4,), 0.5), Neuron(decay=0.5, threshold=0.6)).spikes
    tensor([0., 1., 0., 1.])
    """
    current = as_floats(current, "the input current")
    if not current.ndim or current.shape[0] == 0:
        raise ValueError("the input current has no time step; give at least one, shape (time, ...)")
    check_neuron(neuron)
    rest = torch.zeros_like(current[0]) if rest is None else check_like(rest, "rest", current[0])
    spikes, potential = [], []
    for I in current:  # noqa: E741  (the field's letter for an input current)
        z, u, rest = lif_step(I, rest, neuron, reset, fire)
        spikes.append(z)
        potential.append(u)
    return Membrane(torch.stack(spikes), torch.stack(potential), rest)
