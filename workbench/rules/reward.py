"""Reward-modulated learning: S-TLLR's traces, or an instant, times one number for the whole network.

The signal is in `workbench.credit.reward`. On a network of blocks

    ∂L/∂a_l = −M (a_l − ā_l) / batch              at block l's activation a_l, and from there through block l alone
    ∂L/∂o   = −∂r/∂o                              of the classifier, on features that are cut off

so that nothing comes from a block above but M. All activations are kept until the reward is known.
"""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.checks import Array
from workbench.credit.reward import REWARD, block_signal, reward
from workbench.networks.blocks import check_examples
from workbench.rule import ForBlocks, LearningRule, Prepared, Rule, StepReport, Steps
from workbench.rules import stllr


def gradients(network: nn.Module, x: Shaped[Array, "batch ..."], y: Shaped[Array, "batch"]) -> StepReport:
    """Fill `.grad` of every parameter of a network of blocks; the loss is reported, and nothing learns from it."""
    network, x, y = check_examples(network, x, y)
    now, activations = x.detach(), []
    for block in network.blocks:
        activations.append(block.features(now))
        now = block.between(activations[-1].detach())
    logits = network.classifier(now.detach())
    missed = -reward(logits, y).mean()
    if missed.requires_grad:
        missed.backward()
    for a in activations:
        if a.requires_grad:
            a.backward(block_signal(a, logits.detach(), y))
    return StepReport(float(F.cross_entropy(logits.detach(), y)), logits.detach(), {}, 0)


def prepare_blocks(network: Any, input_shape: Sequence[int], seed: int) -> Rule:
    """Nothing has to be made for a network."""
    return gradients


def prepare(
    network: nn.Module, x: Float[Tensor, "time batch ..."], classes: int, steps: Steps = Steps(), **others: Any
) -> Prepared:
    """Reward times S-TLLR's eligibility traces; others as in `stllr.prepare`."""
    return stllr.prepare(network, x, classes, steps, signal=lambda *_: REWARD, **others)


RULE = LearningRule(
    name="reward",
    label="reward",
    paper="Frémaux & Gerstner 2016, doi 10.3389/fncir.2015.00085",
    for_spiking=prepare,
    for_blocks=ForBlocks(prepare_blocks),
)
