"""Graphs of NIR as spiking networks: the way back from `exchange.nir_export`, and for files of others.

A linear node and the neurons behind it become a layer; a linear node between neurons and the same neurons becomes their
recurrent weights; several edges into a node are a sum. Where R Δt/τ, what a step makes of a current, is not 1, the
factor goes into the weights. Files of others say neither step width nor reset: give `dt` (snnTorch and others write
10⁻⁴ s), and `reset` where it is not NIR's own, to zero.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.checks import POSITIVE, check_number
from workbench.networks.description import decoded
from workbench.networks.exchange.nir_export import nir_package
from workbench.networks.exchange.parts import SUM, Part, layer_with, network_of, pair, readout_with
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spiking import SpikingSequential
from workbench.networks.taken_spiking import TakenSpiking
from workbench.networks.traced import Refused
from workbench.neurons.lif import Neuron, Reset, hard_reset
from workbench.neurons.surrogate import Psi, psi_gesture

CLOSE = 1e-6  # how far a decay in the metadata may be from what τ says, which may be in float32
_LINEAR, _SPIKING, _INTEGRATING = ("Affine", "Linear", "Conv2d"), ("LIF", "IF"), ("LI", "I")
_NEURONS = (*_SPIKING, *_INTEGRATING)
_REASONS = {
    "CubaLIF": "neurons with a synaptic current that decays by itself, which neurons here do not have",
    "CubaLI": "integrators with a synaptic current that decays by itself, which neurons here do not have",
    "Conv1d": "a convolution over one axis; here they are over pictures: write it as a Conv2d of height 1",
    "Delay": "delays on connections, which layers here do not have",
    "Scale": "a factor for each value; multiply it into the weights before it",
    "Threshold": "spikes without a membrane; write LIF with tau = dt, r = 1",
}


class Reading(NamedTuple):
    """How a graph is read: the width of a step in s, whether the metadata belong to it, and what they do not say."""

    dt: float
    told: bool
    reset: Reset | None
    psi: Psi | None


def read_nir(
    path: str | Path, dt: float | None = None, reset: Reset | None = None, psi: Psi | None = None
) -> SpikingSequential | TakenSpiking:
    """The network of a NIR file; arguments and errors as for `from_nir`, FileNotFoundError where there is none."""
    nir, path = nir_package(), Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        graph = nir.read(path)
    except (OSError, KeyError, ValueError, AssertionError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} is not a whole NIR file ({type(error).__name__}: {error})") from None
    return from_nir(graph, dt, reset, psi)


def from_nir(
    graph: Any, dt: float | None = None, reset: Reset | None = None, psi: Psi | None = None
) -> SpikingSequential | TakenSpiking:
    """A network of this library that takes Euler steps of `dt` seconds through a `nir.NIRGraph`.

    dt: None for what the graph's metadata say. reset, psi: None for what they say, else NIR's reset to zero, and
    `psi_gesture`. Raises ValueError that names the node which cannot be said here, and what to do.
    """
    about = dict(graph.metadata or {})
    written = float(about["dt"]) if "dt" in about else None
    if dt is None and written is None:
        raise Refused("the graph does not say how long a step is; give dt in seconds (snnTorch and others take 1e-4)")
    width = written if dt is None else dt
    assert width is not None
    check_number(width, "dt", POSITIVE)
    reading = Reading(width, width == written, reset, psi)
    return _Graph(graph, reading).network()


class _Graph:
    """Nodes and edges of a graph, subgraphs laid open, and the parts that were made of them."""

    def __init__(self, graph: Any, reading: Reading):
        self.reading = reading
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        _lay_open(graph, "", self.nodes, self.edges)
        for name, node in self.nodes.items():
            if (kind := type(node).__name__) in _REASONS:
                raise Refused(f"'{name}' is a {kind}: {_REASONS[kind]}")
        self.before = {name: [a for a, b in self.edges if b == name] for name in self.nodes}
        self.after = {name: [b for a, b in self.edges if a == name] for name in self.nodes}
        self.recurrent = dict(self.own_loops())
        self.parts: list[Part] = []
        self.value: dict[str, int] = {}  # the value that a node gives

    def own_loops(self) -> Iterable[tuple[str, str]]:
        """Neurons and the linear node that leads from them to themselves alone."""
        for name, node in self.nodes.items():
            loops = [a for a in self.before[name] if self.before[a] == [name] and self.after[a] == [name]]
            if type(node).__name__ in _SPIKING and loops:
                if len(loops) > 1 or type(self.nodes[loops[0]]).__name__ not in ("Affine", "Linear"):
                    raise Refused(f"'{name}' drives itself through {', '.join(loops)}; here one dense matrix does")
                yield name, loops[0]

    def network(self) -> SpikingSequential | TakenSpiking:
        for name in self.order():
            self.put(name)
        (last,) = self.named("Output")
        if self.take(self.before[last]) != len(self.parts):
            raise Refused(f"'{last}' does not take what the last node gives")
        if not any(isinstance(part.module, SpikingLayer | LeakyReadout) for part in self.parts):
            raise Refused("the graph has no neurons")
        network = network_of(self.parts)
        first = next(parameter for parameter in network.parameters())
        return network.to(first.dtype)

    def named(self, kind: str) -> list[str]:
        found = [name for name, node in self.nodes.items() if type(node).__name__ == kind]
        if len(found) != 1:
            raise Refused(f"a network here has one {kind.lower()}, the graph has {len(found)}: {', '.join(found)}")
        return found

    def order(self) -> list[str]:
        """Names so that each stands behind what it takes, without the loops of recurrent layers."""
        self.named("Input")
        loops = set(self.recurrent.values())
        waiting = {name: [a for a in self.before[name] if a not in loops] for name in self.nodes if name not in loops}
        order: list[str] = []
        while waiting:
            ready = [name for name, before in waiting.items() if all(a in order for a in before)]
            if not ready:
                raise Refused(
                    f"there is a loop through {', '.join(sorted(waiting))}; here a loop leads from neurons through one "
                    "dense matrix to the same neurons"
                )
            order += ready
            waiting = {name: before for name, before in waiting.items() if name not in ready}
        return order

    def take(self, names: Sequence[str]) -> int:
        """The value that is the sum of what these nodes give."""
        values = [self.value[name] for name in names]
        total = values[0]
        for value in values[1:]:
            self.parts.append(Part("sum", SUM, (total, value)))
            total = len(self.parts)
        return total

    def put(self, name: str) -> None:
        """Append what a node becomes."""
        node, kind = self.nodes[name], type(self.nodes[name]).__name__
        before = [a for a in self.before[name] if a != self.recurrent.get(name)]
        if kind == "Input":
            self.value[name] = 0
        elif not before:
            raise Refused(f"'{name}' takes nothing; every node but the input has an edge that leads to it")
        elif kind in _LINEAR and self.is_driver(name):
            return  # its neurons make the layer
        elif kind in _LINEAR or kind in _NEURONS:
            self.append(name, self.layer(name, before), before if kind in _LINEAR else self.before[before[0]])
        elif kind == "Output":
            return
        else:
            self.append(name, _module(name, kind, node), before)

    def append(self, name: str, module: nn.Module, before: Sequence[str]) -> None:
        inputs = (self.take(before),)
        self.parts.append(Part(name, module, inputs))
        self.value[name] = len(self.parts)

    def is_driver(self, name: str) -> bool:
        """Whether a linear node leads to neurons, and to them alone."""
        kinds = [type(self.nodes[b]).__name__ in _NEURONS for b in self.after[name]]
        if any(kinds) and len(kinds) > 1:
            raise Refused(f"'{name}' drives {' and '.join(self.after[name])}; here each layer has weights of its own")
        if not any(kinds) and [type(self.nodes[b]).__name__ for b in self.after[name]] != ["Output"]:
            raise Refused(f"'{name}' gives numbers to '{', '.join(self.after[name])}'; here neurons follow linear maps")
        return any(kinds)

    def layer(self, name: str, before: Sequence[str]) -> nn.Module:
        """A linear node alone, or neurons with the linear node before them."""
        node, kind = self.nodes[name], type(self.nodes[name]).__name__
        if kind in _LINEAR:
            return readout_with(f"'{name}'", _linear(name, node, 1.0), 0.0)
        if len(before) != 1 or type(self.nodes[before[0]]).__name__ not in _LINEAR:
            raise Refused(
                f"'{name}' ({kind}) takes currents from {', '.join(before)}; here one linear node drives neurons "
                "(nir.Affine, Linear or Conv2d), directly"
            )
        decay, factor = self.step(name, node, kind)
        connection = _linear(before[0], self.nodes[before[0]], factor)
        if kind in _INTEGRATING:
            trace = self.about(name).get("trace_decay")
            return readout_with(f"'{name}'", connection, decay, None if trace is None else float(trace))
        return self.spiking(name, node, connection, decay, factor)

    def spiking(self, name: str, node: Any, connection: nn.Linear | nn.Conv2d, decay: float, factor: Any) -> nn.Module:
        threshold = _one(name, node, "v_threshold")
        if not np.all(node.v_reset == 0):
            raise Refused(
                f"'{name}' resets to v_reset = {np.ravel(node.v_reset)[0]}; here it is 0: shift the potential"
            )
        about = self.about(name)
        recurrent: Any = None
        if name in self.recurrent:
            recurrent = _linear(self.recurrent[name], self.nodes[self.recurrent[name]], factor)
        reset = self.reading.reset or _function(name, about, "reset") or hard_reset
        psi = self.reading.psi or _function(name, about, "psi") or psi_gesture
        return layer_with(connection, recurrent, Neuron(decay, threshold), psi, reset)

    def about(self, name: str) -> Mapping[str, Any]:
        return self.nodes[name].metadata or {}

    def step(self, name: str, node: Any, kind: str) -> tuple[float, Any]:
        """γ and the factor of the input current of one Euler step."""
        dt = self.reading.dt
        if kind in ("IF", "I"):
            decay, factor = 1.0, dt * np.asarray(node.r, np.float64)
        else:
            if not np.all(node.v_leak == 0):
                raise Refused(
                    f"'{name}' rests at v_leak = {np.ravel(node.v_leak)[0]}; here it is 0: shift the potential"
                )
            tau = _one(name, node, "tau")
            if tau < dt * (1 - CLOSE):
                raise Refused(f"'{name}' has tau = {tau:g} s, less than a step of {dt:g} s; take a smaller dt")
            decay, factor = max(0.0, 1.0 - dt / tau), dt / tau * np.asarray(node.r, np.float64)
        if self.reading.told and "decay" in self.about(name):
            exact = float(self.about(name)["decay"])
            if abs(exact - decay) > CLOSE:
                raise Refused(
                    f"'{name}' has tau for a decay of {decay:g} a step, and its metadata say {exact:g}; one was "
                    "changed: take `decay` out of the metadata if tau holds"
                )
            decay = exact
        return decay, 1.0 if np.allclose(factor, 1.0, rtol=0.0, atol=CLOSE) else factor


def _lay_open(graph: Any, stem: str, nodes: dict[str, Any], edges: list[tuple[str, str]]) -> None:
    """Nodes and edges of a graph, those of subgraphs under their names; their inputs and outputs fall away."""
    inner: dict[str, tuple[list[str], list[str]]] = {}  # of each subgraph: where it begins, and where it ends
    for name, node in graph.nodes.items():
        full = stem + name
        if type(node).__name__ != "NIRGraph":
            nodes[full] = node
            continue
        own: dict[str, Any] = {}
        wires: list[tuple[str, str]] = []
        _lay_open(node, f"{full}.", own, wires)
        doors = {each for each, what in own.items() if type(what).__name__ in ("Input", "Output")}
        begins = [b for a, b in wires if a in doors and type(own[a]).__name__ == "Input"]
        ends = [a for a, b in wires if b in doors and type(own[b]).__name__ == "Output"]
        inner[full] = (begins, ends)
        nodes |= {each: what for each, what in own.items() if each not in doors}
        edges += [(a, b) for a, b in wires if a not in doors and b not in doors]
    for a, b in graph.edges:
        starts = inner[stem + a][1] if stem + a in inner else [stem + a]
        stops = inner[stem + b][0] if stem + b in inner else [stem + b]
        edges += [(start, stop) for start in starts for stop in stops]


def _one(name: str, node: Any, field: str) -> float:
    """The number that all neurons of a node have in common."""
    values = np.unique(np.asarray(getattr(node, field), np.float64))
    if len(values) != 1:
        raise Refused(
            f"'{name}' has {field} from {values[0]:g} to {values[-1]:g}; here all neurons of a layer have the same: "
            "make them equal, or a layer for each"
        )
    return float(values[0])


def _linear(name: str, node: Any, factor: Any) -> nn.Linear | nn.Conv2d:
    """A linear node as a module, its rows multiplied by what a step makes of a current."""
    kind, weight = type(node).__name__, torch.as_tensor(np.asarray(node.weight))
    if not weight.is_floating_point():
        weight = weight.to(torch.get_default_dtype())
    bias = None if kind == "Linear" else torch.as_tensor(np.asarray(node.bias)).to(weight.dtype)
    rows = _rows(name, factor, len(weight), weight)
    weight = weight * rows.view(-1, *[1] * (weight.ndim - 1))
    bias = None if bias is None else bias * rows
    if kind == "Conv2d":
        module = _convolution(name, node, weight)
    elif weight.ndim == 2:
        module = nn.Linear(weight.shape[1], len(weight), dtype=weight.dtype)
    else:
        raise Refused(f"'{name}' has weights of shape {tuple(weight.shape)}, expected (outputs, inputs)")
    module.weight = nn.Parameter(weight.clone())
    module.register_parameter("bias", None if bias is None else nn.Parameter(bias.clone()))
    return module


def _rows(name: str, factor: Any, n_out: int, like: Float[Tensor, "n_out ..."]) -> Float[Tensor, "n_out"]:
    """The factor of each output row; of a convolution all pixels of a channel must have the same."""
    values = np.asarray(factor, np.float64)
    if values.ndim == 0:
        return like.new_full((n_out,), float(values))
    flat = values.reshape(n_out, -1)
    if not np.allclose(flat, flat[:, :1]):
        raise Refused(f"the neurons behind '{name}' have another R for each pixel; here a channel has one")
    return torch.as_tensor(flat[:, 0].copy()).to(like.dtype)


def _convolution(name: str, node: Any, weight: Float[Tensor, "n_out n_in rows columns"]) -> nn.Conv2d:
    padding = node.padding.decode() if isinstance(node.padding, bytes) else node.padding
    if not isinstance(padding, str):
        padding = pair(padding)
    stride, dilation, groups = pair(node.stride), pair(node.dilation), int(node.groups)
    kernel = (weight.shape[2], weight.shape[3])
    return nn.Conv2d(
        weight.shape[1] * groups, len(weight), kernel, stride, padding, dilation, groups, dtype=weight.dtype
    )


def _module(name: str, kind: str, node: Any) -> nn.Module:
    """A node without memory and weights."""
    if kind in ("AvgPool2d", "SumPool2d"):
        kernel, stride, padding = (pair(getattr(node, field)) for field in ("kernel_size", "stride", "padding"))
        return nn.AvgPool2d(kernel, stride, padding, divisor_override=1 if kind == "SumPool2d" else None)
    if kind == "Flatten":
        axes = len(np.ravel(node.input_type["input"]))
        if int(node.start_dim) != 0 or int(node.end_dim) not in (-1, axes - 1):
            raise Refused(f"'{name}' flattens the axes {node.start_dim} to {node.end_dim}; here all of them, 0 to -1")
        return nn.Flatten()
    raise Refused(f"'{name}' is a {kind}, which is not known here")


def _function(name: str, about: Mapping[str, Any], field: str) -> Any:
    """A function of this library that the metadata name, or None."""
    if field not in about:
        return None
    words = about[field]
    try:
        return decoded(json.loads(words.decode() if isinstance(words, bytes) else words), f"{name}.{field}")
    except ValueError as error:
        raise Refused(f"{field} of '{name}' cannot be read from its metadata ({error}); give {field}=...") from None
