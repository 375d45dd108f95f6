"""Credit in time: how far the update of a rule points away from the gradient of backpropagation through time (BPTT).

The angle between two updates ΔW and ΔW′ of one layer is arccos(⟨ΔW, ΔW′⟩ / (‖ΔW‖ ‖ΔW′‖)): 0° the same direction,
90° nothing in common, above 90° the layer unlearns. It is taken per layer, for a whole batch or for the loss of a
single time step, whose credit a rule has to hand to everything that happened before.
"""

import math
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.blocks import BlockNetwork
from workbench.networks import layers_with_memory
from workbench.rules import bptt
from workbench.rules.report import check_batch
from workbench.training import Rule


class Credit(NamedTuple):
    """Angles in degrees by layer, one for each of `steps`; NaN where one of the two updates is zero."""

    steps: list[int]
    degrees: dict[str, Float[Tensor, "steps"]]


def layers_of(network: nn.Module) -> dict[str, nn.Module]:
    """The layers that learn, in order: of a spiking network, or the blocks and the classifier of a plain one."""
    if isinstance(network, BlockNetwork):
        blocks: dict[str, nn.Module] = {f"blocks.{k}": block for k, block in enumerate(network.blocks)}
        return blocks | {"classifier": network.classifier}
    layers: dict[str, nn.Module] = dict(layers_with_memory(network))
    if not layers:
        raise ValueError(f"an audit needs a spiking network or a BlockNetwork, got {type(network).__name__}")
    return layers


def layer_updates(
    network: nn.Module, x: Shaped[Tensor, "..."], y: Shaped[Tensor, "batch *target"], rule: Rule
) -> dict[str, Float[Tensor, "parameters"]]:
    """What `rule` writes into `.grad` of each layer, as one vector; `.grad` itself is left as it was."""
    kept = [(parameter, parameter.grad) for parameter in network.parameters()]
    try:
        network.zero_grad(set_to_none=True)
        rule(network, x, y)
        return {name: flat_gradient(layer) for name, layer in layers_of(network).items()}
    finally:
        for parameter, grad in kept:
            parameter.grad = grad


def flat_gradient(layer: nn.Module) -> Float[Tensor, "parameters"]:
    """All gradients of a layer behind one another; zeros where it has none."""
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in layer.parameters()]
    return torch.cat([grad.detach().flatten() for grad in grads])


def angle(a: Float[Tensor, "*shape"], b: Float[Tensor, "*shape"]) -> float:
    """Angle between two updates in degrees, 0 to 180; NaN when one of them is zero.

    >>> round(angle(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])))
    45
    """
    a, b = a.double().flatten(), b.double().flatten()
    lengths = float(a.norm() * b.norm())
    return math.degrees(math.acos(max(-1.0, min(1.0, float(a @ b) / lengths)))) if lengths else math.nan


def angle_per_layer(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    y: Shaped[Tensor, "batch *target"],
    rule: Rule,
    reference: Rule = bptt.gradients,
) -> dict[str, float]:
    """Angle in degrees between the updates of two rules for one batch, for each layer.

    >>> angle_per_layer(network, x, y, partial(stllr.gradients, params=STLLR()))
    """
    ours, theirs = (layer_updates(network, x, y, each) for each in (rule, reference))
    return {name: angle(ours[name], theirs[name]) for name in ours}


def angle_per_step(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    y: Shaped[Tensor, "batch *target"],
    rule: Rule,
    reference: Rule = partial(bptt.gradients, params=bptt.BPTT(last_steps=1)),
    steps: Iterable[int] | None = None,
) -> Credit:
    """Angles between what two rules make of the loss of one step t alone, for each t in `steps` (all when None).

    Both rules must learn in the last step only; they are given the sequence up to and with step t:

    >>> angle_per_step(network, x, y, partial(stllr.gradients, params=STLLR(last_steps=1)))
    """
    check_batch(x, y)
    chosen = list(range(len(x)) if steps is None else steps)
    if not chosen or not all(0 <= t < len(x) for t in chosen):
        raise ValueError(f"steps must name steps in 0..{len(x) - 1}, got {chosen}")
    found = [angle_per_layer(network, x[: t + 1], y, rule, reference) for t in chosen]
    names = layers_with_memory(network)
    return Credit(chosen, {name: torch.tensor([angles[name] for angles in found]) for name in names})
