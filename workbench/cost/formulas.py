"""What a rule costs by the S-TLLR paper's formulas, beside what it costs when it is run.

arXiv 2306.15220, section 4.3, for one sample of T steps, K = T − T_l of which learn. N_l neurons of layer l, N_0
inputs, M_l multiply-accumulate operations (MACs) of layer l for one step: N_l N_{l−1} where it is dense.

    memory   BPTT  T Σ N_l        S-TLLR  2 Σ N_l    (Σ N_l, α_post = 0)       S_mem = T / 2
    MACs     BPTT  2 T Σ M_l      S-TLLR  3 K Σ M_l  (2 K Σ M_l, α_post = 0)   S_MAC = 2 T / (3 K)

Without the non-causal term there is no trace of ψ to keep, hence half the memory: so TESS (arXiv 2502.01837, section
III-B) counts, the S-TLLR paper's formula has 2 in any case.

S_MAC is below 1, and S-TLLR costs more than BPTT, when more than two thirds of the steps learn (with the non-causal
term). The formulas count sums over synapses as if all inputs spiked, and neither the forward pass nor the reuse of one
product for both terms: workbench.credit.eligibility needs one product per weight and step where the paper counts two.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from workbench.meters.kept import KeptBytes
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spiking import Simulation, layers_with_memory
from workbench.rule import StepReport

BYTES = 4  # of a float32


class LayerSize(NamedTuple):
    """Neurons of a layer and MACs of one step of one sample, input and recurrent weights together."""

    name: str
    neurons: int
    macs: int


class Cost(NamedTuple):
    """Of one sample. Memory counts the values kept for the update, as the paper does, in bytes of float32."""

    macs: int
    memory: int


class Measured(NamedTuple):
    """A rule on one batch: MACs of all products that were executed, forward too; bytes of state between steps; bytes
    that autograd kept at the worst moment."""

    macs: int
    state_bytes: int
    saved_bytes: int

    def per_sample(self, batch: int) -> "Measured":
        """The same for one of `batch` samples, rounded down."""
        return Measured(*(number // batch for number in self))


def layer_sizes(network: nn.Module, x: Shaped[Tensor, "time batch *features"]) -> list[LayerSize]:
    """The input (with no MACs) and every layer of a network, by running one step of one sample."""
    names = {layer: name for name, layer in layers_with_memory(network).items()}
    simulation, sizes = Simulation(network), [LayerSize("input", x[0, 0].numel(), 0)]

    def run(layer: nn.Module, x: Tensor) -> Tensor:
        z = simulation.run(layer, x)
        if isinstance(layer, SpikingLayer | LeakyReadout):
            sizes.append(LayerSize(names[layer], z.numel(), layer_macs(layer, z.numel())))
        return z

    with torch.no_grad():
        network(x[:1, :1].to(next(network.parameters()).dtype), run)
    return sizes


def layer_macs(layer: SpikingLayer | LeakyReadout, neurons: int) -> int:
    """MACs of one step: each neuron's fan-in, recurrent weights included."""
    recurrent = 0 if layer.recurrent is None else neurons
    return neurons * (layer.connection.weight[0].numel() + recurrent)


def bptt_cost(sizes: Sequence[LayerSize], steps: int) -> Cost:
    """Backpropagation through time, by formula."""
    return Cost(2 * steps * sum(size.macs for size in sizes), BYTES * steps * sum(size.neurons for size in sizes))


def stllr_cost(sizes: Sequence[LayerSize], learning_steps: int, non_causal: bool = True) -> Cost:
    """S-TLLR, by formula; `non_causal` False for α_post = 0."""
    products, traces = (3, 2) if non_causal else (2, 1)
    macs, neurons = sum(size.macs for size in sizes), sum(size.neurons for size in sizes)
    return Cost(products * learning_steps * macs, traces * BYTES * neurons)


def memory_saving(steps: int, non_causal: bool = True) -> float:
    """S_mem: how many times less memory S-TLLR takes than BPTT."""
    return steps / (2 if non_causal else 1)


def mac_saving(steps: int, learning_steps: int, non_causal: bool = True) -> float:
    """S_MAC: how many times fewer MACs S-TLLR takes than BPTT; below 1 it takes more.

    >>> mac_saving(100, 90) < 1 < mac_saving(20, 5)
    True
    """
    if not 1 <= learning_steps <= steps:
        raise ValueError(f"learning_steps must lie in 1..{steps}, got {learning_steps}")
    return 2 * steps / ((3 if non_causal else 2) * learning_steps)


def measure(
    rule: Callable[[nn.Module, Tensor, Tensor], StepReport],
    network: nn.Module,
    x: Shaped[Tensor, "..."],
    y: Shaped[Tensor, "batch *target"],
) -> Measured:
    """Run one batch of a rule and count. `.grad` is cleared before and filled after."""
    network.zero_grad(set_to_none=True)
    counter = FlopCounterMode(display=False, custom_mapping=SKIPPING_PRODUCTS)
    with counter, KeptBytes(*network.parameters(), x) as kept:
        report = rule(network, x, y)
    return Measured(counter.get_total_flops() // 2, report.state_bytes, kept.peak)


def _events_flops(weight_shape: Sequence[int], columns_shape: Sequence[int], *_: object, **__: object) -> int:
    """A product that skips zeros: one MAC per event and output."""
    return 2 * columns_shape[0] * weight_shape[1]


SKIPPING_PRODUCTS = {
    torch.ops.aten._embedding_bag: _events_flops,
    torch.ops.aten._embedding_bag_forward_only: _events_flops,
}
