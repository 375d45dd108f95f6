"""What inference costs as NeuroBench counts it, and in the same style what an update costs, which it leaves out.

The complexity metrics of NeuroBench's algorithm track (Yik et al., "The neurobench framework for benchmarking
neuromorphic computing algorithms and systems", Nature Communications 2025, arXiv 2304.04640), for our networks:

    footprint              bytes of all parameters and buffers, what a rule hung on the layers among them
    connection sparsity    share of the weights between layers that are 0
    activation sparsity    share of the neurons' outputs that are 0, over all layers, steps and samples
    synaptic operations    of one sample, over all its steps; biases are not counted
        dense              every weight meets its input
        effective          weight and input are not 0: ACs, which need no product, where all inputs of a layer in a step
                           of the batch are −1, 0 or 1, and MACs elsewhere

Weights are those that are used: of a standardised layer Ŵ. The training block is ours:

    kept, carried          bytes that autograd keeps at the worst moment, and that the rule carries from step to step
    forward, update        products that are executed in inference and in a whole update, per sample (`cost.measure`)
    changed                share of the weights between layers that an update changes
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Shaped
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules import activation

from workbench.cost.counted import UNKNOWN_TO_TORCH, measure
from workbench.kernels.choice import Loops, taking
from workbench.meters.evaluation import evaluation, untouched
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spans import Lengths, check_lengths
from workbench.networks.spiking import Simulation, chunk_steps, chunks, layers_with_memory, run_network
from workbench.rule import Rule

CONNECTIONS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
ACTIVATIONS = tuple(  # what stands for neurons in a network of blocks
    kind for name in activation.__all__ if (kind := getattr(activation, name)) is not activation.MultiheadAttention
)


class Inference(NamedTuple):
    """The metrics of NeuroBench, see above; operations are means over the samples."""

    footprint: int
    connection_sparsity: float
    activation_sparsity: float
    effective_macs: float
    effective_acs: float
    dense: float


class UpdateCost(NamedTuple):
    """What an update of one batch costs, see above; bytes of the batch, products of one sample."""

    kept_bytes: int
    carried_bytes: int
    forward_macs: int
    update_macs: int
    changed: float


class _Tally:
    """Operations and outputs, counted while a network runs."""

    def __init__(self) -> None:
        self.macs = self.acs = self.dense = self.silent = self.outputs = 0

    def connection(
        self, module: nn.Module, weight: Tensor, x: Tensor, own: Bool[Tensor, "time batch"] | None = None
    ) -> None:
        """Count what a connection does with inputs of shape (time, batch, ...)."""
        active, ones = (x != 0).to(weight.dtype), torch.ones_like(x, dtype=weight.dtype)
        effective = _operations(module, (weight != 0).to(weight.dtype), active)
        every = _operations(module, torch.ones_like(weight), ones)
        if own is not None:
            effective, every = effective * own, every * own
        binary = ((x == 0) | (x.abs() == 1)).flatten(1).all(1)
        steps = effective.sum(1)
        self.acs += round(float(steps[binary].sum()))
        self.macs += round(float(steps[~binary].sum()))
        self.dense += round(float(every.sum()))

    def neurons(self, output: Tensor, own: Bool[Tensor, "time batch"] | None = None) -> None:
        """Count outputs of shape (time, batch, ...)."""
        silent = (output == 0).flatten(2).sum(2)
        each = output[0, 0].numel()
        counted = torch.ones_like(silent) if own is None else own.long()
        self.silent += int((silent * counted).sum())
        self.outputs += each * int(counted.sum())


def _operations(module: Any, weight: Tensor, x: Tensor) -> Shaped[Tensor, "time batch"]:
    """Pairs of a weight and an input that are both 1, for each step and sample: the outputs of a map are summed by
    summing its weights first. float64, so that large counts stay whole."""
    flat, weight = x.flatten(0, 1).double(), weight.double()
    if isinstance(module, nn.Linear):
        return (flat.flatten(1) @ weight.sum(0)).unflatten(0, x.shape[:2])
    groups = module.groups
    summed = weight.unflatten(0, (groups, -1)).sum(1)
    convolve = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[weight.ndim]
    if module.padding_mode != "zeros":
        raise ValueError(f"operations of a convolution are counted with padding of zeros, got {module.padding_mode!r}")
    out = convolve(flat, summed, None, module.stride, module.padding, module.dilation, groups)
    return out.flatten(1).sum(1).unflatten(0, x.shape[:2])


def footprint(network: nn.Module) -> int:
    """Bytes of all parameters and buffers.

    >>> footprint(nn.Linear(3, 2))
    32
    """
    return sum(tensor.numel() * tensor.element_size() for tensor in (*network.parameters(), *network.buffers()))


@torch.no_grad()
def connection_sparsity(network: nn.Module) -> float:
    """Share of the weights between layers that are 0; 0 for a network without connections."""
    weights = [weight for _, weight in _connections(network)]
    total = sum(weight.numel() for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / total if total else 0.0


def _connections(network: nn.Module) -> list[tuple[nn.Module, Tensor]]:
    """Connections with their weights as they are used; those of a network of blocks without what teaches it."""
    layers = layers_with_memory(network).values()
    if layers:
        return [pair for layer in layers for pair in _of_layer(layer)]
    return [(module, module.weight) for module in _plain_connections(network)]


def _plain_connections(network: nn.Module) -> list[Any]:
    return [module for module in network.modules() if isinstance(module, CONNECTIONS)]


def _of_layer(layer: SpikingLayer | LeakyReadout) -> list[tuple[nn.Module, Tensor]]:
    forward, recurrent = layer.effective_weights()
    pairs: list[tuple[nn.Module, Tensor]] = [(layer.connection, forward)]
    if layer.recurrent is not None and recurrent is not None:
        pairs.append((layer.recurrent, recurrent))
    return pairs


def inference(network: nn.Module, x: Shaped[Tensor, "..."], lengths: Lengths = None) -> Inference:
    """The metrics of a network on a batch: `(time, batch, ...)` for a spiking one, else `(batch, ...)`.

    lengths: how many steps of each sample are its own; the others are not counted. Nothing of the network is changed.
    """
    tally, spiking = _Tally(), bool(layers_with_memory(network))
    with torch.no_grad(), evaluation(network):
        if spiking:
            _run_spiking(network, x, None if lengths is None else check_lengths(x, lengths), tally)
        else:
            _run_plain(network, x, tally)
    samples = x.shape[1] if spiking else len(x)
    silent = tally.silent / tally.outputs if tally.outputs else 0.0
    operations = (tally.macs / samples, tally.acs / samples, tally.dense / samples)
    return Inference(footprint(network), connection_sparsity(network), silent, *operations)


def _run_spiking(network: nn.Module, x: Tensor, lengths: Tensor | None, tally: _Tally) -> None:
    simulation, last = Simulation(network), dict[nn.Module, Tensor]()
    dtype = next(network.parameters()).dtype
    for chunk in chunks(len(x), chunk_steps(network, x)):
        times = torch.arange(chunk.start, chunk.stop)[:, None]
        own = None if lengths is None else times < lengths

        def run(layer: nn.Module, part: Tensor, own: Tensor | None = own) -> Tensor:
            out = simulation.run(layer, part)
            if isinstance(layer, SpikingLayer | LeakyReadout):
                for module, weight in _of_layer(layer):
                    before = part
                    if module is layer.recurrent:
                        before = torch.cat([last.get(layer, torch.zeros_like(out[:1])), out[:-1]])
                    tally.connection(module, weight, before, own)
                last[layer] = out[-1:].clone()
            if isinstance(layer, SpikingLayer):
                tally.neurons(out, own)
            return out

        run_network(network, x[chunk].to(dtype), run)


def _run_plain(network: nn.Module, x: Tensor, tally: _Tally) -> None:
    def connection(module: Any, given: tuple[Tensor, ...]) -> None:
        tally.connection(module, module.weight, given[0][None])

    def neurons(_: nn.Module, __: Any, output: Tensor) -> None:
        tally.neurons(output[None])

    handles = [module.register_forward_pre_hook(connection) for module in _plain_connections(network)]
    handles += [m.register_forward_hook(neurons) for m in network.modules() if isinstance(m, ACTIVATIONS)]
    try:
        network(x.to(next(network.parameters(), x).dtype))
    finally:
        for handle in handles:
            handle.remove()


def update_cost(
    rule: Rule, network: nn.Module, x: Shaped[Tensor, "..."], y: Shaped[Tensor, "batch *target"], forward: Callable
) -> UpdateCost:
    """What an update of a rule costs on a batch. forward: `(network, x)` → outputs, as a `Setting` has it in `logits`.

    `.grad`, buffers and modes are afterwards as before.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with untouched(network):
        found = measure(rule, network, x, y)
        weights = [weight for weight in _trained(network) if weight.grad is not None]
        total = sum(weight.numel() for weight in _trained(network))
        changed = sum(int((weight.grad != 0).sum()) for weight in weights) / total if total else 0.0
    counter = FlopCounterMode(display=False, custom_mapping=UNKNOWN_TO_TORCH)
    with taking(Loops.PLAIN), torch.no_grad(), counter:
        forward(network, x)
    inside = counter.get_total_flops() // 2 // len(y)
    return UpdateCost(found.saved_bytes, found.state_bytes, inside, found.macs // len(y), changed)


def _trained(network: nn.Module) -> list[Tensor]:
    """The weights between layers as they are trained."""
    layers = layers_with_memory(network).values()
    if not layers:
        return [module.weight for module in _plain_connections(network)]
    modules = [module for layer in layers for module in (layer.connection, layer.recurrent) if module is not None]
    return [module.weight for module in modules]
