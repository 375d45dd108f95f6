"""Experience replay and joint training: learn old samples again beside the new ones.

Source: Chaudhry et al., "On tiny episodic memories in continual learning", arXiv 1902.10486.

    L = CE(batch of task t) + CE(batch from the memory of one earlier task, drawn at random)        experience replay
    L = Σ_{i ≤ t} CE(batch of task i) / (t + 1)                                                     joint training
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from workbench.checks import COUNT
from workbench.continual.method import Method, backpropagation
from workbench.rule import Rule, StepReport
from workbench.training.checkpoint import Tree


class Remembered(NamedTuple):
    """Remembered samples of one task."""

    x: Float[Tensor, "n *shape"]
    y: Int64[Tensor, " n"]


class EpisodicMemory:
    """Up to `per_task` samples of each finished task (all of them for None), and seeded batches from them."""

    def __init__(self, per_task: int | None, seed: int = 0):
        if not COUNT.or_none().holds(per_task):
            raise ValueError(f"a memory keeps at least one sample per task, got {per_task!r}; None keeps all")
        self.per_task, self.tasks = per_task, []
        self._generator = torch.Generator().manual_seed(seed)

    def add(self, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Remember samples of a finished task; x comes in random order, so the first ones are a random choice."""
        self.tasks.append(Remembered(x[: self.per_task].clone(), y[: self.per_task].clone()))

    def draw_task(self) -> int:
        """The number of one finished task, each equally likely."""
        return int(torch.randint(len(self.tasks), (), generator=self._generator))

    def draw(self, task: int, n: int) -> Remembered:
        """n different samples of a task, or all where there are fewer."""
        x, y = self.tasks[task]
        rows = torch.randperm(len(y), generator=self._generator)[:n]
        return Remembered(x[rows], y[rows])

    def kept_bytes(self) -> int:
        """Bytes of all samples."""
        return sum(t.numel() * t.element_size() for samples in self.tasks for t in samples)

    def state(self) -> Tree:
        """Where drawing stands; the samples are those of the finished tasks."""
        return {"generator": self._generator.get_state()}

    def restore(self, state: Tree, past: Sequence[tuple[Shaped[Tensor, "..."], Int64[Tensor, " _"]]]) -> None:
        """Remember the finished tasks again, and draw on from there."""
        self.tasks = []
        for x, y in past:
            self.add(x, y)
        self._generator.set_state(state["generator"])


class Remembering(Method):
    """A method that remembers samples of finished tasks, up to `per_task` of each (all for None)."""

    def __init__(self, network: Any, per_task: int | None, seed: int = 0, rule: Rule = backpropagation):
        super().__init__(network, rule)
        self.memory = EpisodicMemory(per_task, seed)

    def after_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Remember samples."""
        self.memory.add(x, y)

    def kept_bytes(self) -> int:
        """Bytes of the remembered samples."""
        return self.memory.kept_bytes()

    def state(self) -> Tree:
        """Where the drawing of remembered samples stands."""
        return self.memory.state()

    def restore(self, state: Tree, past: Sequence[tuple[Shaped[Tensor, "..."], Int64[Tensor, " _"]]]) -> None:
        """Remember the finished tasks again."""
        self.memory.restore(state, past)


class Replay(Remembering):
    """Experience replay with a fixed number of samples per task."""

    def __init__(self, network: Any, per_task: int = 100, seed: int = 0, rule: Rule = backpropagation):
        super().__init__(network, per_task, seed, rule)

    def gradients(self, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int) -> StepReport:
        """Those of the batch, and of as many samples of an earlier task."""
        report = super().gradients(x, y, task)
        if self.memory.tasks:
            past = self.memory.draw_task()
            super().gradients(*self.memory.draw(past, len(y)), past)
        return report


class Joint(Remembering):
    """All tasks so far at once, from all their data: no continual learning, and the upper reference."""

    def __init__(self, network: Any, seed: int = 0, rule: Rule = backpropagation):
        super().__init__(network, None, seed, rule)

    def gradients(self, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int) -> StepReport:
        """The mean of those of one batch of every task so far."""
        report = super().gradients(x, y, task)
        for past in range(len(self.memory.tasks)):
            super().gradients(*self.memory.draw(past, len(y)), past)
        for parameter in self.network.parameters():
            if parameter.grad is not None:
                parameter.grad /= len(self.memory.tasks) + 1
        return report
