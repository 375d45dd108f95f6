"""What a decay per step means in words: how long it remembers, and how far it can fill up.

A membrane u[t] = γ u⁺[t−1] + I[t] and a trace q[t] = λ q[t−1] + x[t] (`neurons.lif`, `neurons.traces`) both keep
the fraction `decay` of what they held one step before. After n steps decay^n of it is left.
"""

import math

from jaxtyping import Float, Shaped
from torch import Tensor

from workbench.checks import SHARE, Array
from workbench.neurons.traces import check_spikes, decay_matrix


def time_constant(decay: float) -> float:
    """Steps until a fraction 1/e is left: −1 / ln decay; 0 for decay 0, infinite for decay 1.

    >>> round(time_constant(0.9), 2)
    9.49
    """
    check_decay(decay)
    if decay in (0.0, 1.0):
        return math.inf if decay else 0.0
    return -1.0 / math.log(decay)


def half_life(decay: float) -> float:
    """Steps until one half is left: ln 2 times the time constant.

    >>> half_life(0.5)
    1.0
    """
    return math.log(2.0) * time_constant(decay)


def geometric_limit(decay: float) -> float:
    """Where a trace ends that gets 1 at every step: 1 + decay + decay² + … = 1 / (1 − decay); infinite for decay 1.

    >>> geometric_limit(0.75)
    4.0
    """
    check_decay(decay)
    return math.inf if decay == 1.0 else 1.0 / (1.0 - decay)


def single_traces(x: Shaped[Array, "time"], decay: float) -> Float[Tensor, "n_spikes time"]:
    """One row x[k] decay^{t−k} for each step k with x[k] ≠ 0: all that is to be remembered without a trace.

    The sum over the rows is `run_trace(x, decay)`.

    >>> import torch
    >>> single_traces(torch.tensor([1.0, 0.0, 1.0]), decay=0.5)
    tensor([[1.0000, 0.5000, 0.2500],
            [0.0000, 0.0000, 1.0000]])
    """
    x = check_spikes(x)
    check_decay(decay)
    if x.ndim != 1:
        raise ValueError(f"x must have the shape (time,), got {tuple(x.shape)}")
    spiking = x.nonzero()[:, 0]
    return (decay_matrix(len(x), decay, x)[:, spiking] * x[spiking]).T


def check_decay(decay: float) -> None:
    """Raise ValueError when `decay` is not in [0, 1]."""
    if not SHARE.holds(decay):
        raise ValueError(f"a decay per step must lie in [0, 1], got {decay!r}")
