"""Sizes that formulas of cost are made of, and what S-TLLR saves against BPTT by the formulas of its paper.

A rule's formula stands in the rule's own file, and `workbench.cost.table` walks over them; `workbench.cost.counted`
counts what a rule really does. S-TLLR (arXiv 2306.15220, section 4.3) for one sample of T steps, K = T − T_l of which
learn, with N_l neurons of layer l, N_0 inputs, and M_l multiply-accumulate operations (MACs) of layer l for one step,
N_l N_{l−1} where it is dense:

    memory   BPTT  T Σ N_l        S-TLLR  2 Σ N_l    (Σ N_l, α_post = 0)       S_mem = T / 2
    MACs     BPTT  2 T Σ M_l      S-TLLR  3 K Σ M_l  (2 K Σ M_l, α_post = 0)   S_MAC = 2 T / (3 K)

Without the non-causal term there is no trace of ψ to keep, hence half the memory: so TESS (arXiv 2502.01837, section
III-B) counts, the S-TLLR paper's formula has 2 in any case.

S_MAC is below 1, and S-TLLR costs more than BPTT, when more than two thirds of the steps learn (with the non-causal
term). The formulas count sums over synapses as if all inputs spiked, and neither the forward pass nor the reuse of one
product for both terms: workbench.credit.eligibility needs one product per weight and step where the paper counts two.
"""

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from workbench.checks import COUNT, check_number
from workbench.meters.evaluation import evaluation
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spiking import Simulation, layers_with_memory, run_network
from workbench.rule import LayerSize


def layer_sizes(network: nn.Module, x: Shaped[Tensor, "time batch *features"]) -> list[LayerSize]:
    """The input (with no MACs) and every layer of a network, by running one step of one sample."""
    names = {layer: name for name, layer in layers_with_memory(network).items()}
    simulation, sizes = Simulation(network), [LayerSize("input", x[0, 0].numel(), 0)]

    def run(layer: nn.Module, x: Tensor) -> Tensor:
        z = simulation.run(layer, x)
        if isinstance(layer, SpikingLayer | LeakyReadout):
            sizes.append(LayerSize(names[layer], z.numel(), layer_macs(layer, z.numel())))
        return z

    with evaluation(network), torch.no_grad():
        run_network(network, x[:1, :1].to(next(network.parameters()).dtype), run)
    return sizes


def layer_macs(layer: SpikingLayer | LeakyReadout, neurons: int) -> int:
    """MACs of one step: each neuron's fan-in, recurrent weights included."""
    recurrent = 0 if layer.recurrent is None else neurons
    return neurons * (layer.connection.weight[0].numel() + recurrent)


def memory_saving(steps: int, non_causal: bool = True) -> float:
    """S_mem: how many times less memory S-TLLR takes than BPTT."""
    check_number(steps, "steps", COUNT)
    return steps / (2 if non_causal else 1)


def mac_saving(steps: int, learning_steps: int, non_causal: bool = True) -> float:
    """S_MAC: how many times fewer MACs S-TLLR takes than BPTT; below 1 it takes more.

    >>> mac_saving(100, 90) < 1 < mac_saving(20, 5)
    True
    """
    check_number(steps, "steps", COUNT)
    if not (COUNT.holds(learning_steps) and learning_steps <= steps):
        raise ValueError(f"learning_steps must lie in 1..{steps}, got {learning_steps!r}")
    return 2 * steps / ((3 if non_causal else 2) * learning_steps)
