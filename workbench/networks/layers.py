"""Layers: a linear map (dense or convolutional) followed by LIF neurons, with or without recurrence, and the readout.

A layer holds parameters and constants, no state and no rule. A *rule* decides how a layer is run over a piece of
time, by a function `run(layer, x)` that it hands to the network (see `workbench.networks.spiking`).

    I[t] = Ŵ x[t] + b                    feed-forward (dense or convolution)
    I[t] = Ŵ x[t] + b + Ŵ_r z[t−1]       recurrent (S-TLLR, section 4.2.1)

Weight standardisation (S-TLLR and TESS use it in place of batch normalisation), per output row i:
    Ŵ_i = g_i (W_i − mean W_i) / sqrt(var(W_i) · fan_in + 1e-4)         var unbiased, g trainable, 1 at the start
A row of one weight has no variance, and is its own mean: such layers are refused. Without its switch for weight
standardisation the released code of TESS has another form, `over_the_maximum`:
    Ŵ_i = (W_i − mean W_i) / stopgrad(max W − mean W)                   max and mean of the whole matrix, no gain
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.checks import FINITE, check_number
from workbench.kernels.choice import kernels_for
from workbench.kernels.connections import (
    Connection,
    Inputs,
    check_connection,
    check_input,
    inputs_of,
    linear_map,
    listen,
    run_layout,
)
from workbench.kernels.frugal import trained_weight
from workbench.kernels.plain import Kernels
from workbench.kernels.sparse import SpikeList
from workbench.neurons.lif import Neuron, Reset, check_neuron, soft_reset
from workbench.neurons.surrogate import Psi, psi_gesture

C = TypeVar("C", bound=Connection)
Rescale = Callable[[Tensor], Tensor]
RunPart = Callable[[nn.Module, Tensor], Tensor]  # how a rule runs one part of a network


def apply(module: nn.Module, x: Shaped[Tensor, "batch ..."]) -> Shaped[Tensor, "batch ..."]:
    """The plain way to run a module; rules that treat weights in another way hand in their own function."""
    return module(x)


def standardize_weight(
    weight: Float[Tensor, "n_out *fan"], gain: Float[Tensor, "n_out *ones"], eps: float = 1e-4
) -> Float[Tensor, "n_out *fan"]:
    """Ŵ: every output row of W with mean 0 and variance gain² / fan_in."""
    rows = weight.flatten(1)
    variance, mean = torch.var_mean(rows, dim=1, keepdim=True)
    scale = gain.flatten(1) * torch.rsqrt(variance * rows.shape[1] + eps)
    return ((rows - mean) * scale).view_as(weight)


def over_the_maximum(weight: Float[Tensor, "n_out *fan"]) -> Float[Tensor, "n_out *fan"]:
    """Ŵ of the released TESS code without weight standardisation: rows of mean 0, all divided by the same number."""
    rows = weight.flatten(1)
    spread = (rows.max() - rows.mean()).detach()
    return ((rows - rows.mean(1, keepdim=True)) / torch.where(spread > 0, spread, 1.0)).view_as(weight)


class Weights(NamedTuple):
    """What a layer is run with: Ŵ, and Ŵ_r of a recurrent layer."""

    forward: Float[Tensor, "n_out ..."]
    recurrent: Float[Tensor, "n_out n_out"] | None = None


class SpikingLayer(nn.Module):
    """A linear map and the LIF neurons it drives.

    Args:
        connection: `nn.Linear` or `nn.Conv2d`; its weights are drawn anew (Kaiming normal, bias 0).
        neuron: decay γ and threshold v_th.
        psi: secondary activation Ψ, a function of u − v_th.
        standardize: use Ŵ (weight standardisation) instead of W; or a function of W to use, as `over_the_maximum`.
        reset: `soft_reset` (papers) or `hard_reset`.
        recurrent: the neurons also drive each other one step later, with a weight of their own; dense layers only.
        gain: first value of g; larger ones keep deep networks from falling silent on sparse input.
    """

    def __init__(
        self,
        connection: Connection,
        neuron: Neuron = Neuron(),
        psi: Psi = psi_gesture,
        standardize: bool | Rescale = True,
        reset: Reset = soft_reset,
        recurrent: bool = False,
        gain: float = 1.0,
    ):
        super().__init__()
        check_connection(connection)
        if recurrent and not isinstance(connection, nn.Linear):
            raise ValueError(f"only a dense layer can be recurrent, got {type(connection).__name__}")
        n_out = connection.weight.shape[0]
        standardized = bool(standardize) and not callable(standardize)
        if standardized:
            _check_fan_in("connection", connection, connection.weight[0].numel())
            _check_fan_in("recurrent connection", connection, n_out if recurrent else 2)
        self.connection = initialize(connection)
        self.neuron = check_neuron(neuron)
        self.psi = psi
        self.reset = reset
        self.rescale = standardize if callable(standardize) else None
        check_number(gain, "gain", FINITE)
        self.gain = nn.Parameter(torch.full((n_out, 1), float(gain))) if standardized else None
        self.recurrent = initialize(nn.Linear(n_out, n_out, bias=False)) if recurrent else None
        self.recurrent_gain = nn.Parameter(torch.full((n_out, 1), float(gain))) if recurrent and standardized else None
        self.head: nn.Module | None = None  # what a rule hangs on the layer, and trains with it, to teach it

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *others) -> None:  # pyright: ignore
        if state_dict.get(f"{prefix}connection.parametrizations.weight.0.settled", False):
            self.gain = self.recurrent_gain = self.rescale = None
        super()._load_from_state_dict(state_dict, prefix, *others)

    def effective_weight(self) -> Float[Tensor, "n_out ..."]:
        """Ŵ, or W where the layer has no such form; differentiable in W and the gain. Same shape as W."""
        return _effective(self.connection.weight, self.gain, self.rescale)

    def effective_weights(self) -> Weights:
        """Ŵ and, in a recurrent layer, Ŵ_r."""
        if self.recurrent is None:
            return Weights(self.effective_weight())
        recurrent = _effective(self.recurrent.weight, self.recurrent_gain, self.rescale)
        return Weights(self.effective_weight(), recurrent)


class LeakyReadout(nn.Module):
    """Leaky integrator without spikes: o[t] = γ o[t−1] + W z[t] + b. γ = 0 is the memoryless readout.

    `trace_decay` is how a local rule's trace of its input decays; None for γ, which is exact. The released S-TLLR code
    has 0.99 there beside γ = 0.9933. `image` reads each pixel by a 1×1 convolution instead: `classes` channels.
    """

    recurrent = None

    def __init__(
        self, n_in: int, classes: int, decay: float = 0.99, trace_decay: float | None = None, image: bool = False
    ):
        super().__init__()
        self.connection = initialize(nn.Conv2d(n_in, classes, 1) if image else nn.Linear(n_in, classes))
        self.decay = check_neuron(Neuron(decay)).decay
        self.trace_decay = self.decay if trace_decay is None else check_neuron(Neuron(trace_decay)).decay

    def effective_weights(self) -> Weights:
        """W; the readout is not standardised."""
        return Weights(self.connection.weight)


Layer = SpikingLayer | LeakyReadout  # what has memory


class TimeDropout(nn.Module):
    """Dropout whose mask stays the same for all steps of a sequence; what remains is scaled by 1 / (1 − p).

    The mask belongs to the sequence: a rule draws it once and keeps it, as it keeps a membrane.
    """

    def __init__(self, p: float = 0.1):
        super().__init__()
        if not 0.0 <= p < 1.0:
            raise ValueError(f"the dropout probability must lie in [0, 1), got {p!r}")
        self.p = p

    def draw(self, x: Float[Tensor, "batch *features"]) -> Float[Tensor, "batch *features"]:
        """A new mask of 0 and 1 / (1 − p) for one sequence; all ones in evaluation mode."""
        return F.dropout(torch.ones_like(x), self.p, self.training)

    def masked(
        self, x: Float[Tensor, "time batch *features"], masks: "dict[TimeDropout, Float[Tensor, 'batch ...']]"
    ) -> Float[Tensor, "time batch *features"]:
        """x times this sequence's mask, which is drawn into `masks` when it is not there yet."""
        if self not in masks:
            masks[self] = self.draw(x[0].detach())
        return x * masks[self]


