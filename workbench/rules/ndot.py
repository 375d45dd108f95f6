"""NDOT: neuronal dynamics-based online training.

Jiang, De Masi, Xiong & Gu, ICML 2024 (PMLR 235, jiang24a). As OTTT, but each neuron's own membrane says how fast the
trace of its spikes fades: by what the membrane kept from one step to the next.

    e_j[t] = u⁺_j[t] / u⁺_j[t−1],  cut to [−γ, γ]                  continuous temporal dependency ∂u[t+1] / ∂u[t]
    â_j[t] = e_j[t−1] â_j[t−1] + z_j[t]                            tracked temporal gradient of a neuron's own spikes
    ΔW_ij = Σ_t g_i[t] â_j[t],   g_i[t] = δ_i[t] ψ_i[t]            δ as in `workbench.rules.ottt`

The equations are from a third party's summary of the paper and from the authors' code; the paper was not at hand, so
that no equation has a number here. Where u⁺[t−1] = 0 the code has e = γ, and so has this. `released` is the code: there
u⁺ − v_th z, one reset too many, is in the place of u⁺, and e[t] in that of e[t−1]. What has no membrane, the network's
input and the constant input of a bias, fades by `input_decay`: for None γ of the layer it drives, as in OTTT; 0 in the
code. A recurrent weight, of which the paper has none, sees â[t−1] of its layer; a readout, its input as it forgets it.
As |e| ≤ γ no trace exceeds OTTT's, and they are equal while every u⁺ keeps at least its share γ.
Symbols: u⁺ membrane after the reset, γ its decay, v_th threshold, z spikes, ψ = Ψ(u − v_th).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from workbench.checks import SHARE, check_fields, one_hot
from workbench.credit import stepwise
from workbench.credit.signals import BACKPROPAGATION, Loss, Signal, summed_cross_entropy
from workbench.credit.stepwise import Ran, Sequences, Step, Stepwise, Targets, attach
from workbench.faces import short_repr
from workbench.networks.layers import Neurons, advance
from workbench.networks.spans import Lengths
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import Psi, heaviside, psi_gesture
from workbench.rule import Claim, LearningRule, Locality, Prepared, StepReport, Steps, learning_start


def by_definition(
    weights: Sequence[Float[Tensor, "_ _"]],
    x: Float[Tensor, "time batch n_in"],
    y: Int[Tensor, "batch"],
    last_steps: int | None = None,
    neuron: Neuron = Neuron(),
    psi: Psi = psi_gesture,
    readout_decay: float = 0.0,
) -> list[Float[Tensor, "_ _"]]:
    """ΔW of every layer of a dense network for one batch; arguments as those of `stllr.by_definition`."""
    *hidden, readout = weights
    T_l, one = learning_start(len(x), last_steps), torch.ones_like(x[0, :, :1])
    update, o = [torch.zeros_like(W) for W in weights], one.new_zeros(len(one), len(readout))
    rest, older, z, a, psi_now = ([one.new_zeros(len(one), len(W)) for W in hidden] for _ in range(5))
    q, q_one, q_out = torch.zeros_like(x[0]), torch.zeros_like(one), one.new_zeros(len(one), readout.shape[1])
    for t, s in enumerate(x):
        trace = q = neuron.decay * q + s
        q_one, entering = neuron.decay * q_one + 1, []
        for layer, W in enumerate(hidden):
            entering.append(torch.cat([trace, q_one, a[layer]], 1)[:, : W.shape[1]])  # a[layer] is still â[t−1]
            u = neuron.decay * rest[layer] + torch.cat([s, one, z[layer]], 1)[:, : W.shape[1]] @ W.T
            e = torch.where(older[layer] == 0, neuron.decay, rest[layer] / older[layer])  # e[t−1]
            s = z[layer] = heaviside(u - neuron.threshold)
            older[layer], rest[layer], psi_now[layer] = rest[layer], u - neuron.threshold * s, psi(u - neuron.threshold)
            trace = a[layer] = e.clamp(-neuron.decay, neuron.decay) * a[layer] + s  # â[t]
        o = readout_decay * o + torch.cat([s, one], 1) @ readout.T
        q_out = readout_decay * q_out + torch.cat([s, one], 1)
        if t >= T_l:
            g, above = (o.softmax(1) - one_hot(y, len(readout))) / len(y), readout[:, :-1]
            update[-1] += g.T @ q_out
            for layer in reversed(range(len(hidden))):
                g = (g @ above) * psi_now[layer]
                update[layer] += g.T @ entering[layer]
                above = hidden[layer][:, : x.shape[2] if layer == 0 else len(hidden[layer - 1])]
    return update


class NDOT(NamedTuple):
    """last_steps, signal and loss as those of `workbench.rules.stllr.STLLR`; the rest stands above."""

    last_steps: int | None = None
    input_decay: float | None = None
    released: bool = False
    signal: Signal = BACKPROPAGATION
    loss: Loss = summed_cross_entropy

    __repr__ = short_repr


def gradients(
    network: nn.Module, x: Sequences, y: Targets, params: NDOT = NDOT(), lengths: Lengths = None
) -> StepReport:
    """NDOT-A: fill `.grad` of every parameter with the update of one batch; arguments as those of `stllr.gradients`."""
    return stepwise.gradients(network, x, y, as_stepwise(params), lengths)


def online(
    network: nn.Module, x: Sequences, y: Targets, params: NDOT = NDOT(), lengths: Lengths = None
) -> Iterator[StepReport]:
    """NDOT-O: yield after every learning step with the update of that step alone in `.grad`."""
    return stepwise.online(network, x, y, as_stepwise(params), lengths)


def as_stepwise(params: NDOT) -> Stepwise:
    """The rule from what a layer does in a step; â goes beside the spikes, through pooling too."""
    last_steps, _, _, signal, loss = check_fields(params, NDOT, input_decay=SHARE)
    return Stepwise(partial(run_step, params), last_steps, signal, loss)


def run_step(params: NDOT, step: Step) -> Ran:
    """One layer in one step, see `workbench.credit.stepwise`."""
    neuron, state = step.layer.neuron, step.state
    fading = neuron.decay if params.input_decay is None else params.input_decay
    with torch.no_grad():
        ran = advance(step.layer, step.x, step.weights, state[0] if state else None)
        nothing = torch.zeros_like(ran.neurons.rest)
        neurons, older, a, q, one = state or (Neurons(nothing), nothing, nothing, 0.0, 0.0)
        kept = ran.neurons.rest - neuron.threshold * ran.output[0] if params.released else neurons.rest
        e = torch.where(older == 0, neuron.decay, kept / older).clamp(-neuron.decay, neuron.decay)
        trace, q, one = e * a + ran.output[0], fading * q + step.x[0], fading * one + 1.0
    z = attach(step, ran, q if step.beside is None else step.beside[0], a, one)
    return Ran(z, (ran.neurons, kept, trace, q if step.beside is None else 0.0, one), trace[None])


def prepare(network: nn.Module, x: Shaped[Tensor, "time batch ..."], classes: int, steps: Steps = Steps()) -> Prepared:
    """NDOT-A, which goes step by step; nothing has to be made for a network."""
    return stepwise.prepared(as_stepwise(NDOT(steps.last)))


RULE = LearningRule(
    name="ndot",
    label="NDOT",
    paper="Jiang, De Masi, Xiong & Gu, ICML 2024, PMLR 235 (jiang24a)",
    claim=Claim(
        Locality(space=False, time=True, memory=True),
        "abstract: forward-in-time, by a temporal and a spatial gradient; experiments: memory constant in steps",
    ),
    for_spiking=prepare,
)
