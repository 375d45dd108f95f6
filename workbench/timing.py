"""Timing windows two ways: by the sum over all pairs of spikes, and by two traces that remember no spike time.

Pair STDP (`PairRule`) and S-TLLR (`Factors`, eq. 10) have windows of one form (see `workbench.traces`), so what is
here takes `Factors` and `factors_of` says which ones a pair rule has. Time is in steps.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.traces import Factors, PairRule, eligibility, stllr_window


def factors_of(rule: PairRule, dt: float = 1.0) -> Factors:
    """Pair STDP written as S-TLLR's window, for steps of `dt` ms: λ = exp(−dt/τ), α_pre = A₊, α_post = −A₋.

    >>> factors_of(PairRule(a_plus=1.0, a_minus=0.5)).alpha_post
    -0.5
    """
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
    pre: Float[Tensor, "time"], post: Float[Tensor, "time"], factors: Factors, released: bool = False
) -> Float[Tensor, "time"]:
    """Weight change of one synapse accumulated up to each step, Σ_{k≤t} e[k]: two numbers are kept between steps."""
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
