"""A spiking network as a plain list of parts and what each takes, and a list of parts as a network.

Other systems know layers and edges. Here stands which networks of ours can be told so, under which names.
"""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from workbench.networks.layers import LeakyReadout, SpikingLayer, TimeDropout
from workbench.networks.seeded import seeded
from workbench.networks.spiking import ResidualBlock, SpikingMLP, SpikingSequential
from workbench.networks.taken_spiking import TakenSpiking
from workbench.networks.traced import Refused
from workbench.networks.wiring import Operation, Slot, Wired
from workbench.neurons.lif import Neuron, Reset
from workbench.neurons.surrogate import Psi

SUM = Operation("add", (Slot(0), Slot(1)))


class Part(NamedTuple):
    """A module under its name, and the numbers of the values that it takes: 0 the input, k what part k gives."""

    name: str
    module: nn.Module
    inputs: tuple[int, ...]


def parts_of(network: nn.Module) -> list[Part]:
    """The parts of a network of this library, in the order in which they run; ValueError for another network."""
    parts: list[Part] = []
    if _put(network, "", 0, parts) != len(parts):
        raise Refused("the last part does not give the output of the network")
    return parts


def network_of(parts: Sequence[Part]) -> SpikingSequential | TakenSpiking:
    """Parts as a network: a sequence where they are a chain."""
    if all(part.inputs == (place,) for place, part in enumerate(parts)):
        return SpikingSequential(*(part.module for part in parts))
    return TakenSpiking(Wired([part.module for part in parts], [part.inputs for part in parts]))


def is_sum(module: nn.Module) -> bool:
    """Whether a part is the plain sum of two values."""
    return isinstance(module, Operation) and (module.name, module.arguments, module.named) == (
        SUM.name,
        SUM.arguments,
        SUM.named,
    )


def layer_with(
    connection: nn.Linear | nn.Conv2d, recurrent: nn.Linear | None, neuron: Neuron, psi: Psi, reset: Reset
) -> SpikingLayer:
    """A layer with copies of the weights of a linear map, and of one from its neurons to themselves, whose bias is a
    bias of every step."""
    with seeded(0):  # first weights that are overwritten
        layer = SpikingLayer(copy.deepcopy(connection), neuron, psi, False, reset, recurrent=recurrent is not None)
    layer.to(connection.weight.device, connection.weight.dtype)
    layer.connection.load_state_dict(connection.state_dict())
    if recurrent is None or layer.recurrent is None:
        return layer
    with torch.no_grad():
        layer.recurrent.weight.copy_(recurrent.weight)
        if recurrent.bias is not None:
            bias = layer.connection.bias
            layer.connection.bias = nn.Parameter(recurrent.bias.clone() if bias is None else bias + recurrent.bias)
    return layer


def readout_with(
    what: str, connection: nn.Linear | nn.Conv2d, decay: float, trace_decay: float | None = None
) -> LeakyReadout:
    """A readout with this linear map; ValueError for a convolution, called `what`, that sees more than a pixel."""
    image = isinstance(connection, nn.Conv2d)
    if isinstance(connection, nn.Conv2d) and connection.kernel_size != (1, 1):
        raise Refused(f"{what} is read without spikes; here only a 1×1 convolution reads images")
    with seeded(0):
        readout = LeakyReadout(connection.weight.shape[1], len(connection.weight), decay, trace_decay, image)
    readout.connection = connection
    return readout


def pair(value: Any) -> tuple[int, int]:
    """Rows and columns, where one number may stand for both."""
    first, *rest = np.ravel(value).tolist()
    return int(first), int(rest[0] if rest else first)


def _put(module: nn.Module, name: str, value: int, parts: list[Part]) -> int:
    """Append the parts of a module that takes `value`; the number of the value that it gives."""
    stem = f"{name}." if name else ""
    match module:
        case SpikingMLP():
            parts.append(Part("flatten", nn.Flatten(), (value,)))
            value = len(parts)
            for number, layer in enumerate(module.hidden):
                value = _put(layer, f"{stem}hidden.{number}", value, parts)
            return _put(module.readout, f"{stem}readout", value, parts)
        case SpikingSequential():
            for key, part in module.named_children():
                value = _put(part, f"{stem}{key}", value, parts)
            return value
        case ResidualBlock():
            body = _put(module.body, f"{stem}body", value, parts)
            shortcut = value if module.shortcut is None else _put(module.shortcut, f"{stem}shortcut", value, parts)
            parts.append(Part(f"{stem}sum", SUM, (body, shortcut)))
        case TakenSpiking():
            values = {0: value}
            for number, (part, wires) in enumerate(zip(module.wired.parts, module.wired.wires, strict=True)):
                if len(wires) == 1:
                    values[number + 1] = _put(part, f"{stem}{number}", values[wires[0]], parts)
                    continue
                parts.append(Part(f"{stem}{number}", part, tuple(values[each] for each in wires)))
                values[number + 1] = len(parts)
            return values[len(module.wired.wires)]
        case TimeDropout() | nn.Dropout() | nn.Identity() if not module.training or not getattr(module, "p", 0.0):
            return value  # does nothing
        case TimeDropout() | nn.Dropout():
            raise Refused(
                f"'{name}' ({type(module).__name__}) drops values at random while the network learns, which cannot be "
                "said here; put the network into evaluation mode first: network.eval()"
            )
        case SpikingLayer() | LeakyReadout():
            parts.append(Part(name, module, (value,)))
        case _ if any(isinstance(each, SpikingLayer | LeakyReadout) for each in module.modules()):
            what = f"'{name}' ({type(module).__name__})" if name else type(module).__name__
            raise Refused(
                f"{what} is a network of your own, of which only its forward knows the connections; write it as a "
                "SpikingSequential, or as one step for take_spiking"
            )
        case _:
            parts.append(Part(name, module, (value,)))
    return len(parts)
