"""What every way to learn tasks in turn has: a network with tasks, a rule that fills `.grad`, and what it remembers."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int, Int64, Shaped
from torch import Tensor, nn

from workbench.credit.classifier import learn_from_outputs
from workbench.rule import Rule, StepReport
from workbench.training.checkpoint import Tree


@runtime_checkable
class TaskNetwork(Protocol):
    """A network that is told the task, called as `network(x, task)`.

    seen(task): the network as a rule sees it in that task, called as any other. free(): modules that tasks may change
    at will, such as heads of their own.
    """

    def __call__(self, x: Tensor, task: int) -> Tensor: ...
    def seen(self, task: int) -> nn.Module: ...
    def free(self) -> list[nn.Module]: ...


def backpropagation(network: nn.Module, x: Float[Tensor, "batch *shape"], y: Int[Tensor, " batch"]) -> StepReport:
    """The rule of all published methods: the gradient of the cross-entropy through all layers."""
    return learn_from_outputs(network(x), y)


class Method:
    """A way to learn tasks in turn; by itself it does nothing against forgetting.

    For each task `before_task` is called once, `learn` for each batch, `after_task` once; x and y of a task come in
    random order. `rule(network.seen(task), x, y)` fills `.grad`, and may be any rule that can train the network.
    """

    def __init__(self, network: Any, rule: Rule = backpropagation):
        if not isinstance(network, TaskNetwork):
            raise ValueError(
                f"a method needs a network that is told the task, called as network(x, task), got a "
                f"{type(network).__name__}; put it into a MultiHead (a head for each task) or a SharedHead"
            )
        self.network: Any = network
        self.rule = rule

    def before_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Prepare for a task of which these are the training samples."""

    def learn(
        self, optimizer: torch.optim.Optimizer, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int
    ) -> StepReport:
        """One batch; the loss reported is that before the step, on the current task."""
        optimizer.zero_grad(set_to_none=True)
        report = self.gradients(x, y, task)
        optimizer.step()
        return report

    def gradients(self, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int) -> StepReport:
        """Add what the rule says of a batch to `.grad`."""
        return self.rule(self.network.seen(task), x, y)

    def after_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Remember what a finished task needs."""

    def kept_bytes(self) -> int:
        """Bytes that the method keeps beside the network."""
        return 0

    def state(self) -> Tree:
        """What the method knows beside the network's `state_dict`, the samples of finished tasks left out."""
        return {}

    def restore(self, state: Tree, past: Sequence[tuple[Shaped[Tensor, "..."], Int64[Tensor, " _"]]]) -> None:
        """Go on from a `state`; `past` holds x and y of the finished tasks, in the order in which they were learned."""
