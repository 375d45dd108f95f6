"""Connections that keep less than their input for the gradient of their weight, whatever rule makes that gradient.

    forward    y = map(x; W, b)                  exact
    kept       what `keep(x)` gives              instead of x
    backward   ∂L/∂x, ∂L/∂b exact;  ∂L/∂W = Σ g · map(x̂),  x̂ what can be made of it again

A rule that leaves the gradient to autograd runs `map`; one that makes it by itself calls `keep` and `gradient_from`.
Neither knows how something is kept, and what is kept knows no rule.
"""

from collections.abc import Callable
from typing import Any, cast

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.utils import parametrize

from workbench.kernels.convolution import conv2d_input_gradient, convolve, geometry_of

Kept = tuple[Tensor | None, ...]


class Frugal(nn.Module):
    """Beside `nn.Linear` or `nn.Conv2d` as the first base of a connection, of which it takes weight and bias over.

    Subclasses say what is kept of an input `(n, ...)`, and what the gradient of the weight is with it.
    """

    weight: Float[Tensor, "n_out *fan"]
    bias: Float[Tensor, "n_out"] | None

    @property
    def fixed_basis(self) -> Float[Tensor, "n_in r"] | None:
        """U, where x̂ = x U Uᵀ for every x; None where x̂ is made otherwise, or from bases that change."""
        return None

    def keep(self, x: Float[Tensor, "n ..."], again: bool = False) -> tuple[Shaped[Tensor, "..."] | None, ...]:
        """What stands for x until the gradient is made. again: x belongs to a step that was seen before, so that
        nothing is to be learned from it."""
        raise NotImplementedError

    def gradient_from(self, kept: Kept, g: Float[Tensor, "n ..."]) -> Float[Tensor, "n_out *fan"]:
        """Σ g ⊗ x̂, the gradient of the weight for the gradient g of the output."""
        raise NotImplementedError

    def map(
        self, x: Float[Tensor, "n ..."], weight: Float[Tensor, "n_out *fan"], bias: Float[Tensor, "n_out"] | None
    ) -> Float[Tensor, "n ..."]:
        """The map with another weight (the effective one of a layer), differentiable; keeps `keep(x)`."""
        if not (torch.is_grad_enabled() and weight.requires_grad):
            return exact(self, x, weight, bias)
        return _Map.apply(x, weight, bias, self, *self.keep(x.detach()))  # pyright: ignore[reportReturnType]

    def forward(self, input: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        return self.map(input, self.weight, self.bias)


def exact(
    connection: nn.Module,
    x: Float[Tensor, "n ..."],
    weight: Float[Tensor, "n_out *fan"],
    bias: Float[Tensor, "n_out"] | None,
) -> Float[Tensor, "n ..."]:
    """The map of a connection with a weight and a bias."""
    if isinstance(connection, nn.Conv2d):
        return convolve(x, weight, bias, geometry_of(connection))
    return F.linear(x, weight, bias)


class _Map(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, connection: Frugal, *kept: Tensor | None):
        ctx.connection, ctx.shape = connection, x.shape
        ctx.save_for_backward(weight, *kept)
        return exact(connection, x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        weight, *kept = ctx.saved_tensors
        c: Any = ctx.connection
        for_x, for_weight, for_bias = ctx.needs_input_grad[:3]
        grad_x, space = None, (2, 3) if isinstance(c, nn.Conv2d) else tuple(range(1, grad.ndim - 1))
        if for_x and isinstance(c, nn.Conv2d):
            grad_x = conv2d_input_gradient(ctx.shape, weight, grad, geometry_of(c))
        elif for_x:
            grad_x = grad @ weight
        grad_weight = ctx.connection.gradient_from(tuple(kept), grad) if for_weight else None
        grad_bias = grad.sum((0, *space)) if for_bias else None
        return grad_x, grad_weight, grad_bias, None, *[None] * len(kept)


def connection_named(network: nn.Module, name: str) -> nn.Linear | nn.Conv2d:
    """The connection of that name; ValueError for a layer that is none."""
    layer = network.get_submodule(name)
    if not isinstance(layer, nn.Conv2d | nn.Linear):
        raise ValueError(f"layer {name!r} is a {type(layer).__name__}, expected nn.Conv2d or nn.Linear")
    return layer


def exchange(
    network: nn.Module,
    name: str,
    dense: Callable[[nn.Linear], nn.Module],
    convolution: Callable[[nn.Conv2d], nn.Module],
) -> None:
    """Put what `dense` or `convolution` makes of a connection in its place."""
    layer = connection_named(network, name)
    network.set_submodule(name, dense(layer) if isinstance(layer, nn.Linear) else convolution(layer))


def trained_weight(connection: nn.Module) -> Float[Tensor, "n_out ..."]:
    """The parameter behind the weight of a connection, where something stands before it (`nn.utils.parametrize`)."""
    if parametrize.is_parametrized(connection, "weight"):
        return cast("Any", connection).parametrizations["weight"].original
    return cast("Any", connection).weight


def take_over(new: nn.Module, old: nn.Module) -> None:
    """Give a connection that was just made all that another one has: parameters, constants, what stands before its
    weight (`torch.nn.utils.parametrize`), and whoever listens to it."""
    guards = list(cast("Any", old).parametrizations["weight"]) if parametrize.is_parametrized(old, "weight") else []
    own = {"_parameters", "_modules", "_buffers"}
    new.__dict__.update({name: value for name, value in old.__dict__.items() if name not in own})
    for name, module in old._modules.items():
        if name != "parametrizations":
            new._modules[name] = module
    new._buffers.update(old._buffers)
    new._parameters.update({"weight": trained_weight(old), "bias": old._parameters.get("bias")})  # pyright: ignore
    for guard in guards:
        parametrize.register_parametrization(new, "weight", guard, unsafe=True)
        if hasattr(guard, "stand_before"):
            guard.stand_before(new)
