"""Layers: a linear map (dense or convolutional) followed by LIF neurons, and the readouts.

A layer holds parameters and constants, no state and no rule. A *rule* decides how a layer is run over a piece of
time, by a function `run(layer, x)` that it hands to the network (see `workbench.networks`).

Weight standardisation (S-TLLR and TESS use it in place of batch normalisation), per output row i:
    Ŵ_i = g_i (W_i − mean W_i) / sqrt(var(W_i) · fan_in + 1e-4)         var unbiased, g trainable, 1 at the start
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn import grad as conv_gradients

from workbench.lif import Neuron, Reset, check_neuron, no_reset, run_lif, soft_reset
from workbench.surrogate import Psi, psi_gesture

Connection = nn.Linear | nn.Conv2d


def standardize_weight(
    weight: Float[Tensor, "n_out *fan"], gain: Float[Tensor, "n_out *ones"], eps: float = 1e-4
) -> Float[Tensor, "n_out *fan"]:
    """Ŵ: every output row of W with mean 0 and variance gain² / fan_in."""
    rows = weight.flatten(1)
    variance, mean = torch.var_mean(rows, dim=1, keepdim=True)
    scale = gain.flatten(1) * torch.rsqrt(variance * rows.shape[1] + eps)
    return ((rows - mean) * scale).view_as(weight)


class SpikingLayer(nn.Module):
    """A linear map and the LIF neurons it drives.

    Args:
        connection: `nn.Linear` or `nn.Conv2d`; its weights are drawn anew (Kaiming normal, bias 0).
        neuron: decay γ and threshold v_th.
        psi: secondary activation Ψ, a function of u − v_th.
        standardize: use Ŵ (weight standardisation) instead of W.
        reset: `soft_reset` (papers) or `hard_reset`.
    """

    def __init__(
        self,
        connection: Connection,
        neuron: Neuron = Neuron(),
        psi: Psi = psi_gesture,
        standardize: bool = True,
        reset: Reset = soft_reset,
    ):
        super().__init__()
        self.connection = initialize(connection)
        self.neuron = check_neuron(neuron)
        self.psi = psi
        self.reset = reset
        self.gain = nn.Parameter(torch.ones(connection.weight.shape[0], 1)) if standardize else None

    def effective_weight(self) -> Tensor:
        """Ŵ, or W where the layer is not standardised; differentiable in W and the gain. Same shape as W."""
        weight = self.connection.weight
        return weight if self.gain is None else standardize_weight(weight, self.gain)


class LeakyReadout(nn.Module):
    """Leaky integrator without spikes: o[t] = γ o[t−1] + W z[t] + b. γ = 0 is the memoryless readout."""

    def __init__(self, n_in: int, classes: int, decay: float = 0.99):
        super().__init__()
        self.connection = initialize(nn.Linear(n_in, classes))
        self.decay = check_neuron(Neuron(decay)).decay

    def effective_weight(self) -> Tensor:
        """W; the readout is not standardised."""
        return self.connection.weight


Layer = SpikingLayer | LeakyReadout


def initialize(connection: Connection) -> Connection:
    """Kaiming-normal weights (fan-out and ReLU for convolutions, as in the released code), bias 0."""
    if isinstance(connection, nn.Conv2d):
        nn.init.kaiming_normal_(connection.weight, mode="fan_out", nonlinearity="relu")
    else:
        nn.init.kaiming_normal_(connection.weight)
    if connection.bias is not None:
        nn.init.zeros_(connection.bias)
    return connection


def check_input(connection: Connection, x: Tensor) -> None:
    """Raise ValueError unless x is `(time, batch, n_in)` for a dense layer, `(time, batch, C, H, W)` for images."""
    dense = isinstance(connection, nn.Linear)
    expected = connection.in_features if dense else connection.in_channels
    if x.ndim != (3 if dense else 5) or x.shape[2] != expected:
        shape = f"(time, batch, {expected})" if dense else f"(time, batch, {expected}, height, width)"
        raise ValueError(f"this layer has {expected} inputs and needs {shape}, got {tuple(x.shape)}")


def linear_map(connection: Connection, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The map of `connection` with another weight: `(N, n_in)` to `(N, n_out)`, or images `(N, C, H, W)`."""
    if isinstance(connection, nn.Linear):
        return F.linear(x, weight, bias)
    return F.conv2d(x, weight, bias, connection.stride, connection.padding, connection.dilation, connection.groups)


def weight_gradient(connection: Connection, x: Tensor, g: Tensor) -> Tensor:
    """Σ_N g ⊗ x: the gradient of Σ g · map(x) with respect to the weight, in the shape of the weight."""
    if isinstance(connection, nn.Linear):
        return g.T @ x
    return conv_gradients.conv2d_weight(
        x, connection.weight.shape, g, connection.stride, connection.padding, connection.dilation, connection.groups
    )


def input_gradient(connection: Connection, x_shape: torch.Size, weight: Tensor, g: Tensor) -> Tensor:
    """The gradient of Σ g · map(x) with respect to x."""
    if isinstance(connection, nn.Linear):
        return g @ weight
    return conv_gradients.conv2d_input(
        x_shape, weight, g, connection.stride, connection.padding, connection.dilation, connection.groups
    )


class Advance(NamedTuple):
    """A layer over a piece of time: its output and membrane potential `(time, batch, ...)`, and the last u⁺."""

    output: Float[Tensor, "time batch ..."]
    potential: Float[Tensor, "time batch ..."]
    rest: Float[Tensor, "batch ..."]


def advance(layer: Layer, x: Float[Tensor, "time batch ..."], weight: Tensor, rest: Tensor | None) -> Advance:
    """Run a layer forward with the effective weight: the input current of all steps in one product, then the neurons
    step by step. The output is spikes, or the potential of a leaky readout."""
    check_input(layer.connection, x)
    current = linear_map(layer.connection, x.flatten(0, 1), weight, layer.connection.bias)
    current = current.unflatten(0, x.shape[:2])
    if isinstance(layer, LeakyReadout):
        _, potential, rest = run_lif(current, Neuron(layer.decay), rest, no_reset)
        return Advance(potential, potential, rest)
    return Advance(*run_lif(current, layer.neuron, rest, layer.reset))


def over_time(module: nn.Module, x: Float[Tensor, "time batch ..."]) -> Float[Tensor, "time batch ..."]:
    """Apply a module without memory to every step at once."""
    return module(x.flatten(0, 1)).unflatten(0, x.shape[:2])
