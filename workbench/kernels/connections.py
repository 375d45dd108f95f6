"""Connections: the products of a dense or convolutional linear map, forward, with respect to weights, and to inputs.

Dense products skip silent inputs (see `kernels.sparse`); convolutions are the library's, or those of the kernels.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn import grad as conv_gradients

from workbench.kernels.convolution import steps_of
from workbench.kernels.frugal import Frugal
from workbench.kernels.plain import TORCH, Kernels
from workbench.kernels.sparse import SpikeList, times

Connection = nn.Linear | nn.Conv2d  # what carries weights


class Inputs(NamedTuple):
    """What drives a connection over a piece, time and batch in one axis: all of x, or its events where they are few, or
    what a `Frugal` connection keeps of it for its gradient."""

    x: Float[Tensor, "n ..."] | None
    events: SpikeList | None = None
    kept: tuple[Shaped[Tensor, "..."] | None, ...] | None = None


def check_connection(connection: Any) -> None:
    """Raise ValueError unless it is a linear map that can be run and learned here: see `Connection` and `steps_of`."""
    if not isinstance(connection, Connection):
        raise ValueError(f"a layer's connection must be nn.Linear or nn.Conv2d, got {type(connection).__name__}")
    if isinstance(connection, nn.Conv2d):
        steps_of(connection)


def check_input(connection: Connection, x: Shaped[Tensor, "..."]) -> None:
    """Raise ValueError unless x is `(time, batch, n_in)` for a dense layer, `(time, batch, C, H, W)` for images."""
    dense = isinstance(connection, nn.Linear)
    expected = connection.in_features if dense else connection.in_channels
    if x.ndim != (3 if dense else 5) or x.shape[2] != expected:
        shape = f"(time, batch, {expected})" if dense else f"(time, batch, {expected}, height, width)"
        raise ValueError(f"this layer has {expected} inputs and needs {shape}, got {tuple(x.shape)}")


def inputs_of(connection: Connection, x: Float[Tensor, "n ..."], kernels: Kernels = TORCH) -> Inputs:
    """x, or only its events where the connection can use them and they are few."""
    events = kernels.find_events(x) if isinstance(connection, nn.Linear) else None
    return Inputs(x) if events is None else Inputs(None, events)


def kept_of(connection: Connection, x: Float[Tensor, "n ..."], inputs: Inputs, again: bool = False) -> Inputs:
    """The inputs as they are kept until the gradient of the weight is made: `inputs`, or less. See `Frugal.keep`."""
    return Inputs(None, None, connection.keep(x, again)) if isinstance(connection, Frugal) else inputs


def listen(connection: Connection, x: Float[Tensor, "n ..."]) -> None:
    """Tell whoever listens to a connection (its forward pre-hooks) what it is given, where it is not called itself."""
    for hook in connection._forward_pre_hooks.values():
        hook(connection, (x,))


def run_layout(weight: Float[Tensor, "n_out *fan"]) -> Float[Tensor, "n_out *fan"]:
    """The weight, detached, in the memory order that the products want: one row per input where it is dense."""
    return weight.detach().T.contiguous().T if weight.ndim == 2 else weight.detach()


def linear_map(
    connection: Connection,
    inputs: Inputs,
    weight: Float[Tensor, "n_out ..."],
    bias: Float[Tensor, "n_out"] | None,
    kernels: Kernels = TORCH,
) -> Float[Tensor, "n ..."]:
    """The map of `connection` with another weight: `(n, n_in)` to `(n, n_out)`, or images `(n, C, H, W)`."""
    if inputs.events is not None:
        product = times(inputs.events, weight.T)
        return product if bias is None else product.add_(bias)
    assert inputs.x is not None
    if isinstance(connection, nn.Linear):
        return F.linear(inputs.x, weight, bias)
    return kernels.convolve(connection, inputs.x, weight, bias)


def add_weight_gradient(
    connection: Connection,
    grad: Float[Tensor, "n_out ..."],
    inputs: Inputs,
    g: Float[Tensor, "n ..."],
    kernels: Kernels = TORCH,
) -> None:
    """Add Σ_n g ⊗ x, the gradient of Σ g · map(x) with respect to the weight, to `grad`, in place."""
    if inputs.kept is not None and isinstance(connection, Frugal):
        grad.add_(connection.gradient_from(inputs.kept, g))
    elif inputs.events is not None:
        kernels.add_outer(grad.T, inputs.events, g)
    elif inputs.x is not None and isinstance(connection, nn.Linear):
        grad.T.addmm_(inputs.x.T, g)
    elif inputs.x is not None and isinstance(connection, nn.Conv2d):
        kernels.add_filters(connection, grad, inputs.x, g)


def input_gradient(
    connection: Connection, shape: torch.Size, weight: Float[Tensor, "n_out ..."], g: Float[Tensor, "n ..."]
) -> Float[Tensor, "n ..."]:
    """The gradient of Σ g · map(x) with respect to x, which has `shape` (n, ...)."""
    if isinstance(connection, nn.Linear):
        return g @ weight
    return conv_gradients.conv2d_input(shape, weight, g, *steps_of(connection))  # pyright: ignore
