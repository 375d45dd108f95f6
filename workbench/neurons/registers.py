"""Whole numbers of a few bits, as hardware holds them: weights rounded by chance, and membranes that saturate.

A grid of b bits and step s holds s k for k = −2^(b−1) … 2^(b−1) − 1. A value between two of its points becomes

    the lower one with probability 1 − f, the upper one with probability f,  f its distance from the lower one, in steps

so that the mean of many roundings is the value itself: a change much smaller than s is not lost, it happens seldom.
A membrane register is such a grid too: u⁺ is rounded to the nearest point, and stays at the ends instead of wrapping.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.checks import POSITIVE_FLOAT32, Span
from workbench.faces import short_repr


class Grid(NamedTuple):
    """The numbers s k of `bits` bits and step s, both ends included."""

    bits: int
    step: float

    __repr__ = short_repr

    @property
    def lowest(self) -> float:
        """−s 2^(b−1)."""
        return -self.step * 2 ** (self.bits - 1)

    @property
    def highest(self) -> float:
        """s (2^(b−1) − 1)."""
        return self.step * (2 ** (self.bits - 1) - 1)


def grid(bits: int, limit: float = 1.0) -> Grid:
    """The grid of `bits` bits from −`limit` to just below `limit`.

    >>> grid(8).step, grid(8).highest
    (0.0078125, 0.9921875)
    """
    if not Span("bits", 2, 24, whole=True).holds(bits):
        raise ValueError(f"bits is {bits}, expected 2 to 24: float32 holds whole numbers of 24 bits")
    if not (POSITIVE_FLOAT32.holds(limit) and limit / 2 ** (bits - 1) > 0.0):
        raise ValueError(f"limit is {limit!r}, expected {POSITIVE_FLOAT32.words} and {bits} bits can divide")
    return Grid(int(bits), limit / 2 ** (bits - 1))


def nearest(x: Float[Tensor, "*shape"], on: Grid) -> Float[Tensor, "*shape"]:
    """The nearest point of the grid, halves to the even one; its ends for what lies beyond them."""
    return (x / on.step).round_().clamp_(-(2 ** (on.bits - 1)), 2 ** (on.bits - 1) - 1).mul_(on.step)


def stochastic(x: Float[Tensor, "*shape"], step: float, generator: torch.Generator) -> Float[Tensor, "*shape"]:
    """A multiple of `step` beside x, drawn so that its mean is x."""
    steps = x / step
    below = steps.floor()
    upper = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device) < steps - below
    return below.add_(upper).mul_(step)


class Register(NamedTuple):
    """A soft reset whose result is held in a register: `Reset` of a spiking layer.

    u is rounded to the grid and saturates at its ends; a spike then takes away v_th, itself rounded to the grid.
    """

    grid: Grid

    __repr__ = short_repr

    def __call__(
        self, u: Float[Tensor, "*shape"], z: Float[Tensor, "*shape"], threshold: float
    ) -> Float[Tensor, "*shape"]:
        whole = self.grid.step * round(threshold / self.grid.step)
        return nearest(u, self.grid).sub_(z.detach(), alpha=whole)
