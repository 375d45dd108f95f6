"""Gradient descent on weights of a few bits: every step ends on the grid, by rounding that is right on average."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from workbench.neurons.registers import Grid, nearest, stochastic


class GridDescent(torch.optim.Optimizer):
    """W ← W + ρ(−η ∂L/∂W), ρ the stochastic rounding to multiples of the grid's step; W stays between its ends.

    The weights are put on the grid at once, to the nearest point. Rounding draws from a generator of its own, which
    `seed` begins and `state_dict` holds. There is no momentum: it would need weights of more bits.

    >>> from workbench.neurons import grid
    >>> layer = torch.nn.Linear(3, 2)
    >>> optimizer = GridDescent(layer.parameters(), 0.1, grid(8))
    >>> layer(torch.ones(1, 3)).sum().backward()
    >>> optimizer.step()
    >>> bool((layer.weight % grid(8).step == 0).all())
    True
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, grid: Grid, seed: int = 0):
        if not lr > 0.0:
            raise ValueError(f"lr is {lr!r}, expected a positive number")
        super().__init__(parameters, {"lr": lr, "bits": grid.bits, "step": grid.step})
        self.generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for group in self.param_groups:
                for weight in group["params"]:
                    weight.copy_(nearest(weight, _grid(group)))

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One step of every parameter that has a gradient."""
        for group in self.param_groups:
            on = _grid(group)
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.add_(stochastic(-group["lr"] * weight.grad, on.step, self.generator))
                    weight.clamp_(on.lowest, on.highest)

    def state_dict(self) -> dict[str, Any]:
        """With the state of the rounding, so that a run that goes on draws what it would have drawn."""
        return {**super().state_dict(), "generator": self.generator.get_state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Undo `state_dict`."""
        super().load_state_dict({name: state_dict[name] for name in ("state", "param_groups")})
        self.generator.set_state(state_dict["generator"])


def _grid(group: dict[str, Any]) -> Grid:
    return Grid(group["bits"], group["step"])
