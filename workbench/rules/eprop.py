"""e-prop: eligibility propagation, with a trace for every synapse.

Bellec et al. 2020, doi 10.1038/s41467-020-17236-y, for LIF neurons whose reset is not differentiated:

    e_ij[t] = ψ_i[t] q_j[t],  q[t] = γ q[t−1] + x[t]         (a) eligibility; z[t−1] for x[t] of recurrent weights
    ē_ij[t] = κ ē_ij[t−1] + e_ij[t]                          (b) filtered as the leaky readout filters, κ its decay
    L[t] = ∂L/∂o[t] W_out                                    (c) learning signal; direct feedback: random weights
    ΔW_ij = Σ_t L_i[t] ē_ij[t]                               (d)

(ΔW carries the sign of a gradient.) ē is kept for every synapse and sample: memory O(B n²) against O(B n) of S-TLLR,
and that is the difference between the two. With a memoryless readout (κ = 0) ē = e, and e-prop is OTTT; with a leaky
one it is still the exact gradient of all paths that do not pass through another spike, if a spike takes a constant away
(soft reset, detached). After the hard reset the membrane has forgotten its inputs, which q has not: it is then inexact.
The paper has one recurrent layer; below a layer, its signal goes on by backpropagation within the step. `by_definition`
is the rule as it stands above, `gradients` gives the same numbers faster.
Symbols: x input spikes, z spikes, ψ = Ψ(u − v_th), γ decay of the membrane, o outputs.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from workbench.checks import Array, check_batch, check_kind, one_hot
from workbench.credit.eligibility import activation, past_spikes
from workbench.credit.signals import BACKPROPAGATION, Loss, Signal, summed_cross_entropy
from workbench.credit.three_factor import OnlinePass
from workbench.faces import short_repr
from workbench.kernels.choice import kernels_for
from workbench.kernels.frugal import Frugal, trained_weight
from workbench.kernels.plain import Kernels
from workbench.networks.layers import Layer, LeakyReadout, Neurons, SpikingLayer, Weights, advance
from workbench.networks.spans import Lengths, Spans, learning_steps
from workbench.networks.spiking import check_spiking, layers_with_memory
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import Psi, heaviside, psi_gesture
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

    Arguments as those of `workbench.rules.stllr.by_definition`; κ is `readout_decay`.
    """
    *hidden, readout = weights
    T_l, one = learning_start(len(x), last_steps), torch.ones_like(x[0, :, :1])
    widths = [x.shape[2], *map(len, hidden)]  # inputs of each layer
    update, o = [torch.zeros_like(W) for W in weights], one.new_zeros(len(one), len(readout))
    rest, z, psi_now = ([one.new_zeros(len(one), len(W)) for W in hidden] for _ in range(3))
    q = [one.new_zeros(len(one), W.shape[1]) for W in weights]
    filtered = [one.new_zeros(len(one), *W.shape) for W in hidden]  # a number for each synapse and sample
    for t, s in enumerate(x):
        for layer, W in enumerate(hidden):
            now = torch.cat([s, one, z[layer]], 1)[:, : W.shape[1]]  # x[t], 1 and, if recurrent, z[t−1]
            u = neuron.decay * rest[layer] + now @ W.T
            s = z[layer] = heaviside(u - neuron.threshold)
            rest[layer], psi_now[layer] = u - neuron.threshold * s, psi(u - neuron.threshold)
            q[layer] = neuron.decay * q[layer] + now  # (a)
            e = psi_now[layer][:, :, None] * q[layer][:, None, :]  # (a)
            filtered[layer] = readout_decay * filtered[layer] + e  # (b)
        now = torch.cat([s, one], 1)
        o, q[-1] = readout_decay * o + now @ readout.T, readout_decay * q[-1] + now
        if t >= T_l:
            error = (o.softmax(1) - one_hot(y, len(readout))) / len(y)
            update[-1] += error.T @ q[-1]
            L = error @ readout[:, :-1]  # (c)
            for layer in reversed(range(len(hidden))):
                update[layer] += (L[:, :, None] * filtered[layer]).sum(0)  # (d)
                L = (L * psi_now[layer]) @ hidden[layer][:, : widths[layer]]  # for the layer below
    return update


class EProp(NamedTuple):
    """Parameters as those of `workbench.rules.stllr.STLLR`; signals: backpropagation (symmetric e-prop) or direct
    feedback (random e-prop)."""

    last_steps: int | None = None
    signal: Signal = BACKPROPAGATION
    loss: Loss = summed_cross_entropy
    kernels: Kernels | None = None

    __repr__ = short_repr


class Synaptic(NamedTuple):
    """q of each input and ē of each synapse of one weight, for every sample; the bias is a synapse of an input 1."""

    q: Float[Tensor, "batch n_in"]
    filtered: Float[Tensor, "batch *n_out n_in"]


NO_BASIS = (
    "e-prop carries a number for every synapse from step to step, which cannot follow an input that is kept otherwise "
    "at each step; use LANCE with its fixed bases of the features, or keep all"
)


