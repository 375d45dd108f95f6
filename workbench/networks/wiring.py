"""Parts and the wires between them: what a network does that is more than one module after another.

`Wired` is a list of parts, each of which names the values that it takes: value 0 is the input, value k what part k gave
(counted from 1); the last value is the output. A sum of a shortcut is a part too, an `Operation`: a function of this
table with its arguments, so that what a network does can be described in a file, and no code is kept.

    >>> twice = Wired([nn.ReLU(), Operation("add", (Slot(0), Slot(1)))], [(0,), (0, 1)])
    >>> twice(torch.tensor([-1.0, 2.0]))
    tensor([-1.,  4.])
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.networks.layers import LeakyReadout, RunPart, SpikingLayer, TimeDropout, apply


class Slot(NamedTuple):
    """In the arguments of an operation: its input of this number."""

    place: int


class BatchSize(NamedTuple):
    """In the arguments of an operation: how many samples the first input holds."""

    def __repr__(self) -> str:
        return "BatchSize()"


class Cut(NamedTuple):
    """In the arguments of an operation: a slice of an index."""

    start: Any = None
    stop: Any = None
    step: Any = None


ACTIVATIONS: Mapping[str, Callable[..., Any]] = {
    "elu": F.elu,
    "gelu": F.gelu,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "hardtanh": F.hardtanh,
    "leaky_relu": F.leaky_relu,
    "mish": F.mish,
    "relu": F.relu,
    "relu6": F.relu6,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "softplus": F.softplus,
    "tanh": torch.tanh,
}
OPERATIONS: Mapping[str, Callable[..., Any]] = ACTIVATIONS | {
    "adaptive_avg_pool2d": F.adaptive_avg_pool2d,
    "adaptive_max_pool2d": F.adaptive_max_pool2d,
    "add": operator.add,
    "avg_pool2d": F.avg_pool2d,
    "cat": torch.cat,
    "clamp": torch.clamp,
    "contiguous": torch.Tensor.contiguous,
    "flatten": torch.flatten,
    "getitem": operator.getitem,
    "interpolate": F.interpolate,
    "max_pool2d": F.max_pool2d,
    "mean": torch.mean,
    "mul": operator.mul,
    "neg": operator.neg,
    "pad": F.pad,
    "permute": torch.Tensor.permute,
    "reshape": torch.Tensor.reshape,
    "softmax": F.softmax,
    "squeeze": torch.squeeze,
    "sub": operator.sub,
    "sum": torch.sum,
    "transpose": torch.transpose,
    "truediv": operator.truediv,
    "unsqueeze": torch.unsqueeze,
}


class Operation(nn.Module):
    """A function of `OPERATIONS` by its name, with arguments and named arguments that may be a `Slot`."""

    def __init__(self, name: str, arguments: Sequence[Any] = (Slot(0),), named: Mapping[str, Any] | None = None):
        super().__init__()
        if name not in OPERATIONS:
            raise ValueError(f"there is no operation {name!r}; there are {', '.join(sorted(OPERATIONS))}")
        self.name, self.arguments, self.named = name, tuple(arguments), tuple((named or {}).items())

    def forward(self, *inputs: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
        arguments = [_resolved(value, inputs) for value in self.arguments]
        return OPERATIONS[self.name](*arguments, **{name: _resolved(value, inputs) for name, value in self.named})

    def extra_repr(self) -> str:
        return ", ".join([self.name, *map(repr, self.arguments), *(f"{key}={value!r}" for key, value in self.named)])


class Copied(nn.Module):
    """A copy of the input, where what follows would write into it or hand on a view of it."""

    def forward(self, x: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "*shape"]:
        return x.clone()


class Wired(nn.Module):
    """Parts with the numbers of the values that each takes; called as `wired(x, run)`, where `run` runs a part.

    Operations are no parts that a rule could run otherwise: they are called as they are.
    """

    def __init__(self, parts: Sequence[nn.Module], wires: Sequence[Sequence[int]]):
        super().__init__()
        if len(parts) != len(wires) or not len(parts):
            raise ValueError(f"each part needs its wires, and one part at least, got {len(parts)} and {len(wires)}")
        if any(not 0 <= value <= place for place, each in enumerate(wires) for value in each):
            raise ValueError(f"a part takes values that are there before it, got the wires {list(wires)}")
        self.parts = nn.ModuleList(parts)
        self.wires = tuple(tuple(each) for each in wires)

    def forward(self, x: Shaped[Tensor, "batch ..."], run: RunPart = apply) -> Shaped[Tensor, "batch ..."]:
        return self.values(x, lambda part, inputs: part(*inputs) if isinstance(part, Operation) else run(part, *inputs))

    def values(self, x: Any, call: Callable[[nn.Module, list[Any]], Any]) -> Any:
        """The output, every part being called by `call(part, its inputs)`; a value is let go after its last use."""
        last = {value: place for place, each in enumerate(self.wires) for value in each}
        values = {0: x}
        for place, (part, wires) in enumerate(zip(self.parts, self.wires, strict=True)):
            values[place + 1] = call(part, [values[value] for value in wires])
            for value in set(wires):
                if last[value] == place:
                    del values[value]
        return values[len(self.wires)]


def _resolved(value: Any, inputs: Sequence[Tensor]) -> Any:
    match value:
        case Slot(place):
            return inputs[place]
        case BatchSize():
            return len(inputs[0])
        case Cut(start, stop, step):
            return slice(*(_resolved(each, inputs) for each in (start, stop, step)))
        case tuple():
            return tuple(_resolved(each, inputs) for each in value)
        case list():
            return [_resolved(each, inputs) for each in value]
    return value


WITH_MEMORY = (SpikingLayer, LeakyReadout, TimeDropout)  # what a rule runs over time
