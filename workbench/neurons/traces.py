"""Traces: what a synapse remembers of the past, and the timing windows that follow from them.

A trace is a sum that forgets: q[t] = λ q[t−1] + x[t] = Σ_{k≤t} λ^{t−k} x[k], one number per neuron, whatever t.

Papers: pair rule, Morrison, Diesmann & Gerstner 2008 (doi 10.1007/s00422-008-0233-1), and
S-TLLR (arXiv 2306.15220), eq. 10:

    e_ij[t] = α_pre ψ_i[t] q_j[t]  +  α_post x_j[t] h_i[t]         eligibility of the synapse j → i
              causal: post now,       non-causal: pre now,
              pre before              post before

    q_j[t] = Σ_{k≤t} λ_pre^{t−k} x_j[k]         pre trace, includes the present
    h_i[t] = Σ_{k<t} λ_post^{t−k} ψ_i[k]        post trace, excludes the present (paper)
             Σ_{k<t} λ_post^{t−1−k} ψ_i[k]      the same without one factor λ_post (released code, and TESS eq. 7)

Symbols: x_j pre-synaptic spikes, ψ_i = Ψ(u_i) secondary activation of the post-synaptic neuron, λ decay per step.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from workbench.checks import FINITE_FLOAT32, SHARE, Array, as_floats, check_fields, check_like, check_number
from workbench.faces import short_repr


class Factors(NamedTuple):
    """(λ_post, λ_pre, α_post, α_pre) in the paper's order; defaults as for DVS Gesture (paper, Table 2)."""

    lambda_post: float = 0.2
    lambda_pre: float = 0.75
    alpha_post: float = -1.0
    alpha_pre: float = 1.0

    __repr__ = short_repr


# The paper's factors for its five data sets (S-TLLR, Table 2).
GESTURE = Factors()  # DVS Gesture
FILMED_IMAGES = Factors(0.2, 0.5, -1.0, 1.0)  # DVS CIFAR10
SACCADES = Factors(0.2, 0.5, -1.0, 1.0)  # N-Caltech101
SPOKEN_DIGITS = Factors(0.5, 1.0, 1.0, 1.0)  # SHD
MOTION = Factors(0.5, 0.8, -0.2, 1.0)  # MVSEC


def check_factors(factors: Factors) -> Factors:
    """Return `factors`, or raise ValueError when a decay is outside [0, 1] or α no finite number of float32.

    λ = 1 forgets nothing (the paper's λ_pre for spoken digits).
    """
    check_fields(factors, Factors, alpha_post=FINITE_FLOAT32, alpha_pre=FINITE_FLOAT32)
    for name in ("lambda_post", "lambda_pre"):
        value = getattr(factors, name)
        if not SHARE.holds(value):
            raise ValueError(f"{name} is a decay per step and must lie in [0, 1], got {value!r}")
    return factors


def check_spikes(x: Array, name: str = "x") -> Float[Tensor, "time ..."]:
    """x as floating-point numbers, be it bool or integers; ValueError where there is no step."""
    x = as_floats(x, name)
    if not x.ndim or not len(x):
        raise ValueError(f"{name} needs at least one step, shape (time, ...), got {tuple(x.shape)}")
    return x


def check_pair(x: Array, psi: Array) -> tuple[Float[Tensor, "time n_in"], Float[Tensor, "time n_out"]]:
    """Both as floating-point numbers of one type; ValueError unless each is (time, neurons), with as many steps."""
    x, psi = check_spikes(x), check_spikes(psi, "psi")
    if x.ndim != 2 or psi.ndim != 2 or len(x) != len(psi):
        raise ValueError(
            f"x must be (time, n_in) and psi (time, n_out) with as many steps, got {tuple(x.shape)} and "
            f"{tuple(psi.shape)}"
        )
    dtype = torch.promote_types(x.dtype, psi.dtype)
    return x.to(dtype), psi.to(dtype)


def trace_step(trace: Float[Tensor, "*shape"], x: Shaped[Array, "*shape"], decay: float) -> Float[Tensor, "*shape"]:
    """q[t] = λ q[t−1] + x[t]."""
    return torch.add(as_floats(x), trace, alpha=decay)


def run_trace(
    x: Shaped[Array, "time *shape"], decay: float, start: Float[Tensor, "*shape"] | None = None
) -> Float[Tensor, "time *shape"]:
    """All q[t] of a sequence by the recursion `trace_step`, from q[−1] = `start` (zero when None).

    >>> run_trace(torch.tensor([1.0, 0.0, 0.0]), decay=0.5)
    tensor([1.0000, 0.5000, 0.2500])
    """
    x = check_spikes(x)
    check_number(decay, "decay", SHARE)
    trace = torch.zeros_like(x[0]) if start is None else check_like(start, "start", x[0])
    traces = []
    for now in x:
        trace = trace_step(trace, now, decay)
        traces.append(trace)
    return torch.stack(traces)


def decay_matrix(steps: int, decay: float, like: Shaped[Tensor, "..."]) -> Float[Tensor, "time time"]:
    """D[t, k] = λ^{t−k} for k ≤ t, else 0: `D @ x` is the trace of x, `Dᵀ @ a` the trace of a run backwards."""
    age = torch.arange(steps, device=like.device)
    age = age[:, None] - age
    powers = torch.full((), decay, dtype=like.dtype, device=like.device).pow(age.clamp(min=0))
    return powers.masked_fill(age < 0, 0.0)


def post_trace(psi: Shaped[Array, "time *shape"], decay: float, released: bool = False) -> Float[Tensor, "time *shape"]:
    """h[t], the trace of ψ that excludes the present; `released` leaves out the paper's extra factor λ_post."""
    psi = check_spikes(psi, "psi")
    check_number(decay, "decay", SHARE)
    before = torch.zeros_like(psi)
    before[1:] = run_trace(psi, decay)[:-1]
    return before if released else decay * before


def eligibility(
    x: Shaped[Array, "time n_in"],
    psi: Shaped[Array, "time n_out"],
    factors: Factors,
    released: bool = False,
) -> Float[Tensor, "time n_out n_in"]:
    """e_ij[t] of eq. 10 for every synapse and step, written out as a matrix. For pictures and tests only: it is what
    the rule avoids storing."""
    check_factors(factors)
    x, psi = check_pair(x, psi)
    q = run_trace(x, factors.lambda_pre)
    h = post_trace(psi, factors.lambda_post, released)
    causal = factors.alpha_pre * psi[:, :, None] * q[:, None, :]
    return causal + factors.alpha_post * h[:, :, None] * x[:, None, :]


# Timing windows: the weight change that one pre spike and one post spike cause together.
