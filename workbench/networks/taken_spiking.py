"""Any spiking network, written as one step of it: `take_spiking(module, input_shape)`.

The module's `forward(x)` says what happens in a step: `SpikingLayer`, `LeakyReadout` and `TimeDropout` called like any
layer, and around them pooling, flattening, sums of shortcuts, products. The layers stay the very same objects; the
network that comes back is run by every rule for spiking networks, over many steps at once.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.networks.layers import LeakyReadout, RunPart, SpikingLayer
from workbench.networks.spiking import nobody
from workbench.networks.traced import SAMPLES, Refused, Step, trace
from workbench.networks.wiring import WITH_MEMORY, Wired


class TakenSpiking(nn.Module):
    """Parts and wires as a spiking network: a rule runs what has memory, the rest is applied to all steps at once."""

    def __init__(self, wired: Wired):
        super().__init__()
        self.wired = wired

    def forward(
        self, x: Float[Tensor, "time batch *features"], run: RunPart = nobody
    ) -> Float[Tensor, "time batch *outputs"]:
        def call(part: nn.Module, inputs: list[Tensor]) -> Tensor:
            if isinstance(part, WITH_MEMORY):
                return run(part, *inputs)
            return part(*(each.flatten(0, 1) for each in inputs)).unflatten(0, x.shape[:2])

        return self.wired.values(x, call)


def take_spiking(module: Any, input_shape: Sequence[int]) -> TakenSpiking:
    """The spiking network whose step is `module(x)`, x being `(batch, *input_shape)`.

    Raises ValueError that names the part which cannot be taken, and why.

    >>> from workbench.networks import LeakyReadout, Simulation, SpikingLayer
    >>> step = nn.Sequential(SpikingLayer(nn.Conv2d(2, 4, 3)), nn.AvgPool2d(2), nn.Flatten(), LeakyReadout(36, 3))
    >>> network = take_spiking(step, (2, 8, 8))
    >>> network(torch.ones(5, 1, 2, 8, 8), Simulation(network).run).shape
    torch.Size([5, 1, 3])
    """
    if "run" in inspect.signature(module.forward).parameters:
        raise ValueError(f"forward of {type(module).__name__} takes `run` already; rules run it as it is")
    layers = [part for part in module.modules() if isinstance(part, SpikingLayer | LeakyReadout)]
    if not layers:
        raise Refused(f"{type(module).__name__} has no SpikingLayer or LeakyReadout; take_blocks takes plain networks")
    weight = layers[0].connection.weight
    steps = trace(module, torch.zeros(SAMPLES, *input_shape, dtype=weight.dtype, device=weight.device))
    for step in steps:
        _check_part(step)
    return TakenSpiking(Wired([step.module for step in steps], [step.inputs for step in steps]))


def _check_part(step: Step) -> None:
    """Refuse weights that belong to no layer with neurons."""
    if isinstance(step.module, WITH_MEMORY) or not any(True for _ in step.module.parameters()):
        return
    if isinstance(step.module, nn.Linear | nn.Conv2d):
        advice = "put it into a SpikingLayer, or at the end into a LeakyReadout"
    else:
        advice = "leave it out; SpikingLayer(..., standardize=True) normalises its weights instead"
    raise Refused(f"{step.place} has weights and no neurons, and rules for spiking networks teach neurons; {advice}")
