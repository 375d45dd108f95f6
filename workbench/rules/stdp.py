"""Pair STDP: spike-timing dependent plasticity, all pairs, by traces. No error reaches the hidden layers.

Morrison, Diesmann & Gerstner 2008 (doi 10.1007/s00422-008-0233-1). Weights change by

    ΔW_ij = Σ_t (A₊ z_i[t] q_j[t] − A₋ x_j[t] h_i[t])                                        (a)
    q[t] = Σ_{k≤t} λ₊^{t−k} x[k],   h[t] = Σ_{k<t} λ₋^{t−k} z[k],   λ± = exp(−dt / τ±)         (b)

which is S-TLLR's eligibility with the spike itself in place of Ψ and a learning signal of 1 everywhere. `.grad` holds
−ΔW, averaged over the batch. The readout is trained on the loss, to see what the features are worth. `by_definition` is
the rule as it stands above; `gradients` gives the same numbers faster and for any network.
Symbols: x input spikes, z output spikes, A amplitudes, τ time constants in ms, dt milliseconds per step.
"""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from workbench.checks import COUNT, Array, check_batch, check_fields, one_hot
from workbench.credit.eligibility import Form, run_layer
from workbench.credit.signals import Loss, Mask, Signal, Spikes, backpropagate, summed_cross_entropy
from workbench.credit.three_factor import OnlinePass, learning_chunks
from workbench.faces import short_repr
from workbench.kernels.plain import Kernels
from workbench.networks.layers import Layer, LeakyReadout, Weights
from workbench.networks.spans import Lengths, Spans, keep, learning_steps
from workbench.networks.spiking import check_spiking, chunk_steps
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import heaviside
from workbench.neurons.traces import Factors
from workbench.neurons.windows import PairRule, factors_of
from workbench.rule import LearningRule, Prepared, StepReport, Steps, check_steps, learning_start


def by_definition(
    weights: Sequence[Float[Tensor, "_ _"]],
    x: Float[Tensor, "time batch n_in"],
    y: Int[Tensor, "batch"],
    rule: PairRule = PairRule(),
    dt: float = 1.0,
    last_steps: int | None = None,
    neuron: Neuron = Neuron(),
    readout_decay: float = 0.0,
) -> list[Float[Tensor, "_ _"]]:
    """−ΔW of every hidden layer of a dense network, mean over the batch; for the readout the gradient of its loss.

    Arguments as those of `workbench.rules.stllr.by_definition`.
    """
    *hidden, readout = weights
    start, one = learning_start(len(x), last_steps), torch.ones_like(x[0, :, :1])
    update, o = [torch.zeros_like(W) for W in weights], one.new_zeros(len(one), len(readout))
    rest, z, h = ([one.new_zeros(len(one), len(W)) for W in hidden] for _ in range(3))
    q = [one.new_zeros(len(one), W.shape[1]) for W in weights]
    for t, s in enumerate(x):
        for layer, W in enumerate(hidden):
            now = torch.cat([s, one, z[layer]], 1)[:, : W.shape[1]]  # x[t], 1 and, if recurrent, z[t−1]
            u = neuron.decay * rest[layer] + now @ W.T
            s = z[layer] = heaviside(u - neuron.threshold)
            rest[layer] = u - neuron.threshold * s
            q[layer] = math.exp(-dt / rule.tau_plus) * q[layer] + now  # (b)
            if t >= start:
                update[layer] -= (rule.a_plus * s.T @ q[layer] - rule.a_minus * h[layer].T @ now) / len(y)  # (a)
            h[layer] = math.exp(-dt / rule.tau_minus) * (h[layer] + s)  # (b), for the next step
        now = torch.cat([s, one], 1)
        o, q[-1] = readout_decay * o + now @ readout.T, readout_decay * q[-1] + now
        if t >= start:
            update[-1] += ((o.softmax(1) - one_hot(y, len(readout))) / len(y)).T @ q[-1]
    return update


class STDP(NamedTuple):
    """rule: amplitudes and time constants. dt: ms per step. Others as in `workbench.rules.stllr.STLLR`."""

    rule: PairRule = PairRule()
    dt: float = 1.0
    last_steps: int | None = None
    chunk: int | None = None
    loss: Loss = summed_cross_entropy
    kernels: Kernels | None = None

    __repr__ = short_repr


def gradients(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: STDP = STDP(),
    lengths: Lengths = None,
) -> StepReport:
    """Fill `.grad`: minus the STDP change of one batch in spiking layers, the loss's gradient in the readout.

    lengths as in `workbench.rules.stllr.gradients`.
    """
    check_fields(params, STDP, chunk=COUNT)
    x, y = check_batch(x, y)
    x, start, spans = learning_steps(x, params.last_steps, lengths)
    ongoing = begin_pass(network, params, spans)
    for chunk in learning_chunks(len(x), start, params.chunk or chunk_steps(network, x)):
        ongoing.advance(x[chunk], y, chunk.start >= start)
    ongoing.hand_over()
    return ongoing.report()


def online(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: STDP = STDP(),
    lengths: Lengths = None,
) -> Iterator[StepReport]:
    """Yield after every learning step with the update of that step alone in `.grad`, see `stllr.online`."""
    check_fields(params, STDP, chunk=COUNT)
    x, y = check_batch(x, y)
    x, start, spans = learning_steps(x, params.last_steps, lengths)
    ongoing = begin_pass(network, params, spans)
    for step in range(len(x)):
        network.zero_grad(set_to_none=True)
        if ongoing.advance(x[step : step + 1], y, step >= start):
            ongoing.hand_over()
            yield ongoing.report()
            ongoing.take_weights()


def begin_pass(network: nn.Module, params: STDP, spans: Spans | None = None) -> OnlinePass:
    """One batch on its way through time under this rule."""
    network = check_spiking(network)
    form = Form(factors_of(params.rule, params.dt), psi=heaviside, kernels=params.kernels)

    def run(layer: Layer, x: Tensor, weights: Weights, traces, learns: bool, feedback: Tensor | None):
        readout = isinstance(layer, LeakyReadout)
        own = form._replace(factors=Factors(0.0, layer.trace_decay, 0.0, 1.0)) if readout else form
        return run_layer(layer, x, weights, traces, own, learns, feedback)

    return OnlinePass(network, run, Signal(everywhere_the_same, cut=True), params.loss, spans)


def everywhere_the_same(
    output: Float[Tensor, "time batch ..."],
    spikes: Spikes,
    y: Shaped[Tensor, "batch ..."],
    loss: Loss,
    learning: Mask = None,
) -> Float[Tensor, ""]:
    """A learning signal of 1 for every neuron and learning step (in gradient sign, per sample of the batch)."""
    value = backpropagate(output, spikes, y, loss, learning)
    for z in spikes.values():
        z.backward(keep(torch.full_like(z, -1.0 / z.shape[1]), learning))
    return value


def prepare(network: nn.Module, x: Shaped[Tensor, "time batch ..."], classes: int, steps: Steps = Steps()) -> Prepared:
    """Pair STDP with its default window; nothing has to be made for a network."""
    last, at_once = check_steps(steps)
    params = STDP(last_steps=last, chunk=at_once)
    return Prepared(partial(gradients, params=params), partial(online, params=params))


RULE = LearningRule(
    name="stdp",
    label="pair STDP",
    paper="Morrison, Diesmann & Gerstner 2008, doi 10.1007/s00422-008-0233-1",
    for_spiking=prepare,
)
