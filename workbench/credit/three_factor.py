"""One batch on its way through time under a local rule: chunks of time, effective weights, states, the report.

What a layer does with a chunk of time is the rule's function `run_layer`; who tells it what was wrong is the `Signal`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from jaxtyping import Bool, Shaped
from torch import Tensor, nn

from workbench.checks import fitted, without_autocast
from workbench.credit.signals import Loss, Signal
from workbench.networks.layers import Layer, LeakyReadout, SpikingLayer, TimeDropout, Weights, running_weights
from workbench.networks.spans import Spans, keep, mean_over_steps, steps_done
from workbench.networks.spiking import chunks, layers_with_memory, no_place, run_network
from workbench.rule import StepReport

RunLayer = Callable[[Layer, Tensor, Weights, Any, bool, Tensor | None], tuple[Tensor, Any]]


def learning_chunks(steps: int, start: int, size: int) -> list[slice]:
    """Chunks of at most `size` steps with a border at T_l, so that a chunk learns wholly or not at all."""
    before = chunks(start, size)
    return before + [slice(start + chunk.start, start + chunk.stop) for chunk in chunks(steps - start, size)]


class OnlinePass:
    """One batch of a network from `check_spiking`: effective weights, the layers' states, and sums for the report.

    `run_layer(layer, x, weights, state, learns, feedback)` gives the layer's output over a chunk, with its local
    gradient attached when it learns, and its new state (a tuple of tensors; None at the start). `spans` says which
    steps are each sample's own, and which learn; None where all samples are equally long.
    """

    def __init__(self, network: nn.Module, run_layer: RunLayer, signal: Signal, loss: Loss, spans: Spans | None = None):
        self.network, self.run_layer, self.signal, self.loss_of = network, run_layer, signal, loss
        self.spans = spans
        self.layers = layers_with_memory(network)
        self.states: dict[Layer, Any] = {}
        self.masks: dict[TimeDropout, Tensor] = {}
        self.spikes: dict[Layer, Tensor | float] = dict.fromkeys(self.layers.values(), 0.0)
        self.outputs: Tensor | float = 0.0
        self.loss = 0.0
        self.ahead = 0
        self.done, self.learned = 0, 0.0  # steps that have run, and learning steps of the mean sample among them
        self.own: Bool[Tensor, "time batch"] | None = None  # of the chunk that runs
        self.take_weights()

    def take_weights(self) -> None:
        """Make the effective weights of all layers anew: once per batch, or after the optimiser took a step."""
        self.weights = {layer: as_leaves(running_weights(layer)) for layer in self.layers.values()}

    def advance(
        self, x: Shaped[Tensor, "time batch ..."], y: Shaped[Tensor, "batch ..."], learns: bool, ahead: int = 0
    ) -> bool:
        """Run the network over one chunk; when it learns, add to the gradients of effective weights and biases.

        `ahead` is how many more steps follow before the first one that learns. Whether any sample has learned: one that
        has not begun to learn, or has ended, does not.
        """
        self.ahead = max(ahead, 0)
        chunk = slice(self.done, self.done + len(x))
        learning = None
        if self.spans is not None:
            self.own, learning = self.spans.own(chunk), self.spans.learning(chunk)
            learns = learns and (learning is None or bool(learning.any()))
        self.done = chunk.stop
        if learns:
            self.learned += len(x) if learning is None else float(learning.sum()) / len(y)
        taught: dict[SpikingLayer, Tensor] = {}

        def run(layer: nn.Module, x: Tensor) -> Tensor:
            if isinstance(layer, TimeDropout):
                return layer.masked(x, self.masks)
            if not isinstance(layer, SpikingLayer | LeakyReadout) or layer not in self.weights:
                raise ValueError(no_place(layer))
            z = self._run(layer, x.detach() if self.signal.cut else x, learns)
            if learns and isinstance(layer, SpikingLayer):
                if self.signal.local is not None:
                    self.signal.local(layer, z, y, learning)
                    return z.detach()
                taught[layer] = z
            return z

        with torch.set_grad_enabled(learns), without_autocast(x):
            output = run_network(self.network, fitted(keep(x, self.own), next(self.network.parameters()).dtype), run)
            self.outputs = self.outputs + keep(output.detach(), self.own).sum(0)
            if learns:
                self.loss += float(self.signal.teach(output, taught, y, self.loss_of, learning))
        return learns

    def _run(self, layer: Layer, x: Tensor, learns: bool) -> Tensor:
        state, feedback = self.states.get(layer), self.signal.feedback.get(layer)
        z, self.states[layer] = self.run_layer(layer, x, self.weights[layer], state, learns, feedback)
        if isinstance(layer, SpikingLayer):
            self.spikes[layer] += keep(z.detach(), self.own).sum() / z[0].numel()
        return z

    def hand_over(self) -> None:
        """Carry the gradients of effective weights to `.grad` of the parameters."""
        for layer, weights in self.weights.items():
            through_standardisation(layer, weights)

    def report(self) -> StepReport:
        """What happened in the steps so far: means over the steps that were each sample's own."""
        steps = steps_done(self.spans, self.done)
        mean = self.done if isinstance(steps, int) else float(steps.double().mean())
        rates = {n: float(self.spikes[x]) / mean for n, x in self.layers.items() if isinstance(x, SpikingLayer)}
        outputs = mean_over_steps(torch.as_tensor(self.outputs), steps)
        carried = {tensor.data_ptr(): tensor.nbytes for tensor in tensors(tuple(self.states.values()))}
        state_bytes = sum(carried.values())  # what two names share is carried once
        return StepReport(self.loss / self.learned, outputs, rates, state_bytes)


def through_standardisation(layer: Layer, leaves: Weights) -> None:
    """Carry the gradients of Ŵ (and Ŵ_r) to W and the gains, as far as these are not frozen."""
    for weight, leaf in zip(layer.effective_weights(), leaves, strict=True):
        if weight is not None and weight.requires_grad and leaf is not None and leaf.grad is not None:
            weight.backward(leaf.grad)


def as_leaves(weights: Weights) -> Weights:
    """The same, asking for gradients."""
    return Weights(*(None if weight is None else weight.requires_grad_() for weight in weights))  # pyright: ignore


def tensors(tree: tuple) -> Iterator[Shaped[Tensor, "..."]]:
    """All tensors in nested tuples."""
    for part in tree:
        if isinstance(part, Tensor):
            yield part
        elif isinstance(part, tuple):
            yield from tensors(part)
