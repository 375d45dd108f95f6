"""What a module does, step by step: its layers and the operations between them, in the order in which they run.

`torch.fx` runs the module's `forward` on stand-ins and writes down what happens. Modules of torch.nn and layers of this
library are steps as they are, the very same objects; functions become an `Operation`. Sizes of the input
are numbers of the example that the module is traced with, apart from the batch. What cannot be written down is refused,
with the place, what stands there, and why.
"""

import inspect
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Shaped
from torch import Tensor, fx, nn
from torch.fx.proxy import Attribute
from torch.nn import functional as F
from torch.nn.parameter import is_lazy

from workbench.meters.evaluation import evaluation, mode
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.wiring import OPERATIONS, WITH_MEMORY, BatchSize, Cut, Operation, Slot

SAMPLES = 2  # of the example
MANY = 1_000_003  # what len(x) is while a network is traced; where it is used, the number of samples is meant
NAMES: Mapping[Any, str] = {
    **{function: name for name, function in OPERATIONS.items()},
    torch.add: "add",
    torch.mul: "mul",
    torch.relu: "relu",
    torch.permute: "permute",
    torch.concat: "cat",
    torch.softmax: "softmax",
    torch.sub: "sub",
    torch.div: "truediv",
    torch.reshape: "reshape",
    F.tanh: "tanh",
    F.sigmoid: "sigmoid",
    operator.iadd: "add",
    operator.imul: "mul",
}
METHODS: Mapping[str, str] = {name: name for name in OPERATIONS} | {"div": "truediv", "view": "reshape"}
_DROPOUTS: Mapping[Any, Any] = {F.dropout: nn.Dropout, F.dropout2d: nn.Dropout2d, F.alpha_dropout: nn.AlphaDropout}


class Step(NamedTuple):
    """One module or operation: the numbers of the values that it takes (0 the input, k what step k gave, from 1), its
    place in words, the modules that it stands in, and its output of the example."""

    module: nn.Module
    inputs: tuple[int, ...]
    place: str
    within: tuple[str, ...]
    example: Shaped[Tensor, "batch ..."]


def trace(module: nn.Module, x: Shaped[Tensor, "batch ..."]) -> list[Step]:
    """The steps that lead from the input to the output; x is an example of the input, with `SAMPLES` samples.

    Raises ValueError that names what cannot be taken.
    """
    for name, parameter in module.named_parameters():
        if is_lazy(parameter):
            raise ValueError(f"'{name}' has no shape yet; call the network once on a batch, then hand it in")
    graphs = []
    for training in (True, False):
        with mode(module, training):
            graphs.append(list(_graph(module, x).nodes))
    _check_same(*graphs)
    return _read(module, x, graphs[0]).needed()


class _Asks(Exception):
    """The network asks for the worth of a node, to decide what to do."""

    def __init__(self, node: fx.Node, length: bool):
        super().__init__()
        self.node, self.length, self.where = node, length, ""


class _StandIn(fx.Proxy):
    """What runs through the network instead of a tensor."""

    def __len__(self) -> int:
        return self.tracer.answer(self.node, length=True)  # pyright: ignore[reportAttributeAccessIssue]

    def __getattr__(self, k: str) -> Attribute:
        return _Attribute(self, k)


class _Attribute(Attribute):
    """One of its attributes, such as its shape."""

    def __len__(self) -> int:
        return self.tracer.answer(self.node, length=True)  # pyright: ignore[reportAttributeAccessIssue]


class _Tracer(fx.Tracer):
    """Traces with answers to what was asked in earlier tries."""

    def __init__(self, answers: Sequence[int]):
        super().__init__()
        self.answers = iter(answers)

    def answer(self, node: fx.Node, length: bool = False) -> int:
        for answer in self.answers:
            return answer
        raise _Asks(node, length)

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _StandIn(node, self)

    def to_bool(self, obj: fx.Proxy) -> bool:
        return bool(self.answer(obj.node))

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        own = type(m).__module__.startswith("workbench.") and not any(m.children())
        return own or isinstance(m, WITH_MEMORY) or super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m: nn.Module, forward: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return super().call_module(m, forward, args, kwargs)
        except Refused:
            raise
        except _Asks as asks:
            asks.where = asks.where or self.named(m)
            raise
        except Exception as error:  # whatever the stand-ins of torch.fx meet in somebody's forward
            raise _unreadable(self.named(m), _first_line(error)) from None

    def named(self, m: nn.Module) -> str:
        return f"'{self.path_of_module(m)}' ({type(m).__name__})"


class Refused(ValueError):
    """A module cannot be taken; the message names it and says why."""


