"""Direct feedback alignment (DFA): the output's error goes to every block at once, through a fixed random matrix each.

Nøkland 2016, arXiv 1609.01596.

    e = (softmax(o) − onehot(y)) / batch          error of the outputs `(batch, classes)`
    δ_l = e B_l                                   at block l's activation a_l; B_l `(classes, *shape of a_l)` fixed

and from a_l through LeakyReLU, batch normalisation and the weights of block l, no further. The classifier has its exact
gradient. As Σ_c e_c = 0, a constant added to all rows of B_l changes nothing. The activations of all blocks are kept
until the error is known, so that memory is that of backpropagation.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from workbench.checks import Array, check_kind, in_full_precision, one_hot
from workbench.credit.classifier import train_classifier
from workbench.faces import short_repr
from workbench.networks.blocks import BlockNetwork, check_examples, feature_shapes
from workbench.rule import Claim, ForBlocks, LearningRule, Locality, Rule, StepReport

Draw = Callable[[Sequence[int], torch.Generator], Tensor]


class DirectFeedback(NamedTuple):
    """feedback: B_l of every block, `(classes, *shape of the block's activation)`.

    signs: send sign(e) / batch instead of e (sDFA, doi 10.3389/fnins.2021.629892).
    """

    feedback: tuple[Float[Tensor, "classes ..."], ...]
    signs: bool = False

    __repr__ = short_repr


def zero_mean(shape: Sequence[int], generator: torch.Generator) -> Float[Tensor, "..."]:
    """Uniform in ±√(3 / classes): mean 0, and δ as large as e."""
    return (2.0 * torch.rand(*shape, generator=generator) - 1.0) * math.sqrt(3.0 / shape[0])


def all_positive(shape: Sequence[int], generator: torch.Generator) -> Float[Tensor, "..."]:
    """Uniform in 0..1e-4, as in the released code of LLS: harmless for DFA, but it makes DRTP push all units alike."""
    return 1e-4 * torch.rand(*shape, generator=generator)


def direct_feedback(
    network: BlockNetwork, input_shape: Sequence[int], seed: int = 0, draw: Draw = zero_mean
) -> DirectFeedback:
    """Random B_l for samples of `input_shape` (without the batch); depends on shapes, `seed` and `draw` only."""
    generator, weight = torch.Generator().manual_seed(seed), network.classifier.weight
    shapes = [(len(weight), *shape) for shape in feature_shapes(network, input_shape)]
    return DirectFeedback(tuple(draw(shape, generator).to(weight.device, weight.dtype) for shape in shapes))


@in_full_precision
def gradients(
    network: nn.Module, x: Shaped[Array, "batch ..."], y: Shaped[Array, "batch"], params: DirectFeedback
) -> StepReport:
    """Fill `.grad` of every parameter."""
    network, x, y = check_examples(network, x, y)
    check_kind(params, DirectFeedback)
    now, activations = x.detach(), []
    for block in network.blocks:
        activations.append(block.features(now))
        now = block.between(activations[-1].detach())
    report = train_classifier(network, now, y)
    error = output_error(report.logits, y)
    error = error.sign() / len(y) if params.signs else error
    for a, B in zip(activations, check_feedback(params, activations), strict=True):
        if a.requires_grad:
            a.backward(broadcast_error(error, B))
    return report


def output_error(logits: Float[Tensor, "batch classes"], y: Int[Tensor, "batch"]) -> Float[Tensor, "batch classes"]:
    """e: gradient of the mean cross-entropy with respect to the outputs."""
    return (logits.softmax(1) - one_hot(y, logits.shape[1])) / len(y)


def broadcast_error(error: Float[Tensor, "batch classes"], B: Float[Tensor, "classes ..."]) -> Float[Tensor, "..."]:
    """δ = e B `(batch, ...)`; images lie channels-last in memory, as the activations do."""
    return torch.tensordot(error, B.movedim(1, -1), 1).movedim(-1, 1)


def check_feedback(
    params: DirectFeedback, activations: Sequence[Float[Tensor, "batch ..."]]
) -> tuple[Float[Tensor, "classes ..."], ...]:
    """The matrices, or ValueError when one does not have its block's shape."""
    shapes, expected = [B.shape[1:] for B in params.feedback], [a.shape[1:] for a in activations]
    if shapes != expected:
        raise ValueError(f"feedback for activations {_text(shapes)} does not fit blocks with {_text(expected)}")
    return params.feedback


def _text(shapes: Sequence[Sequence[int]]) -> str:
    return ", ".join("×".join(map(str, shape)) for shape in shapes)


def prepare(network: BlockNetwork, input_shape: Sequence[int], seed: int) -> Rule:
    """Direct feedback with random B drawn from `seed`."""
    return partial(gradients, params=direct_feedback(network, input_shape, seed))


RULE = LearningRule(
    name="dfa",
    label="DFA",
    paper="Nøkland 2016, arXiv 1609.01596",
    claim=Claim(Locality(space=False), "the error of the outputs goes to every block, by definition"),
    for_blocks=ForBlocks(prepare),
)