def _check_fan_in(name: str, connection: Connection, weights: int) -> None:
    if weights < 2:
        raise ValueError(
            f"the {name} of {connection} has {weights} weight for each output, which cannot be standardised (its mean "
            "is itself, its variance undefined); give standardize=False, or more inputs"
        )


def _effective(weight: Tensor, gain: Tensor | None, rescale: Rescale | None) -> Tensor:
    if gain is not None:
        return standardize_weight(weight, gain)
    return weight if rescale is None else rescale(weight)


def initialize(connection: C) -> C:
    """Kaiming-normal weights (fan-out and ReLU for convolutions, as in the released code), bias 0."""
    if isinstance(connection, nn.Conv2d):
        nn.init.kaiming_normal_(connection.weight, mode="fan_out", nonlinearity="relu")
    else:
        nn.init.kaiming_normal_(connection.weight)
    if connection.bias is not None:
        nn.init.zeros_(connection.bias)
    return connection


@torch.no_grad()
def fold_standardization(layer: SpikingLayer) -> None:
    """Make Ŵ (and Ŵ_r) the weights of a layer, in place; from then on it has no gain and is not standardised."""
    forward, recurrent = layer.effective_weights()
    trained_weight(layer.connection).copy_(forward)
    if layer.recurrent is not None and recurrent is not None:
        trained_weight(layer.recurrent).copy_(recurrent)
    layer.gain = layer.recurrent_gain = layer.rescale = None


