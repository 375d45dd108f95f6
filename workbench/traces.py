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

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Factors(NamedTuple):
    """(λ_post, λ_pre, α_post, α_pre) in the paper's order; defaults as for DVS Gesture (paper, Table 1)."""

    lambda_post: float = 0.2
    lambda_pre: float = 0.75
    alpha_post: float = -1.0
    alpha_pre: float = 1.0


def check_factors(factors: Factors) -> Factors:
    """Return `factors`, or raise ValueError when a decay is outside [0, 1)."""
    for name in ("lambda_post", "lambda_pre"):
        value = getattr(factors, name)
        if not 0.0 <= value < 1.0:
            raise ValueError(f"{name} is a decay per step and must lie in [0, 1), got {value!r}")
    return factors


def trace_step(trace: Float[Tensor, "*shape"], x: Float[Tensor, "*shape"], decay: float) -> Float[Tensor, "*shape"]:
    """q[t] = λ q[t−1] + x[t]."""
    return torch.add(x, trace, alpha=decay)


def run_trace(
    x: Float[Tensor, "time *shape"], decay: float, start: Float[Tensor, "*shape"] | None = None
) -> Float[Tensor, "time *shape"]:
    """All q[t] of a sequence by the recursion `trace_step`, from q[−1] = `start` (zero when None).

    >>> run_trace(torch.tensor([1.0, 0.0, 0.0]), decay=0.5)
    tensor([1.0000, 0.5000, 0.2500])
    """
    trace = torch.zeros_like(x[0]) if start is None else start
    traces = []
    for now in x:
        trace = trace_step(trace, now, decay)
        traces.append(trace)
    return torch.stack(traces)


def decay_matrix(steps: int, decay: float, like: Tensor) -> Float[Tensor, "time time"]:
    """D[t, k] = λ^{t−k} for k ≤ t, else 0: `D @ x` is the trace of x, `Dᵀ @ a` the trace of a run backwards."""
    age = torch.arange(steps, device=like.device)
    age = age[:, None] - age
    powers = torch.full((), decay, dtype=like.dtype, device=like.device).pow(age.clamp(min=0))
    return powers.masked_fill(age < 0, 0.0)


def post_trace(psi: Float[Tensor, "time *shape"], decay: float, released: bool = False) -> Float[Tensor, "time *shape"]:
    """h[t], the trace of ψ that excludes the present; `released` leaves out the paper's extra factor λ_post."""
    before = torch.zeros_like(psi)
    before[1:] = run_trace(psi, decay)[:-1]
    return before if released else decay * before


def eligibility(
    x: Float[Tensor, "time n_in"],
    psi: Float[Tensor, "time n_out"],
    factors: Factors,
    released: bool = False,
) -> Float[Tensor, "time n_out n_in"]:
    """e_ij[t] of eq. 10 for every synapse and step, written out as a matrix. For pictures and tests only: it is what
    the rule avoids storing."""
    q = run_trace(x, factors.lambda_pre)
    h = post_trace(psi, factors.lambda_post, released)
    causal = factors.alpha_pre * psi[:, :, None] * q[:, None, :]
    return causal + factors.alpha_post * h[:, :, None] * x[:, None, :]


# Timing windows: the weight change that one pre spike and one post spike cause together.


class PairRule(NamedTuple):
    """Pair STDP: amplitudes A₊, A₋ (dimensionless, both positive) and time constants τ₊, τ₋ in milliseconds."""

    a_plus: float = 1.0
    a_minus: float = 1.0
    tau_plus: float = 20.0
    tau_minus: float = 20.0


def stdp_window(
    lag: Float[Tensor, "*shape"], rule: PairRule, potentiation: bool = True, depression: bool = True
) -> Float[Tensor, "*shape"]:
    """Weight change of one spike pair at `lag` = t_post − t_pre in ms.

    A₊ exp(−lag/τ₊) for lag ≥ 0 (pre before post: causal), −A₋ exp(lag/τ₋) for lag < 0 (non-causal).
    Coincident spikes count as causal, as in S-TLLR, whose pre trace includes the present.
    """
    causal = rule.a_plus * torch.exp(-lag.clamp(min=0.0) / rule.tau_plus) * (lag >= 0)
    non_causal = -rule.a_minus * torch.exp(lag.clamp(max=0.0) / rule.tau_minus) * (lag < 0)
    return potentiation * causal + depression * non_causal


def stdp_pair_sum(pre: Float[Tensor, "n_pre"], post: Float[Tensor, "n_post"], rule: PairRule) -> Float[Tensor, ""]:
    """Total weight change: the window summed over all pairs of spike times in ms (all-to-all)."""
    return stdp_window(post[:, None] - pre, rule).sum()


def stdp_by_traces(
    pre: Float[Tensor, "time"], post: Float[Tensor, "time"], rule: PairRule, dt: float = 1.0
) -> Float[Tensor, "time"]:
    """Weight change accumulated up to each step, by two traces instead of all pairs.

    `pre` and `post` hold 0 or 1 per step of `dt` ms. The last value equals `stdp_pair_sum` of the same spikes.
    """
    decay_plus, decay_minus = math.exp(-dt / rule.tau_plus), math.exp(-dt / rule.tau_minus)
    q = run_trace(pre, decay_plus)
    h = post_trace(post, decay_minus)
    return torch.cumsum(rule.a_plus * post * q - rule.a_minus * pre * h, dim=0)


def stllr_window(lag: Float[Tensor, "*shape"], factors: Factors, released: bool = False) -> Float[Tensor, "*shape"]:
    """S-TLLR's timing window: the eligibility left by one pre spike at 0 and one post activation ψ = 1 at `lag` steps.

    α_pre λ_pre^lag for lag ≥ 0, α_post λ_post^|lag| for lag < 0; the released code has λ_post^(|lag|−1) there.
    α_post = −1 gives the classical antisymmetric window, +1 the symmetric one, 0 the causal one.
    """
    causal = factors.alpha_pre * _power(factors.lambda_pre, lag.clamp(min=0.0)) * (lag >= 0)
    age = -lag.clamp(max=0.0) - (1.0 if released else 0.0)
    return causal + factors.alpha_post * _power(factors.lambda_post, age.clamp(min=0.0)) * (lag < 0)


def stllr_pair_sum(
    x: Float[Tensor, "time n_in"], psi: Float[Tensor, "time n_out"], factors: Factors, released: bool = False
) -> Float[Tensor, "n_out n_in"]:
    """Σ_t e_ij[t] by the window over all pairs of steps, without any trace: what the recursion must reproduce."""
    steps = torch.arange(x.shape[0], dtype=x.dtype, device=x.device)
    window = stllr_window(steps[:, None] - steps, factors, released)  # (t_post, t_pre)
    return torch.einsum("si,st,tj->ij", psi, window, x)


def _power(base: float, exponent: Tensor) -> Tensor:
    """base ** exponent with 0 ** 0 = 1."""
    return torch.full_like(exponent, base).pow(exponent)