class State(NamedTuple):
    """What a layer carries from step to step."""

    neurons: Neurons
    forward: Synaptic
    recurrent: Synaptic | None


def gradients(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: EProp = EProp(),
    lengths: Lengths = None,
) -> StepReport:
    """Fill `.grad` of every parameter with the e-prop update of one batch, step by step. Dense layers only.

    lengths as in `workbench.rules.stllr.gradients`.
    """
    x, y = check_batch(x, y)
    check_kind(params, EProp)
    x, start, spans = learning_steps(x, params.last_steps, lengths)
    ongoing = begin_pass(network, params, spans)
    for step in range(len(x)):
        ongoing.advance(x[step : step + 1], y, step >= start)
    ongoing.hand_over()
    return ongoing.report()


def online(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: EProp = EProp(),
    lengths: Lengths = None,
) -> Iterator[StepReport]:
    """Yield after every learning step with the update of that step alone in `.grad`; the next uses the new weights."""
    x, y = check_batch(x, y)
    check_kind(params, EProp)
    x, start, spans = learning_steps(x, params.last_steps, lengths)
    ongoing = begin_pass(network, params, spans)
    for step in range(len(x)):
        network.zero_grad(set_to_none=True)
        if ongoing.advance(x[step : step + 1], y, step >= start):
            ongoing.hand_over()
            yield ongoing.report()
            ongoing.take_weights()


def begin_pass(network: nn.Module, params: EProp, spans: Spans | None = None) -> OnlinePass:
    """One batch on its way through time under this rule."""
    network = check_spiking(network)
    kappa = readout_decay(network)

    def run(layer: Layer, x: Tensor, weights: Weights, state: State | None, learns: bool, feedback: Tensor | None):
        kernels = params.kernels or synapse_kernels(layer, x)
        return run_step(layer, x, weights, state, kappa, learns, feedback, kernels)

    return OnlinePass(network, run, params.signal, params.loss, spans)


def readout_decay(network: nn.Module) -> float:
    """κ, the decay of the network's one readout; or ValueError."""
    layers = layers_with_memory(network).values()
    decays = [layer.decay for layer in layers if isinstance(layer, LeakyReadout)]
    if len(decays) != 1 or any(not isinstance(layer.connection, nn.Linear) for layer in layers):
        raise ValueError(
            f"e-prop needs dense layers and one readout, got {len(decays)} readouts in {len(layers)} layers"
        )
    return decays[0]


def run_step(
    layer: Layer,
    x: Float[Tensor, "1 batch n_in"],
    weights: Weights,
    state: State | None,
    kappa: float,
    learns: bool,
    feedback: Float[Tensor, "n_out ..."] | None,
    kernels: Kernels,
) -> tuple[Float[Tensor, "1 batch n_out"], State]:
    """One layer over one step: its output, with the local gradient attached when the step learns, and its state."""
    with torch.no_grad():
        ran = advance(layer, x, weights, state.neurons if state else None, kernels)
        psi = activation(layer, ran.potential)
        state = state or start_state(layer, x[0], ran.potential[0])
        past = past_spikes(ran.output, state.neurons)[0] if state.recurrent is not None else None
        U, U_r = fixed_bases(layer)
        seen = with_one(x[0] if U is None else x[0] @ U)
        forward, recurrent = remember(state.forward, seen, psi, layer, kappa, kernels), None
        if past is not None and state.recurrent is not None:
            recurrent = remember(state.recurrent, past if U_r is None else past @ U_r, psi, layer, kappa, kernels)
        state = State(ran.neurons, forward, recurrent)
    if not learns:
        return ran.output, state
    down = weights.forward.detach() if feedback is None else feedback
    traces = (state.forward.filtered, None if state.recurrent is None else state.recurrent.filtered)
    bias = layer.connection.bias
    return _Filtered.apply(x, *weights, bias, ran.output, psi, down, kernels, (U, U_r), *traces), state  # pyright: ignore


def fixed_bases(layer: Layer) -> tuple[Float[Tensor, "n_in r"] | None, Float[Tensor, "n_out r_past"] | None]:
    """U of a layer's inputs, and of its own spikes in a recurrent one, where its connections keep less than these: ē is
    then carried in r instead of n_in directions. Raises ValueError for what has no such basis."""
    found = []
    for connection in (layer.connection, layer.recurrent):
        U = connection.fixed_basis if isinstance(connection, Frugal) else None
        if isinstance(connection, Frugal) and U is None:
            raise ValueError(NO_BASIS)
        found.append(U)
    return found[0], found[1]


def synapse_kernels(layer: Layer, x: Float[Tensor, "1 batch n_in"]) -> Kernels:
    """The inner loops for this layer, which has a number for every synapse and sample; see `kernels.choice`."""
    n_out, n_in = trained_weight(layer.connection).shape
    return kernels_for(x, x.shape[1] * (n_in + n_out * (1 if isinstance(layer, LeakyReadout) else n_in)))


