"""Spiking networks that learn one task after the other: samples come first in a stream, time comes first in a rule."""

from collections.abc import Sequence

from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn

from workbench.continual.protected import select_task
from workbench.networks.layers import LeakyReadout, RunPart
from workbench.networks.spiking import nobody, spiking_layers, spiking_logits
from workbench.rule import Rule, StepReport


class SpikingTasks(nn.Module):
    """A spiking network that is told the task, called as `network(x, task)` with x `(batch, time, ...)`.

    Without `readouts` the network answers all tasks with the same outputs; with them it ends with its last spikes, and
    each task has a readout of its own. The answers are outputs averaged over time.

    >>> import torch
    >>> from workbench.networks import SpikingMLP
    >>> SpikingTasks(SpikingMLP([6, 8], classes=3))(torch.ones(2, 5, 6), 0).shape
    torch.Size([2, 3])
    """

    def __init__(self, network: nn.Module, readouts: Sequence[LeakyReadout] = ()):
        super().__init__()
        self.network, self.readouts = network, nn.ModuleList(readouts)

    def forward(self, x: Shaped[Tensor, "batch time *features"], task: int) -> Float[Tensor, "batch classes"]:
        return spiking_logits(self.seen(task), x.transpose(0, 1))

    def seen(self, task: int) -> nn.Module:
        """The network with the readout of a task, as a rule sees it. Raises ValueError for a task without one."""
        select_task(self, task)
        if not len(self.readouts):
            return self.network
        if not 0 <= task < len(self.readouts):
            raise ValueError(f"this network has readouts for tasks 0..{len(self.readouts) - 1}, got task {task}")
        return WithReadout(self.network, self.readouts[task])

    def free(self) -> list[nn.Module]:
        """Readouts of single tasks, and what a rule hung on layers to teach them: no answer of another task depends on
        them."""
        heads = [layer.head for layer in spiking_layers(self.network).values() if layer.head is not None]
        return [self.readouts, *heads] if len(self.readouts) else heads


class WithReadout(nn.Module):
    """A network that ends with spikes, and a readout of them."""

    def __init__(self, network: nn.Module, readout: nn.Module):
        super().__init__()
        self.network, self.readout = network, readout

    def forward(
        self, x: Float[Tensor, "time batch *features"], run: RunPart = nobody
    ) -> Float[Tensor, "time batch classes"]:
        return run(self.readout, self.network(x, run))


def time_first(rule: Rule) -> Rule:
    """A rule over time for samples `(batch, time, ...)`, as a stream has them."""

    def turned(network: nn.Module, x: Shaped[Tensor, "batch time *features"], y: Int64[Tensor, " batch"]) -> StepReport:
        return rule(network, x.transpose(0, 1), y)

    return turned
