"""One synapse between two neurons under four rules: what it remembers, and what a learning signal makes of it.

    e[t] = α_pre ψ[t] q[t] + α_post x[t] h[t]          eligibility (`workbench.neurons.traces`, S-TLLR eq. 10)
    ē[t] = κ ē[t−1] + e[t]                             e-prop filters it as the readout does; others have κ = 0
    Δw[t] = Σ_{s≤t} −δ[s] ē[s]                          −δ, the argument `signal`, is positive for "fire more"

    S-TLLR   ψ of the membrane, both terms             OTTT    ψ, causal term only, λ_pre = γ of the membrane
    e-prop   as OTTT, and filtered                     pair STDP   the spike itself in place of ψ, and m = 1 always

Time is in steps, everything else is dimensionless. The neurons are made up: somebody says when they fire.
"""

import functools
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from workbench.checks import COUNT_OR_ZERO, FINITE, POSITIVE, Array, as_floats, check_kind, check_number
from workbench.faces import short_repr
from workbench.neurons.decay import check_decay
from workbench.neurons.surrogate import triangle
from workbench.neurons.traces import Factors, check_factors, check_spikes, decay_matrix, post_trace, run_trace
from workbench.neurons.windows import PairRule, factors_of


class SynapseRule(NamedTuple):
    """factors: λ and α of the eligibility. kappa: κ. by_spikes: the spike stands in the place of ψ. taught: there is a
    learning signal; else m = 1."""

    factors: Factors
    kappa: float = 0.0
    by_spikes: bool = False
    taught: bool = True

    __repr__ = short_repr


class SynapseRun(NamedTuple):
    """Of each step: q, h, the two terms of the eligibility (filtered), and the weight change so far."""

    q: Float[Tensor, "time"]
    h: Float[Tensor, "time"]
    causal: Float[Tensor, "time"]
    non_causal: Float[Tensor, "time"]
    weight: Float[Tensor, "time"]


def stllr_synapse(factors: Factors) -> SynapseRule:
    """S-TLLR."""
    return SynapseRule(check_factors(factors))


def ottt_synapse(decay: float) -> SynapseRule:
    """OTTT: the input is remembered as the membrane remembers it, γ = `decay`."""
    return SynapseRule(check_factors(Factors(0.0, decay, 0.0, 1.0)))


def eprop_synapse(decay: float, kappa: float) -> SynapseRule:
    """e-prop: as OTTT, and the eligibility is filtered by κ, the decay of the readout."""
    check_decay(kappa)
    return SynapseRule(check_factors(Factors(0.0, decay, 0.0, 1.0)), kappa)


def stdp_synapse(rule: PairRule) -> SynapseRule:
    """Pair STDP: nobody teaches."""
    return SynapseRule(factors_of(rule), by_spikes=True, taught=False)


def closeness(spikes: Shaped[Array, "time"], width: float) -> Float[Tensor, "time"]:
    """A made-up ψ: 1 where the neuron fires, falling to 0 within `width` steps on either side.

    >>> closeness(torch.tensor([0.0, 0.0, 1.0, 0.0]), width=2.0)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    check_number(width, "width, in steps,", POSITIVE)
    spikes = as_floats(spikes, "spikes")
    if spikes.ndim != 1:
        raise ValueError(f"spikes must have the shape (time,), got {tuple(spikes.shape)}")
    steps, fired = torch.arange(len(spikes)), spikes.nonzero()[:, 0]
    away = (steps[:, None] - fired).to(spikes.dtype)
    return triangle(away, width=max(float(width), 1e-30)).amax(1) if len(fired) else torch.zeros_like(spikes)


def signal_window(steps: int, start: int, length: int, strength: float) -> Float[Tensor, "time"]:
    """m: `strength` for `length` steps from `start` on (as far as there are steps), else 0."""
    for name, count in (("steps", steps), ("start", start), ("length", length)):
        check_number(count, name, COUNT_OR_ZERO)
    check_number(strength, "strength", FINITE)
    signal = torch.zeros(int(steps), dtype=torch.float64)
    signal[int(start) : int(start + length)] = float(strength)
    return signal


def run_synapse(
    x: Shaped[Array, "time"],
    z: Shaped[Array, "time"],
    psi: Shaped[Array, "time"],
    signal: Shaped[Array, "time"],
    rule: SynapseRule,
) -> SynapseRun:
    """The synapse step by step, by traces. x: pre spikes, z: post spikes, psi: ψ, signal: m."""
    x, post, m = _checked(x, z, psi, signal, rule)
    q, h = run_trace(x, rule.factors.lambda_pre), post_trace(post, rule.factors.lambda_post)
    causal = run_trace(rule.factors.alpha_pre * post * q, rule.kappa)
    non_causal = run_trace(rule.factors.alpha_post * x * h, rule.kappa)
    return SynapseRun(q, h, causal, non_causal, (m * (causal + non_causal)).cumsum(0))


def pair_contributions(
    x: Shaped[Array, "time"],
    z: Shaped[Array, "time"],
    psi: Shaped[Array, "time"],
    signal: Shaped[Array, "time"],
    rule: SynapseRule,
) -> Float[Tensor, "time_post time_pre"]:
    """What each pair of a post step (row) and a pre step (column) adds to the weight, without any trace.

    On and below the diagonal pre came first (causal), above it post. All of them add up to `run_synapse`'s last weight.
    """
    x, post, m = _checked(x, z, psi, signal, rule)
    later = decay_matrix(len(x), rule.kappa, x).T @ m  # Σ_{t ≥ s} κ^{t−s} m[t]: what the signal makes of e[s]
    causal = rule.factors.alpha_pre * decay_matrix(len(x), rule.factors.lambda_pre, x) * later[:, None]
    ages = decay_matrix(len(x), rule.factors.lambda_post, x).T.triu(1)
    return post[:, None] * x * (causal + rule.factors.alpha_post * ages * later)


def _checked(x: Array, z: Array, psi: Array, signal: Array, rule: SynapseRule) -> tuple[Tensor, Tensor, Tensor]:
    """x, what stands in the place of ψ, and m."""
    check_factors(check_kind(rule, SynapseRule).factors)
    check_decay(rule.kappa)
    x, z, psi, m = (check_spikes(each, name) for each, name in ((x, "x"), (z, "z"), (psi, "psi"), (signal, "signal")))
    shapes = [tuple(each.shape) for each in (x, z, psi, m)]
    if x.ndim != 1 or len({*shapes}) > 1:
        raise ValueError(f"x, z, psi and signal must have one shape (time,), got {', '.join(map(str, shapes))}")
    dtype = functools.reduce(torch.promote_types, (each.dtype for each in (x, z, psi, m)))
    x, z, psi, m = (each.to(dtype) for each in (x, z, psi, m))
    return x, z if rule.by_spikes else psi, m if rule.taught else torch.ones_like(m)
