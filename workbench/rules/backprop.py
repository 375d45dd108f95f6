"""Backpropagation of error through all blocks (Rumelhart, Hinton & Williams 1986, doi 10.1038/323533a0).

The reference for local rules. All activations are kept until the error is known at the output, and the error signal of
a block costs as many MACs as its forward pass.
"""

from jaxtyping import Shaped
from torch import nn

from workbench.checks import Array
from workbench.credit.classifier import learn_from_outputs
from workbench.networks.blocks import check_examples
from workbench.rule import Claim, ForBlocks, LearningRule, Locality, StepReport


def gradients(network: nn.Module, x: Shaped[Array, "batch ..."], y: Shaped[Array, "batch"]) -> StepReport:
    """Fill `.grad` of every parameter of blocks and classifier with that of the output's cross-entropy.

    Heads for local rules are left alone.
    """
    network, x, y = check_examples(network, x, y)
    return learn_from_outputs(network(x.detach()), y)


RULE = LearningRule(
    name="bp",
    label="BP",
    paper="Rumelhart, Hinton & Williams 1986, doi 10.1038/323533a0",
    claim=Claim(Locality(space=False), "errors come down through every layer above, by definition"),
    for_blocks=ForBlocks(lambda network, input_shape, seed: gradients),
)
