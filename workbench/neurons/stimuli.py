"""Small inputs for a single neuron or synapse: currents and spike trains over time, `(time)`, in float64.

Time is in steps, strengths are dimensionless, and a seed fixes everything that is random.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.checks import COUNT, FINITE, Span, check_number


def constant_current(steps: int, strength: float) -> Float[Tensor, "time"]:
    """The same current at every step.

    >>> constant_current(3, 0.5)
    tensor([0.5000, 0.5000, 0.5000], dtype=torch.float64)
    """
    check_number(strength, "strength", FINITE)
    return torch.full((check_count("steps", steps),), float(strength), dtype=torch.float64)


def regular_spikes(steps: int, interval: int) -> Float[Tensor, "time"]:
    """One spike every `interval` steps, the first at step `interval` − 1; 1 gives a spike at every step.

    >>> regular_spikes(5, interval=2)
    tensor([0., 1., 0., 1., 0.], dtype=torch.float64)
    """
    train, interval = constant_current(steps, 0.0), check_count("interval", interval)
    train[interval - 1 :: interval] = 1.0
    return train


def random_spikes(steps: int, interval: float, seed: int = 0) -> Float[Tensor, "time"]:
    """At each step a spike with probability 1 / `interval`, independent of all others (a Bernoulli process).

    The same seed draws the same numbers, so a shorter interval keeps every spike and adds more.
    """
    check_number(interval, "interval, the mean number of steps between spikes,", Span("at least 1", 1.0))
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(check_count("steps", steps), dtype=torch.float64, generator=generator)
    return (drawn < 1.0 / interval).double()


def spikes_at(times: Sequence[int], steps: int) -> Float[Tensor, "time"]:
    """A train with a spike at each of `times`; two at the same step count as 2.

    >>> spikes_at([0, 2, 2], steps=4)
    tensor([1., 0., 2., 0.], dtype=torch.float64)
    """
    train, inside = constant_current(steps, 0.0), Span("a step", 0, steps - 1, whole=True)
    if not all(map(inside.holds, times)):
        raise ValueError(f"spike times must lie in 0..{steps - 1}, the steps of the train, got {list(times)}")
    rows = torch.tensor([int(time) for time in times], dtype=torch.long)
    return train.index_add(0, rows, torch.ones(len(rows), dtype=torch.float64))


def check_count(name: str, count: int) -> int:
    """Return `count`, or raise ValueError unless it is a whole number of at least 1."""
    check_number(count, name, COUNT)
    return int(count)
