"""Which layers and which time steps an update depends on: found by changing them, not by reading the rule.

    space    D[l, k] = ‖ΔW_l′ − ΔW_l‖ / ‖ΔW_l‖ when the weights of layer k are replaced by others. A layer always
             depends on the layers below, which make its input. A rule is local in space if nothing above the diagonal
             is different from zero.
    time     D[t, s] = ‖ΔW[t]′ − ΔW[t]‖ / ‖ΔW[t]‖ when the input of step s is replaced, where ΔW = Σ_t ΔW[t] and ΔW[t]
             is what the rule adds to the update at step t. A rule is local in time if nothing for s > t is different
             from zero. For backpropagation through time ΔW[t] is the gradient for the weights as they were used at t.

Zero means zero: the two updates have the same bits.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.audit.updates import flat_gradient, layer_updates, layers_of
from workbench.meters.evaluation import untouched
from workbench.rule import ByStep, Rule

StepUpdates = Callable[[nn.Module, Tensor, Tensor], dict[str, Tensor]]  # (network, x, y) → updates by layer and step


class Space(NamedTuple):
    """D[l, k] of every pair of layers, in the order of the network."""

    layers: list[str]
    change: Float[Tensor, "layers layers"]

    @property
    def later(self) -> float:
        """The largest dependence on a layer further up; 0 for a rule that is local in space."""
        return float(self.change.triu(1).max())


class Time(NamedTuple):
    """D[t, s] of every pair of steps, by layer."""

    change: dict[str, Float[Tensor, "steps steps"]]

    @property
    def later(self) -> float:
        """The largest dependence on a later step; 0 for a rule that is local in time."""
        return max(float(change.triu(1).max()) for change in self.change.values())


def space_dependence(
    network: nn.Module,
    x: Shaped[Tensor, "..."],
    y: Shaped[Tensor, "batch *target"],
    rule: Rule,
    seed: int = 0,
) -> Space:
    """Replace the weights of one layer after the other and see whose update changes. The network is left as it was."""
    layers = layers_of(network)
    before = layer_updates(network, x, y, rule)
    change = torch.zeros(len(layers), len(layers))
    for k, layer in enumerate(layers.values()):
        kept = replace_weights(layer, seed)
        try:
            after = layer_updates(network, x, y, rule)
        finally:
            put_back(layer, kept)
        change[:, k] = torch.tensor([relative_change(before[name], after[name]) for name in layers])
    return Space(list(layers), change)


@torch.no_grad()
def replace_weights(layer: nn.Module, seed: int = 0) -> list[Shaped[Tensor, "..."]]:
    """Put weights of the same size in another order, with a little noise; return those that were there."""
    generator = torch.Generator().manual_seed(seed)
    kept = [parameter.clone() for parameter in layer.parameters()]
    for parameter, old in zip(layer.parameters(), kept, strict=True):
        order = torch.randperm(old.numel(), generator=generator)
        noise = 0.1 * torch.randn(old.shape, generator=generator).to(old)
        parameter.copy_(old.flatten()[order].reshape(old.shape) + noise * old.abs().mean().clamp_min(0.1))
    return kept


@torch.no_grad()
def put_back(layer: nn.Module, kept: list[Shaped[Tensor, "..."]]) -> None:
    """Undo `replace_weights`."""
    for parameter, old in zip(layer.parameters(), kept, strict=True):
        parameter.copy_(old)


def relative_change(before: Float[Tensor, "n"], after: Float[Tensor, "n"]) -> float:
    """‖after − before‖ / ‖before‖; 0 for the same bits, 1 when there was nothing before and is something after."""
    if torch.equal(before, after):
        return 0.0
    length = float(before.norm())
    return float((after - before).norm()) / length if length else 1.0


def time_dependence(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    y: Shaped[Tensor, "batch *target"],
    updates: StepUpdates,
) -> Time:
    """Replace the input of one step after the other and see which steps' updates change.

    `updates` gives ΔW[t] of each layer, `(steps, parameters)`, as `updates_by_step` does.
    """
    before = updates(network, x, y)
    change = {name: torch.zeros(len(x), len(x)) for name in before}
    for s in range(len(x)):
        after = updates(network, replace_step(x, s), y)
        for name, old in before.items():
            pairs = zip(old, after[name], strict=True)
            change[name][:, s] = torch.tensor([relative_change(*pair) for pair in pairs])
    return Time(change)


def replace_step(x: Shaped[Tensor, "time batch *features"], step: int) -> Shaped[Tensor, "time batch *features"]:
    """Step `step` with its features in reverse order, or with 1 added where that changes nothing."""
    other = x.clone()
    flipped = x[step].flatten(1).flip(1).reshape(x[step].shape)
    other[step] = x[step] + 1 if torch.equal(flipped, x[step]) else flipped
    return other


def updates_by_step(by_step: ByStep) -> StepUpdates:
    """ΔW[t] of a rule that yields for every step with that step's update in `.grad`; no step is taken between."""

    def updates(network: nn.Module, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        layers = layers_of(network)
        found: dict[str, list[Tensor]] = {name: [] for name in layers}
        with untouched(network):
            for _ in by_step(network, x, y):
                for name, layer in layers.items():
                    found[name].append(flat_gradient(layer))
        return {name: torch.stack(steps) for name, steps in found.items()}

    return updates
