"""The forward-forward algorithm: two forward passes, no backward one.

Hinton 2022, arXiv 2212.13345. The label is written into the picture. Each block learns to be very active when picture
and label belong together (positive pass) and quiet when they do not (negative pass).

    goodness g = mean over units of a²
    L = softplus(θ − g) for positive, softplus(g − θ) for negative samples, mean over both
    a block's input is scaled to mean square 1, so that only its pattern tells, not how active the block before was

The prediction is the label with the largest goodness, summed over all blocks but the first. The wrong label of sample i
of a batch is y + 1 + (i mod (C − 1)), modulo C: each wrong label equally often, and no random state (the order of
samples is shuffled already). The classifier, which this rule does not need, is trained on the last block's activity for
a picture with all labels written in equally. Meant for `dense_network(..., normalize=False)` with one block or more.
Symbols: a activation, θ threshold, C classes.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.checks import FINITE, POSITIVE, Array, check_fields, in_full_precision
from workbench.credit.classifier import train_classifier
from workbench.faces import short_repr
from workbench.meters.evaluation import evaluation
from workbench.networks.blocks import check_examples, check_pictures
from workbench.rule import ForBlocks, LearningRule, StepReport


class ForwardForward(NamedTuple):
    """threshold: θ, the goodness that positive samples should exceed and negative ones stay below.

    brightness: of the label, as a multiple of the sample's largest value; too dim a label is overlooked for long.
    """

    threshold: float = 2.0
    brightness: float = 5.0

    __repr__ = short_repr


@in_full_precision
def gradients(
    network: nn.Module,
    x: Shaped[Array, "batch ..."],
    y: Shaped[Array, "batch"],
    params: ForwardForward = ForwardForward(),
) -> StepReport:
    """Fill `.grad` of every parameter; the reported loss and outputs are the classifier's."""
    network, x, y = check_examples(network, x, y)
    check_fields(params, ForwardForward, threshold=FINITE, brightness=POSITIVE)
    classes = network.classifier.out_features
    signs = torch.ones(2 * len(y), dtype=x.dtype, device=x.device)
    signs[len(y) :] = -1.0
    right, wrong = (F.one_hot(labels, classes).to(x.dtype) for labels in (y, wrong_labels(y, classes)))
    both = torch.cat([write_label(x, label, params.brightness) for label in (right, wrong)])
    neutral = write_label(x, torch.full_like(right, 1.0 / classes), params.brightness)
    for block in network.blocks:
        a = block.features(unit_activity(both))
        if a.requires_grad:
            F.softplus(signs * (params.threshold - goodness(a))).mean().backward()
        both = block.between(a.detach())
        with torch.no_grad():
            neutral = block(unit_activity(neutral))
        del a
    return train_classifier(network, unit_activity(neutral), y)


def wrong_labels(y: Int[Tensor, "batch"], classes: int) -> Int[Tensor, "batch"]:
    """A wrong label for each sample, by its place in the batch.

    >>> wrong_labels(torch.tensor([0, 0, 0, 2]), classes=3)
    tensor([1, 2, 1, 1])
    """
    if classes < 2:
        raise ValueError(f"forward-forward needs at least two classes, got {classes}")
    place = torch.arange(len(y), device=y.device)
    return (y + 1 + place % (classes - 1)) % classes


def write_label(
    x: Float[Tensor, "batch ..."], label: Float[Tensor, "batch classes"], brightness: float = 5.0
) -> Float[Tensor, "batch ..."]:
    """The first `classes` values of each sample replaced by the label times `brightness` times the largest value."""
    flat = x.flatten(1).clone()
    if flat.shape[1] <= label.shape[1]:
        raise ValueError(f"samples of {flat.shape[1]} values have no room for a label of {label.shape[1]}")
    flat[:, : label.shape[1]] = brightness * label * flat.amax(1, keepdim=True)
    return flat.view(x.shape)


def unit_activity(x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
    """Each sample scaled to mean square 1."""
    rms = x.flatten(1).square().mean(1).sqrt().clamp(min=1e-8)
    return x / rms.view(-1, *[1] * (x.ndim - 1))


def goodness(a: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
    """g: mean square of a block's units."""
    return a.flatten(1).square().mean(1)


@torch.no_grad()
def goodness_logits(
    network: nn.Module, x: Shaped[Array, "batch ..."], params: ForwardForward = ForwardForward()
) -> Float[Tensor, "batch classes"]:
    """Goodness of each label, summed over all blocks but the first (over all if there is one); its argmax predicts."""
    check_fields(params, ForwardForward, threshold=FINITE, brightness=POSITIVE)
    network, x = check_pictures(network, x)
    classes = network.classifier.out_features
    first = min(1, len(network.blocks) - 1)
    total = torch.zeros(len(x), classes, dtype=x.dtype, device=x.device)
    with evaluation(network):
        for c in range(classes):
            label = F.one_hot(torch.full((len(x),), c, device=x.device), classes).to(x.dtype)
            h = write_label(x, label, params.brightness)
            for index, block in enumerate(network.blocks):
                a = block.features(unit_activity(h))
                total[:, c] += goodness(a) if index >= first else 0.0
                h = block.between(a)
    return total


RULE = LearningRule(
    name="forward-forward",
    label="Forward-Forward",
    paper="Hinton 2022, arXiv 2212.13345",
    for_blocks=ForBlocks(lambda network, input_shape, seed: gradients, logits=goodness_logits, normalized=False),
)
