"""TP: Traces Propagation, forward-only learning from two traces of each neuron.

Pes, Yin, Stuijk & Corradi 2025, arXiv 2509.13053. Each step the network runs twice: on the input, and on the label c
(one-hot), which enters the first layer through fixed random weights S. A layer learns to answer as the label would:

    ε_l[t] = β ε_l[t−1] + z_l[t],   ε̃_l[t] = β ε̃_l[t−1] + z̃_l[t]      traces of spikes (~: on the label)      eq. 11, 12
    E_l = −Σ_b' y[b, b'] log softmax_b'(s[b, b']), mean over b         b, b' samples of the batch               eq. 13
    s[b, b'] = ε_l[b] · ε̃_l[b'],   y[b, b'] = softmax_b'(−‖ε̃_{l−1}[b] − ε̃_{l−1}[b']‖),   ε̃_0 that of c      eq. 14, 15
    ΔW_l = Σ_t Σ_bb' (softmax(s) − y)[b, b'] (ε̃_l[b'] ψ_l[b] x_l[b]ᵀ + ε_l[b] ψ̃_l[b'] x̃_l[b']ᵀ) / B             eq. 18

without the second term in layer 1, where the label enters by S. The equations are those of a reimplementation that
quotes the paper, held against the authors' code; the paper was not at hand. As in the code: the distance in y, S left
as drawn, uniform in ±1 / √C, a reset at once (eq. 1: one step later). Maps of images are compared place by place (the
code pools them first). The readout learns its cross-entropy, with a trace that forgets as it does (the code: β). The
label has neither bias nor recurrence in layer 1. With `lengths` a sample is compared with those that learn at the same
step. Symbols: `workbench.rules.stllr`.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.checks import SHARE, check_fields, check_labels, one_hot
from workbench.credit import stepwise
from workbench.credit.eligibility import Form, run_layer
from workbench.credit.signals import Loss, Mask, Signal, backpropagate, layer_shapes
from workbench.credit.stepwise import Ran, Sequences, Step, Stepwise, Targets
from workbench.faces import short_repr
from workbench.networks.spans import Lengths
from workbench.neurons.lif import Neuron, lif_step
from workbench.neurons.surrogate import Psi, heaviside, psi_gesture
from workbench.neurons.traces import Factors
from workbench.rule import Claim, LearningRule, Locality, Prepared, StepReport, Steps, learning_start

Traces = Float[Tensor, "batch ..."]
NO_MEMORY = Form(Factors(0.0, 0.0, 0.0, 1.0))  # of a synapse: what is remembered stands in ε


def by_definition(
    weights: Sequence[Float[Tensor, "_ _"]],
    S: Float[Tensor, "classes n_1"],
    x: Float[Tensor, "time batch n_in"],
    y: Int[Tensor, "batch"],
    beta: float = 0.98,
    last_steps: int | None = None,
    neuron: Neuron = Neuron(),
    psi: Psi = psi_gesture,
    readout_decay: float = 0.0,
) -> list[Float[Tensor, "_ _"]]:
    """ΔW of every layer of a dense network for one batch; other arguments as those of `stllr.by_definition`."""
    *hidden, readout = weights
    B, T_l, c = len(y), learning_start(len(x), last_steps), one_hot(y, len(readout)).to(x)
    update, one, label, q = [torch.zeros_like(W) for W in weights], x.new_ones(2 * B, 1), 0.0, 0.0
    rest, z, trace = ([x.new_zeros(2 * B, len(W)) for W in hidden] for _ in range(3))
    for t, s in enumerate(x):
        s = torch.cat([s, torch.zeros_like(s)])  # the batch twice: first on the input, then on the label
        below = label = beta * label + c  # ε̃_0
        for layer, W in enumerate(hidden):
            now = torch.cat([s, one, z[layer]], 1)[:, : W.shape[1]]
            current = now @ W.T if layer else torch.cat([now[:B] @ W.T, c @ S])
            u = neuron.decay * rest[layer] + current
            s = z[layer] = heaviside(u - neuron.threshold)
            rest[layer], trace[layer] = u - neuron.threshold * s, beta * trace[layer] + s  # eq. 11, 12
            said, meant = trace[layer].split(B)
            if t >= T_l:
                target = (-(below[:, None] - below[None]).norm(dim=2)).softmax(1)  # eq. 15
                m = ((said @ meant.T).softmax(1) - target) / B  # eq. 14
                delta = torch.cat([m @ meant, m.T @ said * (layer > 0)])
                update[layer] += (delta * psi(u - neuron.threshold)).T @ now  # eq. 18
            below = meant
        q = readout_decay * q + torch.cat([s, one], 1)[:B]  # q Wᵀ is the output o
        update[-1] += (t >= T_l) * (((q @ readout.T).softmax(1) - c) / B).T @ q
    return update


class TP(NamedTuple):
    """S `(classes, *shape of layer 1)`; β (0.98: N-MNIST, DVS Gesture); last_steps as in `stllr.STLLR`."""

    label_weights: Float[Tensor, "classes ..."]
    beta: float = 0.98
    last_steps: int | None = None

    __repr__ = short_repr


def gradients(network: nn.Module, x: Sequences, y: Targets, params: TP, lengths: Lengths = None) -> StepReport:
    """Fill `.grad` of every parameter with the sum of the updates of all learning steps."""
    return stepwise.gradients(network, x, y, as_stepwise(params, y), lengths)


def online(network: nn.Module, x: Sequences, y: Targets, params: TP, lengths: Lengths = None) -> Iterator[StepReport]:
    """Yield after every learning step with its update in `.grad`, as the authors train."""
    return stepwise.online(network, x, y, as_stepwise(params, y), lengths)


def as_stepwise(params: TP, y: Targets) -> Stepwise:
    """The rule for one batch; the spikes of the label's path go beside the input's."""
    S, beta, last_steps = check_fields(params, TP, beta=SHARE)
    label = F.one_hot(y := check_labels(y, len(S)), len(S)).to(S)
    said, meant = dict[Any, Tensor](), dict[Any, Tensor]({None: 0 * label})  # ε, ε̃ of each layer; ε̃_0 under None

    def run_step(step: Step) -> Ran:
        layer, (traces, heard, e, e_c) = step.layer, step.state or (None, None, 0.0, 0.0)
        z, traces = run_layer(layer, step.x, step.weights, traces, NO_MEMORY, step.learns)
        if step.beside is None:
            meant[None] = beta * meant[None] + label
            z_c, _, heard = lif_step(S[y][None], 0 * S[y][None] if heard is None else heard, layer.neuron, layer.reset)
        else:
            z_c, heard = run_layer(layer, step.beside, step.weights, heard, NO_MEMORY, step.learns)
        said[layer], meant[layer] = beta * e + z[0], beta * e_c + z_c[0]
        return Ran(z, (traces, heard, said[layer].detach(), meant[layer].detach()), z_c.detach())

    def teach(output: Tensor, spikes: Any, y: Tensor, loss: Loss, learning: Mask = None) -> Tensor:
        own, below = torch.ones_like(y, dtype=torch.bool) if learning is None else learning[0], meant[None]
        for layer, e in said.items():
            (contrast(e[own], meant[layer][own], below[own]) * (own.sum() / len(y))).backward()
            below = meant[layer].detach()
        return backpropagate(output, spikes, y, loss, learning)

    return Stepwise(run_step, last_steps, Signal(teach, cut=True))


def contrast(e: Traces, meant: Traces, below: Traces) -> Float[Tensor, ""]:
    """E of one layer from its two traces and the label's trace one layer below, eq. 13 to 15."""
    e, meant, below = (each.reshape(*each.shape[:2], -1) for each in (e, meant, below))
    scores, places = torch.einsum("bnp,dnp->bd", e, meant) / e.shape[2], below.permute(2, 0, 1)
    apart = torch.cdist(places, places, compute_mode="donot_use_mm_for_euclid_dist").mean(0)
    return F.cross_entropy(scores, (-apart).softmax(1))


def prepare(network: nn.Module, x: Shaped[Tensor, "time batch ..."], classes: int, steps: Steps = Steps()) -> Prepared:
    """TP with S from seed 0."""
    shape = next(iter(layer_shapes(network, x).values()))
    S = (torch.rand(classes, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1) / classes**0.5
    params = TP(S.to(next(network.parameters())), last_steps=steps.last)
    return Prepared(partial(gradients, params=params), partial(online, params=params))


RULE = LearningRule(
    name="tp",
    label="TP",
    paper="Pes, Yin, Stuijk & Corradi 2025, arXiv 2509.13053",
    claim=Claim(Locality(True, True, True), "abstract: forward-only and fully local; 2 B L H values for its traces"),
    for_spiking=prepare,
)