def start_state(layer: Layer, x: Float[Tensor, "batch n_in"], u: Float[Tensor, "batch n_out"]) -> State:
    """Zeros, at the start of a sequence."""
    batch, n_out = len(x), u.shape[1:] if isinstance(layer, SpikingLayer) else ()
    U, U_r = fixed_bases(layer)
    n_in = x.shape[1] if U is None else U.shape[1]
    forward = Synaptic(x.new_zeros(batch, n_in + 1), x.new_zeros(batch, *n_out, n_in + 1))
    if layer.recurrent is None:
        return State(Neurons(torch.zeros_like(u)), forward, None)
    n_past = u.shape[1] if U_r is None else U_r.shape[1]
    recurrent = Synaptic(x.new_zeros(batch, n_past), x.new_zeros(batch, *n_out, n_past))
    return State(Neurons(torch.zeros_like(u), torch.zeros_like(u)), forward, recurrent)


def with_one(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n+1"]:
    """x and the constant input of the bias."""
    return nn.functional.pad(x, (0, 1), value=1.0)


def remember(
    synaptic: Synaptic,
    x: Float[Tensor, "batch n_in"],
    psi: Float[Tensor, "1 batch n_out"] | None,
    layer: Layer,
    kappa: float,
    kernels: Kernels,
) -> Synaptic:
    """q[t], and ē[t] in the memory of ē[t−1].

    A readout filters its input by its own leak, the same for all its outputs: ē = q.
    """
    if psi is None or not isinstance(layer, SpikingLayer):
        q = torch.add(x, synaptic.q, alpha=kappa)
        return Synaptic(q, q)
    q = torch.add(x, synaptic.q, alpha=layer.neuron.decay)
    return Synaptic(q, kernels.filter_synapses(synaptic.filtered, psi[0], q, kappa))


def contract(
    signal: Float[Tensor, "1 batch n_out"], filtered: Float[Tensor, "batch *n_out n_in"], kernels: Kernels
) -> Float[Tensor, "n_out n_in"]:
    """Σ over the batch of L ē."""
    return signal[0].T @ filtered if filtered.ndim == 2 else kernels.weigh_synapses(signal[0].contiguous(), filtered)


class _Filtered(torch.autograd.Function):
    """Gives a step's output the gradients of the rule: Σ_b L ⊙ ē for the weights, (Lψ)Ŵ for the layer below."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        recurrent_weight: Tensor | None,
        bias: Tensor | None,
        output: Tensor,
        psi: Tensor | None,
        down: Tensor,
        kernels: Kernels,
        bases: tuple[Tensor | None, Tensor | None],
        forward: Tensor,
        recurrent: Tensor | None,
    ) -> Tensor:
        ctx.save_for_backward(psi, down, forward, recurrent)
        ctx.kernels, ctx.has_bias, ctx.bases = kernels, bias is not None, bases
        return output.view_as(output)

    @staticmethod
    def backward(ctx: Any, delta: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        psi, down, forward, recurrent = ctx.saved_tensors
        grad_x = (delta if psi is None else delta * psi) @ down if ctx.needs_input_grad[0] else None
        grad = contract(delta, forward, ctx.kernels)
        grad_recurrent = None if recurrent is None else contract(delta, recurrent, ctx.kernels)
        grad_bias, (U, U_r) = grad[:, -1] if ctx.has_bias else None, ctx.bases
        grad = grad[:, :-1] if U is None else grad[:, :-1] @ U.T
        if grad_recurrent is not None and U_r is not None:
            grad_recurrent = grad_recurrent @ U_r.T
        return grad_x, grad, grad_recurrent, grad_bias, None, None, None, None, None, None, None


def cost(sizes: Sequence[LayerSize], steps: int, learning_steps: int) -> Cost:
    """(T + 2 K) Σ M_l MACs and Σ N_l + Σ M_l values: the trace of every synapse takes a MAC at each step, and at each
    learning step two more go into the weight and down."""
    macs, neurons = sum(size.macs for size in sizes), sum(size.neurons for size in sizes)
    return Cost((steps + 2 * learning_steps) * macs, BYTES * (neurons + macs))


def prepare(network: nn.Module, x: Shaped[Tensor, "time batch ..."], classes: int, steps: Steps = Steps()) -> Prepared:
    """Symmetric e-prop, which goes step by step; nothing has to be made for a network."""
    params = EProp(check_steps(steps).last)
    return Prepared(partial(gradients, params=params), partial(online, params=params))


RULE = LearningRule(
    name="eprop",
    label="e-prop",
    paper="Bellec et al. 2020, doi 10.1038/s41467-020-17236-y",
    claim=Claim(
        Locality(space=False, time=True, memory=True),
        "S-TLLR (arXiv 2306.15220), Table 1: temporal local, memory n² for n neurons, no T in it",
    ),
    cost=cost,
    for_spiking=prepare,
)
