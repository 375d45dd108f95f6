"""Backpropagation through time (BPTT), the reference that local rules are compared with.

Werbos 1990 (doi 10.1109/5.58337), with Ψ in place of the derivative of the spike (Neftci, Mostafa & Zenke 2019,
arXiv 1901.09948). The neuron is snnTorch's `Leaky` (Eshraghian et al. 2023, arXiv 2109.12894), which integrates and
fires; the reset is ours, detached, so that neuron, Ψ, reset and loss are those of S-TLLR and only the rule differs:

    u[t] = γ u⁺[t−1] + I[t],  z[t] = 1[u[t] > v_th] with derivative Ψ,  u⁺[t] = u[t] − v_th stopgrad(z[t])

The graph keeps every step: memory grows in proportion to the number of steps T.
"""

from functools import partial
from typing import NamedTuple

import snntorch
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.layers import Layer, SpikingLayer, check_input, linear_map
from workbench.lif import Neuron, no_reset, run_lif
from workbench.networks import layers_with_memory
from workbench.rules.report import StepReport, check_batch, check_labels, learning_start
from workbench.rules.stllr import summed_cross_entropy
from workbench.surrogate import spike


class BPTT(NamedTuple):
    """last_steps: K, how many of the last steps have a loss; None for all.

    summed_output: cross-entropy of the outputs summed over those steps, as in the released baseline, instead of the
    sum of each step's cross-entropy.
    """

    last_steps: int | None = None
    summed_output: bool = False


def gradients(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    y: Int[Tensor, "batch"],
    params: BPTT = BPTT(),
) -> StepReport:
    """Fill `.grad` of every parameter with the exact gradient through all steps (Ψ for the spike's derivative)."""
    check_batch(x, y)
    start = learning_start(len(x), params.last_steps)
    layers = layers_with_memory(network)
    spikes: dict[Layer, Tensor] = {}

    def run(layer: Layer, x: Tensor) -> Tensor:
        spikes[layer] = run_layer(layer, x)
        return spikes[layer]

    output = network(x.to(next(network.parameters()).dtype), run)
    loss = batch_loss(output[start:], y, params.summed_output)
    loss.backward()
    loss = float(loss.detach()) / (1 if params.summed_output else len(x) - start)
    rates = {name: float(spikes[x].detach().mean()) for name, x in layers.items() if isinstance(x, SpikingLayer)}
    history = sum(2 * z.nbytes for z in spikes.values())  # u and z of every neuron and step
    return StepReport(loss, output.detach().mean(0), rates, history)


def batch_loss(
    output: Float[Tensor, "time batch classes"], y: Int[Tensor, "batch"], summed_output: bool
) -> Float[Tensor, ""]:
    """Sum over steps of the cross-entropy of each output, or the cross-entropy of the summed output."""
    check_labels(y, output.shape[-1])
    return F.cross_entropy(output.sum(0), y) if summed_output else summed_cross_entropy(output, y)


def run_layer(layer: Layer, x: Float[Tensor, "time batch ..."]) -> Float[Tensor, "time batch ..."]:
    """One layer over the whole sequence, differentiable through all steps."""
    connection, weight = layer.connection, layer.effective_weight()
    check_input(connection, x)
    current = linear_map(connection, x.flatten(0, 1), weight, connection.bias).unflatten(0, x.shape[:2])
    if not isinstance(layer, SpikingLayer):
        return run_lif(current, Neuron(layer.decay), reset=no_reset).potential
    neuron, threshold = leaky(layer), layer.neuron.threshold
    rest, spikes = torch.zeros_like(current[0]), []
    for now in current:
        z, u = neuron(now, rest)
        rest = layer.reset(u, z, threshold)
        spikes.append(z)
    return torch.stack(spikes)


def leaky(layer: SpikingLayer) -> snntorch.Leaky:
    """snnTorch's neuron with this layer's γ, v_th and Ψ; it integrates and fires, the reset is left to the caller."""
    weight = layer.connection.weight
    return snntorch.Leaky(
        beta=torch.tensor(layer.neuron.decay, dtype=weight.dtype, device=weight.device),
        threshold=torch.tensor(layer.neuron.threshold, dtype=weight.dtype, device=weight.device),  # pyright: ignore
        spike_grad=partial(spike, psi=layer.psi),
        reset_mechanism="none",
    )
