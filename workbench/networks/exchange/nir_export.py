"""Spiking networks as graphs of NIR, the Neuromorphic Intermediate Representation (Pedersen et al. 2024,
doi 10.1038/s41467-024-52259-9), which neuromorphic chips and other simulators read.

NIR has neurons in continuous time, ours step by Δt. One Euler step of NIR's LIF is one of our steps:

    τ v̇ = −v + R I    →    v[t] = (1 − Δt/τ) v[t−1] + (R Δt/τ) I[t]        τ = Δt / (1 − γ),   R = τ / Δt

With γ = 1 nothing leaks: IF (v̇ = R I, R = 1/Δt), and I for a readout. What NIR has no words for stands in `metadata`,
where other programs may leave it alone: of the graph `dt`, the width of a step, in seconds; of neurons `decay` γ as it
is, `reset`, and `psi`, the secondary activation. NIR itself knows the hard reset to `v_reset` only: a network with
another reset spikes differently where the metadata are not read. Weight standardisation is folded into the weights. A
recurrent layer is a loop: neurons → weights → the same neurons, one step later.
Symbols: τ time constant, R resistance, v_threshold v_th, I input current, γ decay of a step.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.checks import POSITIVE, check_number
from workbench.data.delivery.storage import unwritable, written_unlocked
from workbench.kernels.convolution import steps_of
from workbench.meters.evaluation import evaluation
from workbench.networks.architectures import AveragePool
from workbench.networks.description import encoded
from workbench.networks.exchange.parts import Part, is_sum, pair, parts_of
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spiking import as_spiking
from workbench.networks.traced import Refused
from workbench.networks.wiring import BatchSize, Operation

STEP = 1e-3  # seconds


def nir_package() -> Any:
    """The package `nir`, which is an extra."""
    try:
        import nir
    except ImportError:
        message = "NIR needs its package: pip install 'local-learning-workbench[nir]'"
        raise ModuleNotFoundError(message) from None
    return nir


def write_nir(path: str | Path, network: nn.Module, input_shape: Sequence[int] | None = None, dt: float = STEP) -> None:
    """Write a network to a NIR file (HDF5), whole or not at all; arguments and errors as for `to_nir`."""
    path, graph, nir = Path(path), to_nir(network, input_shape, dt), nir_package()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_unlocked(path) as part:
            nir.write(part, graph)
    except OSError as error:
        raise unwritable(path, error) from None


def to_nir(network: nn.Module, input_shape: Sequence[int] | None = None, dt: float = STEP) -> Any:
    """The network as a `nir.NIRGraph` whose Euler steps of `dt` seconds are its steps.

    input_shape: of one step of one sample; None for the inputs of a dense first layer.
    Raises ValueError that names the part which NIR cannot say, and what to do.
    """
    check_number(dt, "dt", POSITIVE)
    nir, parts = nir_package(), parts_of(as_spiking(network))
    shapes = _shapes(parts, _input_shape(parts, input_shape))
    nodes: dict[str, Any] = {"input": nir.Input({"input": _shape(shapes[0])})}
    edges: list[tuple[str, str]] = []
    sources: dict[int, tuple[str, ...]] = {0: ("input",)}  # of each value, the nodes whose sum it is
    for place, part in enumerate(parts, 1):
        before = [shapes[value] for value in part.inputs]
        given = [name for value in part.inputs for name in sources[value]]
        if len(set(given)) < len(given):
            raise Refused(f"'{part.name}' takes a value twice, and NIR has one edge between two nodes")
        made, loops = _nodes(part, before[0], shapes[place], dt)
        names = list(made)
        if not names:
            sources[place] = tuple(given)
            continue
        nodes |= made
        chain = names[: len(names) - len(loops)]
        edges += [(name, chain[0]) for name in given]
        edges += list(pairwise(chain))
        for loop in loops:
            edges += [(chain[-1], loop), (loop, chain[-1])]
        sources[place] = (chain[-1],)
    nodes["output"] = nir.Output({"output": _shape(shapes[len(parts)])})
    edges += [(name, "output") for name in sources[len(parts)]]
    about = {"dt": float(dt), "written_by": "local-learning-workbench"}
    return nir.NIRGraph(nodes, edges, metadata=about)


def _shape(shape: Sequence[int]) -> Any:
    return torch.tensor(list(shape)).numpy()


def _input_shape(parts: Sequence[Part], given: Sequence[int] | None) -> Sequence[int]:
    if given is not None:
        return given
    layers = [part.module for part in parts if isinstance(part.module, SpikingLayer | LeakyReadout)]
    connection = layers[0].connection
    if isinstance(connection, nn.Linear):
        return (connection.in_features,)
    raise Refused("the size of the pictures that come in must be told: input_shape=(channels, height, width)")


def _shapes(parts: Sequence[Part], input_shape: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """The shape of every value, without the batch, by running one sample through connections and pools."""
    first = next(part.module for part in parts if isinstance(part.module, SpikingLayer | LeakyReadout))
    values: dict[int, Tensor] = {0: torch.zeros(1, *input_shape).to(first.connection.weight)}
    with torch.no_grad():
        for place, part in enumerate(parts, 1):
            module, given = part.module, [values[value] for value in part.inputs]
            try:
                if isinstance(module, SpikingLayer | LeakyReadout):
                    values[place] = module.connection(given[0])
                else:
                    with evaluation(module):
                        values[place] = module(*given)
            except (RuntimeError, TypeError, ValueError) as error:
                shape = tuple(given[0].shape[1:])
                raise Refused(f"'{part.name}' does not take an input of shape {shape}: {error}") from None
    return {place: tuple(value.shape[1:]) for place, value in values.items()}


def _nodes(
    part: Part, before: tuple[int, ...], after: tuple[int, ...], dt: float
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The nodes of a part by name, a chain and then its loops, and the names of the loops."""
    nir, module, name = nir_package(), part.module, part.name
    match module:
        case SpikingLayer():
            nodes = {f"{name}.connection": _connection(part, module.connection, module.effective_weight(), before)}
            nodes[name] = _neurons(module, after, dt)
            recurrent = module.effective_weights().recurrent
            if recurrent is None:
                return nodes, ()
            return nodes | {f"{name}.recurrent": nir.Linear(_array(recurrent))}, (f"{name}.recurrent",)
        case LeakyReadout():
            connection = _connection(part, module.connection, module.connection.weight, before)
            return {f"{name}.connection": connection, name: _integrator(module, after, dt)}, ()
        case nn.Flatten() | Operation() if _flattens(module):
            return ({} if len(before) == 1 else {name: nir.Flatten({"input": _shape(before)}, 0, -1)}), ()
        case AveragePool():
            return {name: _pool((2, 2), (2, 2), (0, 0))}, ()
        case nn.AvgPool2d():
            return {name: _average(part, module)}, ()
        case nn.AdaptiveAvgPool2d():
            kernel = tuple(size // cells for size, cells in zip(before[1:], after[1:], strict=True))
            if any(size % cells for size, cells in zip(before[1:], after[1:], strict=True)):
                raise Refused(f"{_told(part)} averages {before[1:]} to {after[1:]} pixels, over cells of unequal size")
            return {name: _pool(kernel, kernel, (0, 0))}, ()
        case _ if is_sum(module) or isinstance(module, nn.Identity):
            return {}, ()
    advice = "; NIR has average pooling: nn.AvgPool2d" if isinstance(module, nn.MaxPool2d) else ""
    raise Refused(f"{_told(part)} has no node in NIR{advice}")


def _told(part: Part) -> str:
    module = part.module
    return f"'{part.name}' ({module if isinstance(module, Operation) else type(module).__name__})"


def _flattens(module: nn.Module) -> bool:
    """Whether a module makes a vector of each sample."""
    if isinstance(module, nn.Flatten):
        return (module.start_dim, module.end_dim) == (1, -1)
    if not isinstance(module, Operation) or module.named not in ((), (("start_dim", 1),)):
        return False
    given = (module.name, *module.arguments[1:])
    return given in (("flatten", 1), ("reshape", BatchSize(), -1)) or (module.name == "flatten" and bool(module.named))


def _array(tensor: Shaped[Tensor, "..."]) -> Any:
    if tensor.dtype is torch.bfloat16:
        raise Refused("weights of bfloat16 cannot be written to NIR; make them float32 first: network.float()")
    return tensor.detach().cpu().contiguous().numpy().copy()


def _connection(
    part: Part, connection: nn.Linear | nn.Conv2d, weight: Float[Tensor, "n_out ..."], before: tuple[int, ...]
) -> Any:
    nir, bias = nir_package(), connection.bias
    if isinstance(connection, nn.Linear):
        return nir.Linear(_array(weight)) if bias is None else nir.Affine(_array(weight), _array(bias))
    stride, padding, dilation, groups = steps_of(connection)
    if groups != 1 or weight.shape[2] != weight.shape[3]:
        reason = "is in groups" if groups != 1 else f"has a kernel of {weight.shape[2]} × {weight.shape[3]}"
        raise Refused(f"the convolution of {_told(part)} {reason}, of which NIR's package takes the sizes wrongly")
    bias = torch.zeros_like(weight[:, 0, 0, 0]) if bias is None else bias
    return nir.Conv2d(before[1:], _array(weight), tuple(stride), tuple(padding), tuple(dilation), 1, _array(bias))


def _neurons(layer: SpikingLayer, shape: tuple[int, ...], dt: float) -> Any:
    nir, (decay, threshold) = nir_package(), layer.neuron
    about = {"decay": decay, "reset": json.dumps(encoded(layer.reset)), "psi": json.dumps(encoded(layer.psi))}
    level = _filled(shape, threshold)
    if decay == 1.0:
        return nir.IF(_filled(shape, 1.0 / dt), level, metadata=about)
    tau, r, leak = _leaky(shape, decay, dt)
    return nir.LIF(tau, r, leak, level, metadata=about)


def _integrator(layer: LeakyReadout, shape: tuple[int, ...], dt: float) -> Any:
    nir, about = nir_package(), {"decay": layer.decay, "trace_decay": layer.trace_decay}
    if layer.decay == 1.0:
        return nir.I(_filled(shape, 1.0 / dt), metadata=about)
    return nir.LI(*_leaky(shape, layer.decay, dt), metadata=about)


def _leaky(shape: tuple[int, ...], decay: float, dt: float) -> tuple[Any, Any, Any]:
    """τ, R and the resting potential of every neuron."""
    return _filled(shape, dt / (1.0 - decay)), _filled(shape, 1.0 / (1.0 - decay)), _filled(shape, 0.0)


def _filled(shape: tuple[int, ...], value: float) -> Any:
    return torch.full(shape, value, dtype=torch.float64).numpy()


def _average(part: Part, pool: nn.AvgPool2d) -> Any:
    kernel, stride, padding = (pair(each) for each in (pool.kernel_size, pool.stride, pool.padding))
    total = pool.divisor_override is not None
    if pool.ceil_mode or (total and pool.divisor_override != 1) or not (pool.count_include_pad or padding == (0, 0)):
        raise Refused(f"{_told(part)} counts its borders in a way that NIR has not; leave ceil_mode and the like as is")
    return _pool(kernel, stride, padding, total)


def _pool(kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], total: bool = False) -> Any:
    nir = nir_package()
    options: Mapping[str, Any] = {
        "kernel_size": _shape(kernel),
        "stride": _shape(stride),
        "padding": _shape(padding),
    }
    return nir.SumPool2d(**options) if total else nir.AvgPool2d(**options)
