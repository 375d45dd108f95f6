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

from workbench.audit.updates import layer_updates
from workbench.checks import check_batch
from workbench.networks.spiking import layers_with_memory
from workbench.rule import Rule
from workbench.rules import bptt


class Credit(NamedTuple):
    """Angles in degrees by layer, one for each of `steps`; NaN where one of the two updates is zero."""

    steps: list[int]
    degrees: dict[str, Float[Tensor, "steps"]]


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

    >>> from workbench.networks import SpikingMLP
    >>> from workbench.rules import stllr
    >>> network, x, y = SpikingMLP([6, 8], classes=2), torch.ones(5, 3, 6), torch.tensor([0, 1, 0])
    >>> list(angle_per_layer(network, x, y, stllr.gradients))
    ['hidden.0', 'readout']
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

    >>> from workbench.networks import SpikingMLP
    >>> from workbench.rules import STLLR, stllr
    >>> network, x, y = SpikingMLP([6, 8], classes=2), torch.ones(5, 3, 6), torch.tensor([0, 1, 0])
    >>> angle_per_step(network, x, y, partial(stllr.gradients, params=STLLR(last_steps=1)), steps=[0, 4]).steps
    [0, 4]
    """
    check_batch(x, y)
    chosen = list(range(len(x)) if steps is None else steps)
    if not chosen or not all(0 <= t < len(x) for t in chosen):
        raise ValueError(f"steps must name steps in 0..{len(x) - 1}, got {chosen}")
    found = [angle_per_layer(network, x[: t + 1], y, rule, reference) for t in chosen]
    names = layers_with_memory(network)
    return Credit(chosen, {name: torch.tensor([angles[name] for angles in found]) for name in names})
