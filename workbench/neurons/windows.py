"""Timing windows two ways: by the sum over all pairs of spikes, and by two traces that remember no spike time.

Pair STDP (`PairRule`) and S-TLLR (`Factors`, eq. 10) have windows of one form (see `neurons.traces`), so what is
here takes `Factors` and `factors_of` says which ones a pair rule has. Time is in steps.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from workbench.checks import FINITE_FLOAT32, POSITIVE, Array, check_fields, check_number
from workbench.faces import short_repr
from workbench.neurons.traces import (
    Factors,
    check_factors,
    check_pair,
    check_spikes,
    eligibility,
    post_trace,
    run_trace,
)

BRIEFEST = 1e-30  # ms: a shorter time constant is 0 in float32, and 0 / 0 no number
LONGEST = 1e38  # ms: a longer one is infinite in float32, and ∞ / ∞ no number


class PairRule(NamedTuple):
    """Pair STDP: amplitudes A₊, A₋ (dimensionless, both positive) and time constants τ₊, τ₋ in milliseconds."""

    a_plus: float = 1.0
    a_minus: float = 1.0
    tau_plus: float = 20.0
    tau_minus: float = 20.0

    __repr__ = short_repr


def check_pair_rule(rule: PairRule) -> PairRule:
    """Return `rule`, or raise ValueError when an amplitude is no finite float32 or a time constant not above 0."""
    return check_fields(
        rule, PairRule, a_plus=FINITE_FLOAT32, a_minus=FINITE_FLOAT32, tau_plus=POSITIVE, tau_minus=POSITIVE
    )


def stdp_window(
    lag: Float[Tensor, "*shape"], rule: PairRule, potentiation: bool = True, depression: bool = True
) -> Float[Tensor, "*shape"]:
    """Weight change of one spike pair at `lag` = t_post − t_pre in ms.

    A₊ exp(−lag/τ₊) for lag ≥ 0 (pre before post: causal), −A₋ exp(lag/τ₋) for lag < 0 (non-causal).
    Coincident spikes count as causal, as in S-TLLR, whose pre trace includes the present.
    """
    check_pair_rule(rule)
    tau_plus, tau_minus = (min(max(tau, BRIEFEST), LONGEST) for tau in (rule.tau_plus, rule.tau_minus))
    causal = rule.a_plus * torch.exp(-lag.clamp(min=0.0) / tau_plus) * (lag >= 0)
    non_causal = -rule.a_minus * torch.exp(lag.clamp(max=0.0) / tau_minus) * (lag < 0)
    return potentiation * causal + depression * non_causal


def stdp_pair_sum(pre: Float[Tensor, "n_pre"], post: Float[Tensor, "n_post"], rule: PairRule) -> Float[Tensor, ""]:
    """Total weight change: the window summed over all pairs of spike times in ms (all-to-all)."""
    return stdp_window(post[:, None] - pre, rule).sum()


def stdp_by_traces(
    pre: Shaped[Array, "time"], post: Shaped[Array, "time"], rule: PairRule, dt: float = 1.0
) -> Float[Tensor, "time"]:
    """Weight change accumulated up to each step, by two traces instead of all pairs.

    `pre` and `post` hold 0 or 1 per step of `dt` ms. The last value equals `stdp_pair_sum` of the same spikes.
    """
    decay_minus, decay_plus, *_ = factors_of(rule, dt)
    pre, post = check_spikes(pre, "pre"), check_spikes(post, "post")
    q = run_trace(pre, decay_plus)
    h = post_trace(post, decay_minus)
    return torch.cumsum(rule.a_plus * post * q - rule.a_minus * pre * h, dim=0)


def stllr_window(lag: Float[Tensor, "*shape"], factors: Factors, released: bool = False) -> Float[Tensor, "*shape"]:
    """S-TLLR's timing window: the eligibility left by one pre spike at 0 and one post activation ψ = 1 at `lag` steps.

    α_pre λ_pre^lag for lag ≥ 0, α_post λ_post^|lag| for lag < 0; the released code has λ_post^(|lag|−1) there.
    α_post = −1 gives the classical antisymmetric window, +1 the symmetric one, 0 the causal one.
    """
    check_factors(factors)
    causal = factors.alpha_pre * _power(factors.lambda_pre, lag.clamp(min=0.0)) * (lag >= 0)
    age = -lag.clamp(max=0.0) - (1.0 if released else 0.0)
    return causal + factors.alpha_post * _power(factors.lambda_post, age.clamp(min=0.0)) * (lag < 0)


def stllr_pair_sum(
    x: Shaped[Array, "time n_in"], psi: Shaped[Array, "time n_out"], factors: Factors, released: bool = False
) -> Float[Tensor, "n_out n_in"]:
    """Σ_t e_ij[t] by the window over all pairs of steps, without any trace: what the recursion must reproduce."""
    x, psi = check_pair(x, psi)
    steps = torch.arange(x.shape[0], dtype=x.dtype, device=x.device)
    window = stllr_window(steps[:, None] - steps, factors, released)  # (t_post, t_pre)
    return torch.einsum("si,st,tj->ij", psi, window, x)


def _power(base: float, exponent: Tensor) -> Tensor:
    """base ** exponent with 0 ** 0 = 1."""
    return torch.full_like(exponent, base).pow(exponent)


def factors_of(rule: PairRule, dt: float = 1.0) -> Factors:
    """Pair STDP written as S-TLLR's window, for steps of `dt` ms: λ = exp(−dt/τ), α_pre = A₊, α_post = −A₋.

    >>> factors_of(PairRule(a_plus=1.0, a_minus=0.5)).alpha_post
    -0.5
    """
    check_pair_rule(rule)
    check_number(dt, "dt, ms per step,", POSITIVE)
    return Factors(
        lambda_post=math.exp(-dt / rule.tau_minus),
        lambda_pre=math.exp(-dt / rule.tau_plus),
        alpha_post=-rule.a_minus,
        alpha_pre=rule.a_plus,
    )


def window_by_traces(lags: Int[Tensor, "n"], factors: Factors, released: bool = False) -> Float[Tensor, "n"]:
    """`stllr_window` measured instead of calculated: one pre spike, one post spike `lag` steps later, two traces."""
    reach = int(lags.abs().max())
    x = torch.zeros(2 * reach + 1, 1, dtype=torch.float64)
    psi = torch.zeros(2 * reach + 1, len(lags), dtype=torch.float64)
    x[reach] = psi[reach + lags, torch.arange(len(lags))] = 1.0
    return eligibility(x, psi, factors, released).sum(0)[:, 0]


def change_by_traces(
    pre: Shaped[Array, "time"], post: Shaped[Array, "time"], factors: Factors, released: bool = False
) -> Float[Tensor, "time"]:
    """Weight change of one synapse accumulated up to each step, Σ_{k≤t} e[k]: two numbers are kept between steps."""
    pre, post = check_spikes(pre, "pre"), check_spikes(post, "post")
    return eligibility(pre[:, None], post[:, None], factors, released)[:, 0, 0].cumsum(0)


def change_by_pairs(
    pre: Int[Tensor, "n_pre"], post: Int[Tensor, "n_post"], steps: int, factors: Factors, released: bool = False
) -> Float[Tensor, "time"]:
    """The same from the spike times: each pair adds its window value at the step of its later spike."""
    lag = post[:, None] - pre
    later = torch.maximum(post[:, None], pre.expand_as(lag))
    change = torch.zeros(steps, dtype=torch.float64)
    change.index_add_(0, later.flatten(), stllr_window(lag.double(), factors, released).flatten())
    return change.cumsum(0)