def running_weights(layer: Layer) -> Weights:
    """The effective weights, detached and laid out for speed: made once and used for all steps of a batch."""
    forward, recurrent = layer.effective_weights()
    return Weights(run_layout(forward), None if recurrent is None else run_layout(recurrent))


class Neurons(NamedTuple):
    """What neurons carry from one piece of time to the next: u⁺, and the last spikes of a recurrent layer."""

    rest: Float[Tensor, "batch ..."]
    spikes: Float[Tensor, "batch ..."] | None = None


class Advance(NamedTuple):
    """A layer over a piece of time: its output and membrane potential `(time, batch, ...)`, what its neurons carry on,
    its inputs as they were used, and the events of z[t−1] if the kernel of a recurrent layer found them."""

    output: Float[Tensor, "time batch ..."]
    potential: Float[Tensor, "time batch ..."]
    neurons: Neurons
    inputs: Inputs
    past: SpikeList | None = None


@torch.no_grad()
def advance(
    layer: Layer,
    x: Float[Tensor, "time batch ..."],
    weights: Weights,
    before: Neurons | None = None,
    kernels: Kernels | None = None,
) -> Advance:
    """Run a layer forward with its effective weights: the input current of all steps in one product, then the neurons
    step by step. The output is spikes, or the potential of a leaky readout. `kernels` None: see `layer_kernels`."""
    check_input(layer.connection, x)
    kernels = kernels or layer_kernels(layer, x)
    listen(layer.connection, x.flatten(0, 1))
    inputs = inputs_of(layer.connection, x.flatten(0, 1), kernels)
    current = linear_map(layer.connection, inputs, weights.forward, layer.connection.bias, kernels)
    current = current.unflatten(0, x.shape[:2])
    if before is None:
        nothing = torch.zeros_like(current[0])
        before = Neurons(nothing, nothing if layer.recurrent is not None else None)
    if isinstance(layer, LeakyReadout):
        return Advance(current, current, integrate(current, layer.decay, before), inputs)
    fired = kernels.fire(current, layer.neuron, layer.reset, before.rest, weights.recurrent, before.spikes)
    if layer.recurrent is not None and before.spikes is not None and layer.recurrent._forward_pre_hooks:
        listen(layer.recurrent, torch.cat([before.spikes[None], fired.spikes[:-1]]).flatten(0, 1))
    after = Neurons(fired.rest, None if before.spikes is None else fired.spikes[-1].clone())
    return Advance(fired.spikes, current, after, inputs, fired.past)


def layer_kernels(layer: Layer, x: Float[Tensor, "time batch ..."]) -> Kernels:
    """The inner loops for this layer and input: compiled ones where they gain something, see `kernels.choice`."""
    return kernels_for(x, x.shape[1] * (x[0, 0].numel() + len(trained_weight(layer.connection))))


def integrate(current: Float[Tensor, "time batch ..."], decay: float, before: Neurons) -> Neurons:
    """Turn input currents into the potentials of a leaky integrator, in place."""
    last = before.rest
    for u in current if decay else ():
        last = u.add_(last, alpha=decay)
    return Neurons(current[-1].clone())


def over_time(module: nn.Module, x: Float[Tensor, "time batch ..."]) -> Float[Tensor, "time batch ..."]:
    """Apply a module without memory to every step at once."""
    return module(x.flatten(0, 1)).unflatten(0, x.shape[:2])
