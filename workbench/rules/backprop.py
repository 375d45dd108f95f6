"""Backpropagation of error through all blocks (Rumelhart, Hinton & Williams 1986, doi 10.1038/323533a0).

The reference for local rules. All activations are kept until the error is known at the output, and the error signal of
a block costs as many MACs as its forward pass.
"""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from workbench.blocks import BlockNetwork, Run, apply, check_examples
from workbench.rules.report import StepReport


def gradients(
    network: BlockNetwork, x: Float[Tensor, "batch ..."], y: Int[Tensor, "batch"], run: Run = apply
) -> StepReport:
    """Fill `.grad` of every parameter of blocks and classifier with that of the output's cross-entropy.

    `run` says how a module is applied; feedback alignment hands in its own. Heads for local rules are left alone.
    """
    check_examples(network, x, y)
    return learn_from_outputs(network(x.detach(), run), y)


def learn_from_outputs(logits: Float[Tensor, "batch classes"], y: Int[Tensor, "batch"]) -> StepReport:
    """Mean cross-entropy of the outputs, its gradient sent back through whatever graph they hang on."""
    loss = F.cross_entropy(logits, y)
    loss.backward()
    return StepReport(float(loss.detach()), logits.detach(), {}, 0)
