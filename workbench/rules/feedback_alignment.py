"""Feedback alignment (FA): the error comes back through fixed random weights instead of the transposed ones.

Lillicrap, Cownden, Tweed & Akerman 2016, doi 10.1038/ncomms13276.

    forward   y = W x + b
    backward  δ_x = Bᵀ δ_y     where backpropagation has Wᵀ δ_y;    ΔW = δ_y xᵀ as always

B has the shape of W and never changes. Everything else (batch normalisation, LeakyReLU, pooling) is differentiated
exactly.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_input, conv2d_weight

from workbench.checks import Array, check_kind, in_full_precision
from workbench.credit.classifier import learn_from_outputs
from workbench.faces import short_repr
from workbench.kernels.connections import check_connection
from workbench.kernels.convolution import steps_of
from workbench.kernels.frugal import Frugal
from workbench.networks.blocks import BlockNetwork, check_examples
from workbench.networks.layers import apply
from workbench.rule import ForBlocks, LearningRule, Rule, StepReport

Connection = nn.Linear | nn.Conv2d


class FeedbackAlignment(NamedTuple):
    """feedback: B of every linear map, in the order of `connections(network)`."""

    feedback: tuple[Float[Tensor, "..."], ...]

    __repr__ = short_repr


def connections(network: BlockNetwork) -> list[Connection]:
    """The linear maps of blocks and classifier, in the order of the forward pass."""
    modules = [*network.blocks.modules(), *network.classifier.modules()]
    return [module for module in modules if isinstance(module, Connection)]


def feedback_weights(network: BlockNetwork, seed: int = 0) -> FeedbackAlignment:
    """Random B: normal with variance 2 / fan-in of the weight it stands for; depends on the shapes and `seed` only."""
    generator = torch.Generator().manual_seed(seed)
    feedback = []
    for weight in (connection.weight for connection in connections(network)):
        draws = torch.randn(weight.shape, generator=generator) * math.sqrt(2.0 / weight[0].numel())
        feedback.append(draws.to(weight.device, weight.dtype))
    return FeedbackAlignment(tuple(feedback))


@in_full_precision
def gradients(
    network: nn.Module, x: Shaped[Array, "batch ..."], y: Shaped[Array, "batch"], params: FeedbackAlignment
) -> StepReport:
    """Fill `.grad` of every parameter; with B equal to W this is backpropagation."""
    network, x, y = check_examples(network, x, y)
    check_kind(params, FeedbackAlignment)
    maps = connections(network)
    if [B.shape for B in params.feedback] != [c.weight.shape for c in maps]:
        raise ValueError("the feedback weights do not have the shapes of this network's; use feedback_weights(network)")
    for connection in maps:
        check_connection(connection)
    feedback = dict(zip(maps, params.feedback, strict=True))

    aligned: set[nn.Module] = set()

    def run(module: nn.Module, x: Tensor) -> Tensor:
        if not isinstance(module, Connection):
            return apply(module, x)
        aligned.add(module)
        return _Aligned.apply(x, module.weight, module.bias, feedback[module], module)  # pyright: ignore

    outputs = network(x.detach(), run)
    if hidden := [str(c) for c in maps if c not in aligned]:
        raise ValueError(
            f"{hidden[0]} is run by the module around it, so that the error would come back through its own weights; "
            "feedback alignment cannot train such a network (a protected or compressed layer is one)"
        )
    return learn_from_outputs(outputs, y)


class _Aligned(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, feedback: Tensor, module: Connection):
        kept = module.keep(x) if isinstance(module, Frugal) else (x,)
        ctx.save_for_backward(feedback, *kept)
        ctx.module, ctx.shape = module, x.shape
        return F.linear(x, weight, bias) if isinstance(module, nn.Linear) else module(x)

    @staticmethod
    def backward(ctx: Any, delta: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        feedback, *kept = ctx.saved_tensors
        c, below = ctx.module, None
        needs_below, _, needs_bias = ctx.needs_input_grad[:3]
        weight = c.gradient_from(tuple(kept), delta) if isinstance(c, Frugal) else None
        if isinstance(c, nn.Linear):
            below = delta @ feedback if needs_below else None
            weight = delta.T @ kept[0] if weight is None else weight
            return below, weight, delta.sum(0) if needs_bias else None, None, None
        geometry = steps_of(cast("nn.Conv2d", c))
        if needs_below:
            below = conv2d_input(ctx.shape, feedback, delta, *geometry)
        if weight is None:
            weight = conv2d_weight(kept[0], feedback.shape, delta, *geometry)
        return below, weight, delta.sum((0, 2, 3)) if needs_bias else None, None, None


def prepare(network: BlockNetwork, input_shape: Sequence[int], seed: int) -> Rule:
    """Feedback alignment with random B drawn from `seed`."""
    return partial(gradients, params=feedback_weights(network, seed))


RULE = LearningRule(
    name="fa",
    label="FA",
    paper="Lillicrap, Cownden, Tweed & Akerman 2016, doi 10.1038/ncomms13276",
    for_blocks=ForBlocks(prepare),
)
