"""Backpropagation of error through all blocks (Rumelhart, Hinton & Williams 1986, doi 10.1038/323533a0).

The reference for local rules. All activations are kept until the error is known at the output, and the error signal of
a block costs as many MACs as its forward pass.
"""

from jaxtyping import Float, Int
from torch import Tensor

from workbench.credit.classifier import learn_from_outputs
from workbench.networks.blocks import BlockNetwork, check_examples
from workbench.rule import Claim, ForBlocks, LearningRule, Locality, StepReport


def gradients(network: BlockNetwork, x: Float[Tensor, "batch ..."], y: Int[Tensor, "batch"]) -> StepReport:
    """Fill `.grad` of every parameter of blocks and classifier with that of the output's cross-entropy.

    Heads for local rules are left alone.
    """
    check_examples(network, x, y)
    return learn_from_outputs(network(x.detach()), y)


RULE = LearningRule(
    name="bp",
    label="BP",
    paper="Rumelhart, Hinton & Williams 1986, doi 10.1038/323533a0",
    claim=Claim(Locality(space=False), "errors come down through every layer above, by definition"),
    for_blocks=ForBlocks(lambda network, input_shape, seed: gradients),
)
