"""OTTT: online training through time.

Xiao, Meng, Zhang, Wang & Lin, NeurIPS 2022, arXiv 2210.04195. The presynaptic activity is remembered exactly as the
membrane remembers it, and the error comes from the present step only:

    ΔW_ij = Σ_t g_i[t] q_j[t],   q[t] = Σ_{k≤t} γ^{t−k} x[k] = γ q[t−1] + x[t]        eq. 4
    g_i[t] = δ_i[t] ψ_i[t],      δ[t] = ∂L(o[t], y) / ∂z[t]                          eq. 5, without its 1 / T

for the neurons of eq. 2. This is S-TLLR (symbols in `workbench.rules.stllr`) with α_post = 0, α_pre = 1 and λ_pre = γ
of each layer, and so `gradients` computes it; `by_definition` is the rule as it stands above. For one spiking layer
under a memoryless readout it equals backpropagation through time, as long as a spike takes a constant away (soft reset,
detached). After the hard reset the membrane has forgotten its inputs and q has not: the update then differs.
Accumulating over the sequence is OTTT-A; `online` with a step of the optimiser at every time step is OTTT-O.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from workbench.checks import Array, check_kind, one_hot
from workbench.credit.signals import BACKPROPAGATION, Loss, Signal, summed_cross_entropy
from workbench.faces import short_repr
from workbench.kernels.plain import Kernels
from workbench.networks.layers import SpikingLayer
from workbench.networks.spans import Lengths
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import Psi, heaviside, psi_gesture
from workbench.neurons.traces import Factors
from workbench.rule import (
    BYTES,
    Claim,
    Cost,
    LayerSize,
    LearningRule,
    Locality,
    Prepared,
    StepReport,
    Steps,
    check_steps,
    learning_start,
)
from workbench.rules import stllr


def by_definition(
    weights: Sequence[Float[Tensor, "_ _"]],
    x: Float[Tensor, "time batch n_in"],
    y: Int[Tensor, "batch"],
    last_steps: int | None = None,
    neuron: Neuron = Neuron(),
    psi: Psi = psi_gesture,
    readout_decay: float = 0.0,
) -> list[Float[Tensor, "_ _"]]:
    """ΔW of every layer of a dense network for one batch, under the cross-entropy of each step's output.

    Arguments as those of `workbench.rules.stllr.by_definition`.
    """
    *hidden, readout = weights
    T_l, one = learning_start(len(x), last_steps), torch.ones_like(x[0, :, :1])
    widths = [x.shape[2], *map(len, hidden)]  # inputs of each layer
    update, o = [torch.zeros_like(W) for W in weights], one.new_zeros(len(one), len(readout))
    rest, z, psi_now = ([one.new_zeros(len(one), len(W)) for W in hidden] for _ in range(3))
    q = [one.new_zeros(len(one), W.shape[1]) for W in weights]
    for t, s in enumerate(x):
        for layer, W in enumerate(hidden):
            now = torch.cat([s, one, z[layer]], 1)[:, : W.shape[1]]  # x[t], 1 and, if recurrent, z[t−1]
            u = neuron.decay * rest[layer] + now @ W.T  # eq. 2
            s = z[layer] = heaviside(u - neuron.threshold)  # eq. 2
            rest[layer], psi_now[layer] = u - neuron.threshold * s, psi(u - neuron.threshold)
            q[layer] = neuron.decay * q[layer] + now  # in eq. 4: Σ_{k≤t} γ^{t−k} x[k]
        now = torch.cat([s, one], 1)
        o, q[-1] = readout_decay * o + now @ readout.T, readout_decay * q[-1] + now
        if t >= T_l:
            g = (o.softmax(1) - one_hot(y, len(readout))) / len(y)
            update[-1] += g.T @ q[-1]
            above = readout[:, :-1]
            for layer in reversed(range(len(hidden))):
                g = (g @ above) * psi_now[layer]  # eq. 5
                update[layer] += g.T @ q[layer]  # eq. 4
                above = hidden[layer][:, : widths[layer]]
    return update


class OTTT(NamedTuple):
    """Parameters as those of `workbench.rules.stllr.STLLR`."""

    last_steps: int | None = None
    chunk: int | None = None
    signal: Signal = BACKPROPAGATION
    loss: Loss = summed_cross_entropy
    kernels: Kernels | None = None

    __repr__ = short_repr


def gradients(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: OTTT = OTTT(),
    lengths: Lengths = None,
) -> StepReport:
    """Fill `.grad` of every parameter with the OTTT-A update of one batch; lengths as in `stllr.gradients`."""
    return stllr.gradients(network, x, y, as_stllr(params), lengths)


def online(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: OTTT = OTTT(),
    lengths: Lengths = None,
) -> Iterator[StepReport]:
    """OTTT-O: yield after every learning step with the update of that step alone in `.grad`."""
    return stllr.online(network, x, y, as_stllr(params), lengths)


def as_stllr(params: OTTT) -> stllr.STLLR:
    """The same rule in S-TLLR's parameters."""
    last_steps, chunk, signal, loss, kernels = check_kind(params, OTTT)
    return stllr.STLLR(membrane_factors, last_steps, chunk=chunk, signal=signal, loss=loss, kernels=kernels)


def membrane_factors(layer: SpikingLayer) -> Factors:
    """The factors that make the eligibility trace of a layer its membrane's memory."""
    return Factors(lambda_post=0.0, lambda_pre=layer.neuron.decay, alpha_post=0.0, alpha_pre=1.0)


def cost(sizes: Sequence[LayerSize], steps: int, learning_steps: int) -> Cost:
    """2 K Σ M_l MACs and Σ N_l values: S-TLLR's without the non-causal term and its trace."""
    macs, neurons = sum(size.macs for size in sizes), sum(size.neurons for size in sizes)
    return Cost(2 * learning_steps * macs, BYTES * neurons)


def prepare(network: nn.Module, x: Shaped[Tensor, "time batch ..."], classes: int, steps: Steps = Steps()) -> Prepared:
    """OTTT-A; nothing has to be made for a network."""
    last, at_once = check_steps(steps)
    params = OTTT(last, chunk=at_once)
    return Prepared(partial(gradients, params=params), partial(online, params=params))


RULE = LearningRule(
    name="ottt",
    label="OTTT",
    paper="Xiao, Meng, Zhang, Wang & Lin, NeurIPS 2022, arXiv 2210.04195",
    claim=Claim(
        Locality(space=False, time=True, memory=True),
        "abstract: constant training memory whatever the number of steps; S-TLLR (arXiv 2306.15220), Table 1",
    ),
    cost=cost,
    for_spiking=prepare,
)
