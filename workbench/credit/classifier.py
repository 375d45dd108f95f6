"""The classifier at the end of a block network learns from its own cross-entropy, on features that are cut off."""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from workbench.networks.blocks import BlockNetwork
from workbench.rule import StepReport


def train_classifier(network: BlockNetwork, x: Float[Tensor, "batch n_in"], y: Int[Tensor, "batch"]) -> StepReport:
    """Fill the classifier's `.grad` from its cross-entropy on features that are cut off from the blocks."""
    return learn_from_outputs(network.classifier(x.detach()), y)


def learn_from_outputs(logits: Float[Tensor, "batch classes"], y: Int[Tensor, "batch"]) -> StepReport:
    """Mean cross-entropy of the outputs, its gradient sent back through whatever graph they hang on."""
    loss = F.cross_entropy(logits, y)
    if loss.requires_grad:  # or all that it depends on is frozen
        loss.backward()
    return StepReport(float(loss.detach()), logits.detach(), {}, 0)
