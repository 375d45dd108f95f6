"""Backpropagation through time (BPTT), the reference that local rules are compared with, whole or truncated.

Werbos 1990 (doi 10.1109/5.58337), with Ψ in place of the derivative of the spike (Neftci, Mostafa & Zenke 2019,
arXiv 1901.09948). The neuron is snnTorch's `Leaky` (Eshraghian et al. 2023, arXiv 2109.12894), which integrates and
fires; the reset is ours, detached, so that neuron, Ψ, reset and loss are those of S-TLLR and only the rule differs:

    u[t] = γ u⁺[t−1] + I[t],  z[t] = 1[u[t] > v_th] with derivative Ψ,  u⁺[t] = u[t] − v_th stopgrad(z[t])

Going back from the last step to the first:

    ∂L/∂o[t] = softmax(o[t]) − y* + κ ∂L/∂o[t+1]                              (a) of o[t] = κ o[t−1] + W_out z[t]
    ∂L/∂z[t] = Wᵀ ∂L/∂u[t] of the layer above + W_rᵀ ∂L/∂u[t+1]               (b)
    ∂L/∂u[t] = ψ[t] ∂L/∂z[t] + γ ∂L/∂u[t+1]                                   (c) the reset is not differentiated
    ∂L/∂W = Σ_t ∂L/∂u[t] x[t]ᵀ                                                (d)

`by_definition` does so by hand, `gradients` leaves it to autograd. Either way every step is kept: memory grows in
proportion to the number of steps T. Truncated BPTT (Williams & Peng 1990, doi 10.1162/neco.1990.2.4.490) cuts the graph
every `window` steps: credit reaches no further back than that.
Symbols: o outputs, κ decay of the readout, y* one-hot label, W_r recurrent weights, ψ = Ψ(u − v_th).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import snntorch
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.checks import COUNT, Array, check_batch, check_kind, check_labels, fitted, one_hot
from workbench.credit.signals import BACKPROPAGATION, Loss, Mask, Signal, masked_loss, summed_cross_entropy
from workbench.faces import short_repr
from workbench.kernels.connections import Connection, Inputs, check_input, linear_map
from workbench.kernels.frugal import Frugal
from workbench.networks.layers import Layer, LeakyReadout, SpikingLayer, TimeDropout
from workbench.networks.spans import Lengths, Spans, keep, learning_steps, mean_over_steps, steps_done
from workbench.networks.spiking import check_spiking, chunks, layers_with_memory, no_place, run_network
from workbench.neurons.lif import Neuron, no_reset, run_lif
from workbench.neurons.surrogate import Psi, heaviside, psi_gesture, spike
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
    """∂L/∂W of every layer of a dense network for one batch: forward through all steps, then back through all steps.

    Arguments as those of `workbench.rules.stllr.by_definition`; κ is `readout_decay`.
    """
    *hidden, readout = weights
    T_l, one = learning_start(len(x), last_steps), torch.ones_like(x[0, :, :1])
    widths = [x.shape[2], *map(len, hidden)]  # inputs of each layer
    update, o = [torch.zeros_like(W) for W in weights], one.new_zeros(len(one), len(readout))
    rest, z = ([one.new_zeros(len(one), len(W)) for W in hidden] for _ in range(2))
    history = []
    for s in x:
        inputs, psi_then = [], []
        for layer, W in enumerate(hidden):
            inputs.append(torch.cat([s, one, z[layer]], 1)[:, : W.shape[1]])  # x[t], 1 and, if recurrent, z[t−1]
            u = neuron.decay * rest[layer] + inputs[-1] @ W.T
            s = z[layer] = heaviside(u - neuron.threshold)
            rest[layer] = u - neuron.threshold * s
            psi_then.append(psi(u - neuron.threshold))
        inputs.append(torch.cat([s, one], 1))
        o = readout_decay * o + inputs[-1] @ readout.T
        history.append((inputs, psi_then, (o.softmax(1) - one_hot(y, len(readout))) / len(y)))
    of_o, of_u = torch.zeros_like(o), [torch.zeros_like(u) for u in rest]
    for t in reversed(range(len(x))):
        inputs, psi_then, error = history[t]
        of_o = (error if t >= T_l else 0.0) + readout_decay * of_o  # (a)
        update[-1] += of_o.T @ inputs[-1]
        of_z = of_o @ readout[:, :-1]
        for layer in reversed(range(len(hidden))):
            W, n = hidden[layer], widths[layer]
            if W.shape[1] > n + 1:  # recurrent: z[t] is also an input of u[t+1]
                of_z = of_z + of_u[layer] @ W[:, n + 1 :]  # (b)
            of_u[layer] = psi_then[layer] * of_z + neuron.decay * of_u[layer]  # (c)
            update[layer] += of_u[layer].T @ inputs[layer]  # (d)
            of_z = of_u[layer] @ W[:, :n]  # (b)
    return update


class BPTT(NamedTuple):
    """last_steps: K, how many of the last steps have a loss; None for all.

    summed_output: cross-entropy of the outputs summed over those steps, as in the released baseline, instead of the
    sum of each step's cross-entropy; only without a window.
    window: steps per chunk of graph of truncated BPTT; None for the whole sequence.
    loss: of the outputs of those steps, see `workbench.rules.stllr.STLLR`.
    signal: who tells the layers what was wrong; what a layer is told goes back through all its own steps (c), in a
    recurrent layer through W_r too. With another signal than backpropagation (b) ends at the layer.
    """

    last_steps: int | None = None
    summed_output: bool = False
    window: int | None = None
    loss: Loss = summed_cross_entropy
    signal: Signal = BACKPROPAGATION

    __repr__ = short_repr


def gradients(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: BPTT = BPTT(),
    lengths: Lengths = None,
) -> StepReport:
    """Fill `.grad` of every parameter with the exact gradient through all steps (Ψ for the spike's derivative).

    lengths as in `workbench.rules.stllr.gradients`.
    """
    network, (x, y) = check_spiking(network), check_batch(x, y)
    check_kind(params, BPTT)
    x, start, spans = learning_steps(x, params.last_steps, lengths)
    graph, outputs, loss, learned = Unrolled(network, params.signal), torch.zeros(()), 0.0, 0.0
    for chunk in chunks(len(x), check_window(params, len(x))):
        graph.cut()
        ran = graph.learn(x[chunk], y, params, spans, chunk, start)
        outputs = outputs + keep(ran.output.detach(), graph.own).sum(0)
        loss, learned = loss + ran.loss, learned + ran.steps
    steps = steps_done(spans, len(x))
    loss /= 1 if params.summed_output else learned
    return StepReport(loss, mean_over_steps(outputs, steps), graph.rates(spans, len(x)), graph.history)


def check_window(params: BPTT, steps: int) -> int:
    """Steps per chunk of graph; or ValueError."""
    if params.summed_output and params.signal is not BACKPROPAGATION:
        raise ValueError("the cross-entropy of the summed output is sent back by backpropagation only; leave it out")
    if params.window is None:
        return steps
    if not COUNT.holds(params.window) or params.summed_output:
        raise ValueError(
            f"window must be at least 1, and a window has no summed output, got window={params.window} and "
            f"summed_output={params.summed_output}"
        )
    return params.window


def batch_loss(
    output: Float[Tensor, "time batch ..."], y: Shaped[Tensor, "batch ..."], params: BPTT, learning: Mask = None
) -> Float[Tensor, ""]:
    """Sum over steps of the loss of each output, or the cross-entropy of the summed output; of what learns."""
    if not params.summed_output:
        return masked_loss(params.loss, output, y, learning)
    return F.cross_entropy(keep(output, learning).sum(0), check_labels(y, output.shape[-1]))


class Lesson(NamedTuple):
    """What layers learn from in a chunk that learns: labels, which of its steps learn, and which samples in them."""

    y: Shaped[Tensor, "batch ..."]
    steps: slice
    learning: Mask


class Learned(NamedTuple):
    """A chunk that has run: its outputs with their graph, its loss, and how many steps of the mean sample learned."""

    output: Float[Tensor, "time batch ..."]
    loss: float = 0.0
    steps: float = 0.0


class Unrolled:
    """The graph of one batch through time: what each layer carries, with its graph, and sums for the report."""

    def __init__(self, network: nn.Module, signal: Signal = BACKPROPAGATION):
        self.network, self.layers, self.signal = network, layers_with_memory(network), signal
        self.lesson: Lesson | None = None
        self.taught: dict[SpikingLayer, Tensor] = {}
        self.carried: dict[Layer, tuple[Tensor, Tensor]] = {}
        self.masks: dict[TimeDropout, Tensor] = {}
        self.spikes = dict.fromkeys(self.layers.values(), 0.0)
        self.own: Mask = None
        self.history = 0

    def cut(self) -> None:
        """Keep the states, forget where they came from."""
        self.carried = {layer: (rest.detach(), z.detach()) for layer, (rest, z) in self.carried.items()}
        self.history = 0

    def learn(
        self,
        x: Shaped[Tensor, "time batch ..."],
        y: Shaped[Tensor, "batch ..."],
        params: BPTT,
        spans: Spans | None,
        chunk: slice,
        start: int,
    ) -> Learned:
        """Run a chunk of time and learn from its steps from T_l (`start`) on, as far as they are learning ones."""
        first = max(start, chunk.start)
        learning = None if spans is None else spans.learning(slice(first, chunk.stop))
        learns = first < chunk.stop and (learning is None or bool(learning.any()))
        self.lesson = Lesson(y, slice(first - chunk.start, None), learning) if learns else None
        output = self.outputs(x, spans, chunk)
        if not learns:
            return Learned(output)
        loss = float(self.teach(output[first - chunk.start :], y, params, learning))
        return Learned(output, loss, chunk.stop - first if learning is None else float(learning.sum()) / len(y))

    def rates(self, spans: Spans | None, steps: int) -> dict[str, float]:
        """Mean spikes per neuron and step of every spiking layer."""
        mean = steps if spans is None else float(spans.end.double().mean())
        return {name: self.spikes[z] / mean for name, z in self.layers.items() if isinstance(z, SpikingLayer)}

    def outputs(
        self, x: Shaped[Tensor, "time batch ..."], spans: Spans | None, chunk: slice
    ) -> Float[Tensor, "time batch ..."]:
        """The network's outputs over a chunk of time, of which only the samples' own steps are counted."""
        self.own = None if spans is None else spans.own(chunk)
        return run_network(self.network, fitted(keep(x, self.own), next(self.network.parameters()).dtype), self.run)

    def run(self, layer: nn.Module, x: Float[Tensor, "time batch ..."]) -> Float[Tensor, "time batch ..."]:
        """One layer over a chunk, differentiable through all its steps."""
        if isinstance(layer, TimeDropout):
            return layer.masked(x, self.masks)
        if not isinstance(layer, SpikingLayer | LeakyReadout):
            raise ValueError(no_place(layer))
        x, feedback = x.detach() if self.signal.cut else x, self.signal.feedback.get(layer)
        output, *carried = run_layer(layer, x, self.carried.get(layer), feedback)
        self.carried[layer] = (carried[0], carried[1])
        self.spikes[layer] += float(keep(output.detach(), self.own).mean()) * len(output)
        self.history += 2 * output.nbytes  # u and z of every neuron and step
        output = self.joined(layer, output)
        if self.lesson is not None and isinstance(layer, SpikingLayer) and output.requires_grad:
            if self.signal.local is not None:
                self.signal.local(layer, output[self.lesson.steps], self.lesson.y, self.lesson.learning)
                return output.detach()
            self.taught[layer] = output[self.lesson.steps]
        return output

    def joined(self, layer: Layer, output: Float[Tensor, "time batch ..."]) -> Float[Tensor, "time batch ..."]:
        """The output, with whatever else goes back with its gradient; see `rules.bptt_in_pieces`."""
        return output

    def teach(
        self, output: Float[Tensor, "time batch ..."], y: Shaped[Tensor, "batch ..."], params: BPTT, learning: Mask
    ) -> Float[Tensor, ""]:
        """Send the loss of a chunk's learning steps back, and return it."""
        taught, self.taught = self.taught, {}
        if self.signal is BACKPROPAGATION or not output.requires_grad:
            value = batch_loss(output, y, params, learning)
            if value.requires_grad:  # or all that it depends on is frozen
                value.backward()
            return value.detach()
        return self.signal.teach(output, taught, y, params.loss, learning)


def run_layer(
    layer: Layer,
    x: Float[Tensor, "time batch ..."],
    before: tuple[Float[Tensor, "batch ..."], Float[Tensor, "batch ..."]] | None = None,
    feedback: Float[Tensor, "..."] | None = None,
) -> tuple[Float[Tensor, "time batch ..."], Float[Tensor, "batch ..."], Float[Tensor, "batch ..."]]:
    """One layer over a chunk, differentiable through all its steps: outputs, last u⁺ and last output.

    `feedback` takes the place of the weight on the way down to the layer below (feedback alignment).
    """
    check_input(layer.connection, x)
    weight, recurrent = layer.effective_weights()
    current = driven(layer.connection, x.flatten(0, 1), weight, layer.connection.bias, feedback)
    current = current.unflatten(0, x.shape[:2])
    rest, z = before or (torch.zeros_like(current[0]), torch.zeros_like(current[0]))
    if isinstance(layer, LeakyReadout):
        _, potential, rest = run_lif(current, Neuron(layer.decay), rest, no_reset)
        return potential, rest, potential[-1]
    neuron, threshold, spikes = leaky(layer), layer.neuron.threshold, []
    for now in current:
        if recurrent is not None and layer.recurrent is not None:
            now = now + driven(layer.recurrent, z, recurrent)
        z, u = neuron(now, rest)
        rest = layer.reset(u, z, threshold)
        spikes.append(z)
    return torch.stack(spikes), rest, z


def driven(
    connection: Connection,
    x: Float[Tensor, "n ..."],
    weight: Float[Tensor, "n_out ..."],
    bias: Float[Tensor, "n_out"] | None = None,
    feedback: Float[Tensor, "n_out ..."] | None = None,
) -> Float[Tensor, "n ..."]:
    """The map of a connection with its effective weight, differentiable; x gets its gradient through `feedback`."""
    seen = x if feedback is None else x.detach()
    if isinstance(connection, Frugal):
        y = connection.map(seen, weight, bias)
    else:
        y = linear_map(connection, Inputs(seen), weight, bias)
    if feedback is None or not x.requires_grad:
        return y
    down = linear_map(connection, Inputs(x), feedback, None)
    return y + (down - down.detach())  # 0, whose gradient goes down


def leaky(layer: SpikingLayer) -> snntorch.Leaky:
    """snnTorch's neuron with this layer's γ, v_th and Ψ; it integrates and fires, the reset is left to the caller."""
    weight = layer.connection.weight
    neuron = snntorch.Leaky(
        beta=torch.tensor(layer.neuron.decay, dtype=weight.dtype, device=weight.device),
        threshold=torch.tensor(layer.neuron.threshold, dtype=weight.dtype, device=weight.device),  # pyright: ignore
        spike_grad=partial(spike, psi=layer.psi),
        reset_mechanism="none",
    )
    snntorch.SpikingNeuron.instances.remove(
        neuron
    )  # snnTorch lists every neuron there, and with it the graph of a batch
    return neuron


def by_step(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: BPTT = BPTT(),
    lengths: Lengths = None,
) -> Iterator[StepReport]:
    """Yield for each step t with ∂L/∂W[t] in `.grad`, W[t] the weights as they were used at t; they sum to `gradients`.

    Nothing is known before the last step has run: this is for looking at, not for learning step by step.
    """
    network, (x, y) = check_spiking(network), check_batch(x, y)
    check_kind(params, BPTT)
    x, start, spans = learning_steps(x, params.last_steps, lengths)
    graph, dtype = Unrolled(network), next(network.parameters()).dtype
    own = None if spans is None else spans.own(slice(0, len(x)))
    weights_that_learn = {name: p for name, p in network.named_parameters() if p.requires_grad}
    copies = [{name: p.detach().clone().requires_grad_() for name, p in weights_that_learn.items()} for _ in x]
    outputs = [
        torch.func.functional_call(network, dict(weights), (fitted(now[None], dtype), graph.run))
        for weights, now in zip(copies, keep(x, own), strict=True)
    ]
    learning = None if spans is None else spans.learning(slice(start, len(x)))
    loss = batch_loss(torch.cat(outputs[start:]), y, params, learning)
    if loss.requires_grad:
        loss.backward()
    sums = keep(torch.cat(outputs).detach(), own).sum(0)
    logits = mean_over_steps(sums, steps_done(spans, len(x)))
    for weights in copies:
        for name, parameter in weights_that_learn.items():
            parameter.grad = weights[name].grad
        yield StepReport(float(loss.detach()), logits, {}, graph.history)


def cost(sizes: Sequence[LayerSize], steps: int, learning_steps: int) -> Cost:
    """2 T Σ M_l MACs, T Σ N_l values (S-TLLR, arXiv 2306.15220, eq. 18 and 19)."""
    return Cost(2 * steps * sum(size.macs for size in sizes), BYTES * steps * sum(size.neurons for size in sizes))


def prepare(network: nn.Module, x: Shaped[Tensor, "time batch ..."], classes: int, steps: Steps = Steps()) -> Prepared:
    """BPTT needs the whole sequence at once, and nothing to be made for a network."""
    params = BPTT(check_steps(steps).last)
    return Prepared(partial(gradients, params=params), partial(by_step, params=params))


RULE = LearningRule(
    name="bptt",
    label="BPTT",
    paper="Werbos 1990, doi 10.1109/5.58337",
    claim=Claim(
        Locality(space=False, time=False, memory=False), "S-TLLR (arXiv 2306.15220), Table 1: not temporal local"
    ),
    cost=cost,
    for_spiking=prepare,
)
