"""Direct random target projection (DRTP): every block is taught by the label alone, through a fixed random matrix.

Frenkel, Lefebvre & Bol 2021, doi 10.3389/fnins.2021.629892. The sign of the output error is known before the output is:
it is negative at the label and positive elsewhere. So

    δ_l = −onehot(y) B_l / batch = −B_l[y] / batch

stands for direct feedback's e B_l, and a block learns during the forward pass, its activation freed at once. B_l must
have mean 0: what the rows of B_l have in common pushes all units alike, whatever the label (`all_positive`).
"""

from collections.abc import Sequence
from functools import partial

from jaxtyping import Shaped
from torch import nn

from workbench.checks import Array, check_kind, in_full_precision
from workbench.credit.classifier import train_classifier
from workbench.networks.blocks import BlockNetwork, check_examples
from workbench.rule import ForBlocks, LearningRule, Rule, StepReport
from workbench.rules.direct_feedback import DirectFeedback, check_feedback, direct_feedback


@in_full_precision
def gradients(
    network: nn.Module, x: Shaped[Array, "batch ..."], y: Shaped[Array, "batch"], params: DirectFeedback
) -> StepReport:
    """Fill `.grad` of every parameter; `params` comes from `direct_feedback`. The classifier's gradient is exact."""
    network, x, y = check_examples(network, x, y)
    check_kind(params, DirectFeedback)
    now = x.detach()
    for block, B in zip(network.blocks, params.feedback, strict=True):
        a = block.features(now)
        check_feedback(DirectFeedback((B,)), [a])
        if a.requires_grad:
            a.backward(-B[y] / len(y))
        now = block.between(a.detach())
        del a
    return train_classifier(network, now, y)


def prepare(network: BlockNetwork, input_shape: Sequence[int], seed: int) -> Rule:
    """DRTP with random B drawn from `seed`."""
    return partial(gradients, params=direct_feedback(network, input_shape, seed))


RULE = LearningRule(
    name="drtp",
    label="DRTP",
    paper="Frenkel, Lefebvre & Bol 2021, doi 10.3389/fnins.2021.629892",
    for_blocks=ForBlocks(prepare),
)
