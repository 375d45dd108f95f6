"""Networks: how layers are connected. How they are run over time is the rule's business.

A network is called as `network(x, run)`, with x `(time, batch, ...)` a chunk of the sequence and `run(layer, x)` the
function that runs one layer over that chunk; the rule supplies it and keeps the layers' state. Parts without memory
(pooling, flattening) are applied to all steps at once.
"""

import contextlib
import itertools
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.checks import Array, as_tensor, check_finite, check_weights, fitted, without_autocast, written
from workbench.kernels.plain import TORCH, Kernels
from workbench.meters.evaluation import evaluation
from workbench.networks.layers import (
    Layer,
    LeakyReadout,
    Neurons,
    Rescale,
    RunPart,
    SpikingLayer,
    TimeDropout,
    advance,
    over_time,
    running_weights,
)
from workbench.networks.spans import Lengths, keep, learning_steps, mean_over_steps, steps_done
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import Psi, psi_gesture


def nobody(layer: nn.Module, x: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """Stands for `run` where it was forgotten, and says who can run a network."""
    raise ValueError(
        "a spiking network is run by a rule, or by spiking_logits(network, x) without learning; to run it by hand "
        "write network(x, Simulation(network).run)"
    )


MOST_STEPS = 16  # that are run at once
CHUNK_BYTES = 2 * 2**20  # of a chunk's largest map: about fifteen of that size are alive while a rule learns


class SpikingSequential(nn.Sequential):
    """Parts one after another. Spiking layers, readouts and time-constant dropout are run by the rule, residual blocks
    are called with it, other modules (`nn.AvgPool2d`, `nn.Flatten`) are applied to every step."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, x: Float[Tensor, "time batch *features"], run: RunPart = nobody
    ) -> Float[Tensor, "time batch *outputs"]:
        for module in self:
            if isinstance(module, SpikingLayer | LeakyReadout | TimeDropout):
                x = run(module, x)
            elif isinstance(module, SpikingSequential | ResidualBlock):
                x = module(x, run)
            else:
                x = over_time(module, x)
        return x


class ResidualBlock(nn.Module):
    """The spikes of `body` and of the shortcut added: z = body(x) + shortcut(x), so that values may exceed 1.

    The shortcut is x itself where it is None.
    """

    def __init__(self, body: SpikingSequential, shortcut: SpikingLayer | None = None):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(
        self, x: Float[Tensor, "time batch *features"], run: RunPart = nobody
    ) -> Float[Tensor, "time batch *outputs"]:
        return self.body(x, run) + (x if self.shortcut is None else run(self.shortcut, x))


class SpikingMLP(nn.Module):
    """Dense spiking network: sizes[0] inputs, hidden LIF layers of sizes[1:], and a readout of `classes` outputs.

    `recurrent` adds recurrent weights to every hidden layer; `readout_decay` 0 is the memoryless readout.

    >>> SpikingMLP([700, 450, 450], classes=20).describe()
    '700–450–450–20'
    """

    def __init__(
        self,
        sizes: Sequence[int],
        classes: int,
        neuron: Neuron = Neuron(),
        psi: Psi = psi_gesture,
        standardize: bool | Rescale = True,
        bias: bool = True,
        readout_decay: float = 0.0,
        recurrent: bool = False,
    ):
        super().__init__()
        if len(sizes) < 2 or min(*sizes, classes) < 1:
            raise ValueError(f"sizes needs the inputs and at least one hidden layer, all positive, got {list(sizes)}")
        self.hidden = nn.ModuleList(
            SpikingLayer(nn.Linear(n_in, n_out, bias=bias), neuron, psi, standardize, recurrent=recurrent)
            for n_in, n_out in itertools.pairwise(sizes)
        )
        self.readout = LeakyReadout(sizes[-1], classes, readout_decay)

    def forward(
        self, x: Float[Tensor, "time batch *features"], run: RunPart = nobody
    ) -> Float[Tensor, "time batch classes"]:
        x = x.flatten(2)
        for layer in self.hidden:
            x = run(layer, x)
        return run(self.readout, x)

    def describe(self) -> str:
        """Layer sizes in one line."""
        sizes = [layer.connection.in_features for layer in self.hidden]  # pyright: ignore
        last = self.readout.connection
        return "–".join(map(str, [*sizes, last.in_features, last.out_features]))


def stacked_weights(network: SpikingMLP) -> list[Float[Tensor, "_ _"]]:
    """One matrix for each layer: [Ŵ, b, Ŵ_r] of the hidden layers, [W, b] of the readout, which comes last.

    A bias is the weight of an input that is always 1, a recurrent weight that of the layer's own last spikes: a layer
    is driven by `torch.cat([x, one, z], 1)`, without z where it is not recurrent. Differentiable in all parameters, so
    that gradients g of the matrices go to `.grad` by `W.backward(g)`.
    """
    stacked = []
    for layer in layers_with_memory(network).values():
        (W, R), b = layer.effective_weights(), layer.connection.bias
        b = W.new_zeros(len(W)) if b is None else b
        stacked.append(torch.cat([W, b[:, None]] if R is None else [W, b[:, None], R], 1))
    return stacked


def spiking_layers(network: nn.Module) -> dict[str, SpikingLayer]:
    """The spiking layers of a network by name, in the order of their definition."""
    return {name: module for name, module in network.named_modules() if isinstance(module, SpikingLayer)}


def layers_with_memory(network: nn.Module) -> dict[str, Layer]:
    """All layers that a rule must run, by name: spiking layers and readouts."""
    return {name: m for name, m in network.named_modules() if isinstance(m, SpikingLayer | LeakyReadout)}


def no_place(layer: nn.Module) -> str:
    """What is said of a layer that a network hands to a rule and that the rule does not know."""
    return (
        f"the network asks a spiking rule to run a {type(layer).__name__}; it runs layers that are modules of the "
        "network and a SpikingLayer, LeakyReadout or TimeDropout, everything else is called directly"
    )


def check_spiking(network: Any) -> Any:
    """The network as it was written, or ValueError unless it has layers that a rule can run, with finite weights."""
    network = as_spiking(network)
    check_weights(network)
    return network


def as_spiking(network: Any) -> Any:
    """The network as it was written, or ValueError unless it has layers that a rule can run."""
    network = written(network)
    if not isinstance(network, nn.Module) or not layers_with_memory(network):
        raise ValueError(
            f"this needs a spiking network, with a SpikingLayer or a LeakyReadout, got {type(network).__name__}; "
            "networks of blocks are trained by the rules for them (lls, backprop, direct_feedback and so on)"
        )
    return network


def run_network(
    network: nn.Module, x: Float[Tensor, "time batch ..."], run: RunPart
) -> Float[Tensor, "time batch ..."]:
    """`network(x, run)` over one chunk of time, in the precision of the weights and not compiled.

    Raises ValueError where a layer stands at two places: what it carries through time belongs to one of them.
    """
    seen: set[nn.Module] = set()

    def once(layer: nn.Module, x: Tensor) -> Tensor:
        if layer in seen and isinstance(layer, SpikingLayer | LeakyReadout):
            name = next((name for name, module in network.named_modules() if module is layer), type(layer).__name__)
            raise ValueError(
                f"layer '{name}' stands at two places of the network, which would share its membranes; make a layer of "
                "its own for each place"
            )
        seen.add(layer)
        return run(layer, x)

    compiled = getattr(network, "_compiled_call_impl", None) is not None  # by network.compile(), in place
    with torch.compiler.set_stance("force_eager") if compiled else nullcontext():
        return network(x, once)


class Simulation:
    """Runs a network forward without learning, chunk by chunk; keeps the layers' state between the chunks.

    >>> network = SpikingMLP([6, 8], classes=3)
    >>> simulation = Simulation(network)
    >>> network(torch.ones(5, 2, 6), simulation.run).shape
    torch.Size([5, 2, 3])
    """

    def __init__(self, network: nn.Module, kernels: Kernels | None = None):
        self.kernels = kernels
        self.weights = {layer: running_weights(layer) for layer in layers_with_memory(network).values()}
        self.neurons: dict[nn.Module, Neurons] = {}

    def run(self, layer: nn.Module, x: Float[Tensor, "time batch ..."]) -> Float[Tensor, "time batch ..."]:
        """Spikes of a spiking layer, or outputs of a readout, over this chunk of time; dropout does nothing."""
        if not isinstance(layer, SpikingLayer | LeakyReadout):
            return x
        ran = advance(layer, x, self.weights[layer], self.neurons.get(layer), self.kernels)
        self.neurons[layer] = ran.neurons
        return ran.output


def chunks(steps: int, size: int) -> list[slice]:
    """Consecutive chunks of at most `size` steps."""
    return [slice(start, min(start + size, steps)) for start in range(0, steps, size)]


@torch.no_grad()
def chunk_steps(network: nn.Module, x: Shaped[Tensor, "time batch *features"]) -> int:
    """How many steps are run at once where nobody says, by the memory that they take; it does not change the numbers.

    `MOST_STEPS`, which make the products of dense layers large. Those of images are large in one step: a network with
    convolutions takes so many that its largest map, of the whole batch, has `CHUNK_BYTES`, and one at least. (On an
    accelerator `MOST_STEPS` in any case.)
    """
    layers, weight = layers_with_memory(network).values(), next(network.parameters())
    if not x.is_cpu or not any(isinstance(layer.connection, nn.Conv2d) for layer in layers):
        return MOST_STEPS
    simulation, sizes = Simulation(network, TORCH), [x[0, 0].numel()]

    def run(layer: nn.Module, x: Tensor) -> Tensor:
        z = simulation.run(layer, x)
        sizes.append(z.numel())
        return z

    with evaluation(network), without_autocast(x), contextlib.suppress(ValueError):  # what does not fit fails when run
        run_network(network, x[:1, :1].to(weight.dtype), run)
    return min(MOST_STEPS, max(1, CHUNK_BYTES // (x.shape[1] * max(sizes) * weight.itemsize)))


@torch.no_grad()
def spiking_logits(
    network: nn.Module, x: Shaped[Array, "time batch *features"], size: int | None = None, lengths: Lengths = None
) -> Float[Tensor, "batch ..."]:
    """Outputs averaged over time `(batch, classes)`; their argmax is the prediction (S-TLLR, section 5).

    size: steps run at once; None for `chunk_steps`. lengths: how many steps of each sample are its own, which the
    average is over; None for all.
    """
    network, x = check_spiking(network), as_tensor(x)
    if x.ndim < 3 or not len(x):
        raise ValueError(f"x must be (time, batch, ...) with at least one step, got shape {tuple(x.shape)}")
    check_finite(x, "x", ("step", "sample"))
    simulation = Simulation(network)
    dtype = next(network.parameters()).dtype
    x, _, spans = learning_steps(x, None, lengths)
    sums = []
    with evaluation(network), without_autocast(x):
        for chunk in chunks(len(x), size or chunk_steps(network, x)):
            own = None if spans is None else spans.own(chunk)
            sums.append(keep(run_network(network, fitted(keep(x[chunk], own), dtype), simulation.run), own).sum(0))
    return mean_over_steps(torch.stack(sums).sum(0), steps_done(spans, len(x)))
