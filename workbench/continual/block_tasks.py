"""Networks of blocks that learn one task after the other, each with a classifier of its own."""

from collections.abc import Sequence
from copy import copy

from jaxtyping import Float
from torch import Tensor, nn

from workbench.continual.protected import select_task
from workbench.networks.blocks import BlockNetwork


class BlockTasks(nn.Module):
    """A network of blocks that is told the task, called as `network(x, task)`; its own classifier is not used.

    `classifiers` are those of the tasks. Heads that local rules hang on the blocks are shared.

    >>> import torch
    >>> from workbench.networks import dense_network
    >>> BlockTasks(dense_network([6, 8], 2), [nn.Linear(8, 2), nn.Linear(8, 3)])(torch.ones(4, 6), 1).shape
    torch.Size([4, 3])
    """

    def __init__(self, network: BlockNetwork, classifiers: Sequence[nn.Linear]):
        super().__init__()
        self.network, self.heads = network, nn.ModuleList(classifiers)

    def forward(self, x: Float[Tensor, "batch *shape"], task: int) -> Float[Tensor, "batch classes"]:
        return self.seen(task)(x)

    def seen(self, task: int) -> BlockNetwork:
        """The blocks with the classifier of a task, as a rule sees them. Raises ValueError for a task without one."""
        select_task(self, task)
        if not 0 <= task < len(self.heads):
            raise ValueError(f"this network has classifiers for tasks 0..{len(self.heads) - 1}, got task {task}")
        network = copy(self.network)  # its blocks and heads are the very same
        network._modules = {**self.network._modules, "classifier": self.heads[task]}
        return network

    def free(self) -> list[nn.Module]:
        """Classifiers of single tasks, the one that is not used, and heads that no answer depends on."""
        return [self.heads, self.network.classifier, self.network.heads]