def _unreadable(name: str, reason: str) -> Refused:
    return Refused(
        f"what {name} does cannot be written down step by step ({reason}); its forward must do the same whatever the "
        "numbers are: no if or loop over values of tensors, no list of them"
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _graph(module: nn.Module, x: Tensor) -> fx.Graph:
    """What runs, written down; traced anew with the answer each time that the network asks for a size."""
    answers: list[int] = []
    name, defaults = f"the network ({type(module).__name__})", _defaults(module)
    while True:
        tracer = _Tracer(answers)
        try:
            return tracer.trace(module, defaults)
        except Refused:
            raise
        except _Asks as asks:
            try:
                worth = _read(module, x, tracer.graph.nodes).worth[asks.node]
            except Refused as error:
                raise _unreadable(asks.where or name, str(error)) from None
            if isinstance(worth, Slot) and asks.length:
                worth = MANY
            elif isinstance(worth, tuple) and not isinstance(worth, Slot | BatchSize):
                worth = len(worth)
            elif not isinstance(worth, int):
                raise _unreadable(asks.where or name, "it decides by values of a tensor") from None
            answers.append(worth)
        except Exception as error:
            raise _unreadable(name, _first_line(error)) from None


def _defaults(module: nn.Module) -> dict[str, Any]:
    """Parameters of `forward` behind the first, which must have defaults."""
    parameters = list(inspect.signature(module.forward).parameters.values())
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    others = [each for each in parameters[1:] if each.kind not in kinds]
    if missing := [each.name for each in others if each.default is each.empty]:
        raise Refused(
            f"forward of {type(module).__name__} takes {', '.join(missing)} beside its input; a network that is taken "
            "has one input, (batch, ...)"
        )
    return {each.name: each.default for each in others}


def _check_same(training: Sequence[fx.Node], evaluating: Sequence[fx.Node]) -> None:
    if [(node.op, str(node.target)) for node in training] != [(node.op, str(node.target)) for node in evaluating]:
        raise Refused("the network does something else in training than in evaluation; let a module of its own do that")
    for node in evaluating:
        if node.target in _DROPOUTS and node.kwargs.get("training", True):
            what = f"{_called(node)} {_where(node)}"
            raise Refused(f"{what} drops values in evaluation too; write training=self.training, or nn.Dropout")


def _read(module: nn.Module, x: Tensor, nodes: Iterable[fx.Node]) -> "_Reader":
    with evaluation(module), torch.no_grad():
        reader = _Reader(module, x)
        for node in nodes:
            reader.read(node)
    return reader


class _Reader:
    """Goes through a graph once: what each node is worth, and the steps."""

    def __init__(self, root: nn.Module, x: Tensor):
        self.root, self.steps, self.worth, self.x = root, [], {}, x
        self.examples: list[Tensor] = [x]
        self.output = Slot(0)
        self.used: dict[nn.Module, str] = {}

    def read(self, node: fx.Node) -> None:
        """Take up one node."""
        match node.op:
            case "placeholder":
                self.worth[node] = Slot(0) if not self.worth else None
            case "call_module":
                self.worth[node] = self.module(node)
            case "call_function" | "call_method":
                self.worth[node] = self.function(node)
            case "get_attr":
                raise Refused(
                    f"the network uses the tensor '{node.target}' itself; weights must belong to a layer (nn.Linear, "
                    "nn.Conv2d or a normalisation)"
                )
            case "output":
                self.output = self.value(node.args[0])
                if not isinstance(self.output, Slot):
                    raise Refused("the network must give one tensor, (batch, classes)")

    def value(self, argument: Any) -> Any:
        """An argument with what nodes in it are worth: slots of values, `BatchSize`, numbers."""
        match argument:
            case fx.Node():
                return self.worth[argument]
            case slice():
                return Cut(*(self.value(each) for each in (argument.start, argument.stop, argument.step)))
            case list() | tuple():
                return type(argument)(map(self.value, argument))
        return BatchSize() if argument == MANY and isinstance(argument, int) else argument

    def module(self, node: fx.Node) -> Slot:
        name = str(node.target)
        module, given = self.root.get_submodule(name), [self.value(each) for each in node.args]
        what = f"'{name}' ({type(module).__name__})"
        if len(given) != 1 or node.kwargs or not isinstance(given[0], Slot):
            raise Refused(f"{what} is called with more than one tensor; a part that is taken has one input")
        if any(True for _ in module.parameters()) and module in self.used:
            raise Refused(f"{what} stands at two places, which would share its weights; make one for each place")
        self.used[module] = name
        return self.step(module, (given[0].place,), what, node, [name])

    def function(self, node: fx.Node) -> Any:
        given, named = self.value(node.args), {key: self.value(each) for key, each in node.kwargs.items()}
        what = f"{_called(node)} {_where(node)}"
        if (size := _size(node, given, self.examples)) is not _NONE:
            return size
        slots = list(dict.fromkeys(_slots([*given, *named.values()])))
        if not slots:
            return self.number(node, given, named, what)
        if (dropout := _DROPOUTS.get(node.target)) is not None:
            p = named.get("p", given[1] if len(given) > 1 else 0.5)
            return self.step(dropout(p), (slots[0].place,), what, node, [])
        name = METHODS.get(str(node.target)) if node.op == "call_method" else NAMES.get(node.target)
        if name is None:
            raise Refused(f"{what} is not known here; the operations are {', '.join(sorted(OPERATIONS))}")
        places = {slot: Slot(number) for number, slot in enumerate(slots)}
        operation = Operation(name, _placed(given, places), {key: _placed(v, places) for key, v in named.items()})
        return self.step(operation, tuple(slot.place for slot in slots), what, node, [])

    def number(self, node: fx.Node, given: Any, named: Mapping[str, Any], what: str) -> Any:
        """What is computed of sizes."""
        if any(isinstance(each, BatchSize) for each in given) or node.op != "call_function":
            raise Refused(f"{what} computes with the number of samples; leave it as it is, or write -1")
        return node.target(*given, **named)  # pyright: ignore[reportCallIssue]

    def step(self, module: nn.Module, inputs: tuple[int, ...], what: str, node: fx.Node, names: list[str]) -> Slot:
        within = tuple((node.meta.get("nn_module_stack") or {}).keys())
        try:
            y = _run(module, [self.examples[place] for place in inputs])
        except Exception as error:  # a layer that does not fit says so in many ways
            shapes = ", ".join(str(tuple(self.examples[place].shape)) for place in inputs)
            raise Refused(f"{what} does not take an input of shape {shapes}: {_first_line(error)}") from None
        if not isinstance(y, Tensor) or not y.ndim or len(y) != len(self.x):
            shape = tuple(y.shape) if isinstance(y, Tensor) else type(y).__name__
            raise Refused(f"{what} gives {shape} for {len(self.x)} samples; parts that are taken keep samples apart")
        self.examples.append(y)
        self.steps.append(Step(module, inputs, what, (*within, *names), y))
        return Slot(len(self.steps))

    def needed(self) -> list[Step]:
        """The steps that the output hangs on, numbered anew."""
        needed, number = {self.output.place}, {0: 0}
        for place in range(len(self.steps), 0, -1):
            needed |= set(self.steps[place - 1].inputs) if place in needed else set()
        kept: list[Step] = []
        for place, step in enumerate(self.steps, 1):
            if place in needed:
                kept.append(step._replace(inputs=tuple(number[each] for each in step.inputs)))
                number[place] = len(kept)
        return kept


_NONE = object()


def _size(node: fx.Node, given: Any, examples: Sequence[Tensor]) -> Any:
    """What `x.shape`, `x.size(1)`, `x.ndim` and an index of a shape are worth; `_NONE` for anything else."""
    first = given[0] if given else None
    if node.target is operator.getitem and isinstance(first, tuple | list) and not isinstance(first, Slot):
        index = given[1]
        return first[slice(*index) if isinstance(index, Cut) else index]
    if not isinstance(first, Slot):
        return _NONE
    shape = (BatchSize(), *examples[first.place].shape[1:])
    if node.target is getattr and given[1] in ("shape", "ndim"):
        return shape if given[1] == "shape" else len(shape)
    if node.op == "call_method" and node.target in ("size", "dim"):
        where = given[1] if len(given) > 1 else node.kwargs.get("dim")
        return len(shape) if node.target == "dim" else shape if where is None else shape[where]  # pyright: ignore
    return _NONE


def _slots(values: Any) -> Iterator[Slot]:
    for value in values:
        if isinstance(value, Slot):
            yield value
        elif isinstance(value, tuple | list):
            yield from _slots(value)


def _placed(value: Any, places: Mapping[Slot, Slot]) -> Any:
    match value:
        case Slot():
            return places[value]
        case Cut() | BatchSize():
            return value
        case tuple() | list():
            return type(value)(_placed(each, places) for each in value)
    return value


def _run(module: nn.Module, inputs: Sequence[Tensor]) -> Any:
    """A part on the example; layers with memory by their connection alone, which has the shape of their output."""
    if isinstance(module, SpikingLayer | LeakyReadout):
        return module.connection(*inputs)
    return inputs[0] if isinstance(module, WITH_MEMORY) else module(*inputs)


def _called(node: fx.Node) -> str:
    return f"'{getattr(node.target, '__name__', node.target)}'"


def _where(node: fx.Node) -> str:
    within = list((node.meta.get("nn_module_stack") or {}).values())
    return f"in '{within[-1][0]}' ({within[-1][1].__name__})" if within else "in forward of the network"
