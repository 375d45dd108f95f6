"""Local classifiers: every block is trained by a linear classifier of its own on its latents.

Mostafa, Ramesh & Cauwenberghs 2018, doi 10.3389/fnins.2018.00608; the "LocalLosses" baseline of LLS (arXiv 2405.15868).

    p = softmax(z Bᵀ),  L = −log p_y,  B `(classes, latents)` trained with the block

This is LLS with a basis that learns, without normalising z and with τ = 1. Gradients: (4) of `workbench.rules.lls`, and
∂L/∂B = (∂L/∂s)ᵀ z.
"""

import torch
from jaxtyping import Shaped
from torch import nn

from workbench.checks import Array, in_full_precision
from workbench.credit.block_pass import local_pass
from workbench.credit.classifier import train_classifier
from workbench.networks.blocks import BlockNetwork, HeadMaker, check_examples
from workbench.rule import ForBlocks, LearningRule, StepReport
from workbench.rules.lls import LLS, local_signal

PLAIN = LLS(temperature=1.0, normalized=False)


class TrainedHead(nn.Module):
    """The classifier of one block: B, 0.1 · N(0, 1) at the start, no bias."""

    def __init__(self, latents: int, classes: int):
        super().__init__()
        self.weight = nn.Parameter(0.1 * torch.randn(classes, latents))


def trained_head(classes: int) -> HeadMaker:
    """How each block of a network gets its classifier.

    >>> from workbench.networks import small_conv
    >>> network = small_conv(10, make_head=trained_head(10))
    """
    return lambda latents, index: TrainedHead(latents, classes)


@in_full_precision
def gradients(
    network: nn.Module, x: Shaped[Array, "batch ..."], y: Shaped[Array, "batch"], params: LLS = PLAIN
) -> StepReport:
    """Fill `.grad` of every parameter, block by block; the reported loss is the last classifier's."""
    network, x, y = check_examples(network, x, y)
    for block, head in zip(network.blocks, trained_heads(network), strict=True):
        z, x = local_pass(block, x)
        latents = z.detach()
        signal = local_signal(latents, head.weight.detach(), y, params)
        if z.requires_grad:
            z.backward(signal.latents)
        if head.weight.requires_grad:
            head.weight.backward(signal.scores.T @ latents)
    return train_classifier(network, x, y)


def trained_heads(network: BlockNetwork) -> list[TrainedHead]:
    """The heads, or ValueError when the network was not built with those of this rule."""
    heads = [head for head in network.heads if isinstance(head, TrainedHead)]
    if len(heads) != len(network.blocks):
        raise ValueError(
            f"this rule needs a classifier on each of the {len(network.blocks)} blocks, the network has {len(heads)}; "
            "build it with make_head=trained_head(classes)"
        )
    return heads


RULE = LearningRule(
    name="local-classifiers",
    label="local classifiers",
    paper="Mostafa, Ramesh & Cauwenberghs 2018, doi 10.3389/fnins.2018.00608",
    for_blocks=ForBlocks(lambda network, input_shape, seed: gradients, trained_head),
)
