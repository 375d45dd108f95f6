"""Experience replay and joint training: learn old samples again beside the new ones.

Source: Chaudhry et al., "On tiny episodic memories in continual learning", arXiv 1902.10486.

    L = CE(batch of task t) + CE(batch from the memory of one earlier task, drawn at random)        experience replay
    L = Σ_{i ≤ t} CE(batch of task i) / (t + 1)                                                     joint training
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from workbench.continual.multihead import MultiHead


class Remembered(NamedTuple):
    """Remembered samples of one task."""

    x: Float[Tensor, "n *shape"]
    y: Int64[Tensor, " n"]


class EpisodicMemory:
    """Up to `per_task` samples of each finished task (all of them for None), and seeded batches from them."""

    def __init__(self, per_task: int | None, seed: int = 0):
        if per_task is not None and per_task < 1:
            raise ValueError(f"a memory keeps at least one sample per task, got {per_task}; None keeps all")
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


class Replay:
    """Experience replay with a fixed number of samples per task."""

    def __init__(self, network: MultiHead, per_task: int = 100, seed: int = 0):
        self.network, self.memory = network, EpisodicMemory(per_task, seed)

    def before_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Nothing to prepare."""

    def learn(
        self, optimizer: torch.optim.Optimizer, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int
    ) -> float:
        """One batch and as many samples of an earlier task; returns the loss on the current task."""
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.network(x, task), y)
        loss.backward()
        if self.memory.tasks:
            past = self.memory.draw_task()
            old_x, old_y = self.memory.draw(past, len(y))
            F.cross_entropy(self.network(old_x, past), old_y).backward()
        optimizer.step()
        return loss.item()

    def after_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Remember samples."""
        self.memory.add(x, y)

    def kept_bytes(self) -> int:
        """Bytes of the remembered samples."""
        return self.memory.kept_bytes()


class Joint:
    """All tasks so far at once, from all their data: no continual learning, and the upper reference."""

    def __init__(self, network: MultiHead, seed: int = 0):
        self.network, self.memory = network, EpisodicMemory(None, seed)

    def before_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Nothing to prepare."""

    def learn(
        self, optimizer: torch.optim.Optimizer, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int
    ) -> float:
        """One batch of every task so far; returns the loss on the current task."""
        optimizer.zero_grad(set_to_none=True)
        share = 1 / (len(self.memory.tasks) + 1)
        loss = F.cross_entropy(self.network(x, task), y)
        (share * loss).backward()
        for past in range(len(self.memory.tasks)):
            old_x, old_y = self.memory.draw(past, len(y))
            (share * F.cross_entropy(self.network(old_x, past), old_y)).backward()
        optimizer.step()
        return loss.item()

    def after_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Remember everything."""
        self.memory.add(x, y)

    def kept_bytes(self) -> int:
        """Bytes of all data so far."""
        return self.memory.kept_bytes()
