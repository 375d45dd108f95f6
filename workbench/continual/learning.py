"""Learning one task after the other, as a generator of small records: the loop that all continual methods share.

The baselines are ours: avalanche-lib has them as plug-ins of its trainer, and needs torchvision, wandb and tensorboard.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.continual.streams import Task
from workbench.faces import short_repr
from workbench.meters.evaluation import evaluation
from workbench.meters.kept import KeptBytes
from workbench.training.epochs import Schedule, check_finite, epoch_order, set_learning_rate
from workbench.training.score import accuracy
from workbench.training.setting import Plan

MakeOptimizer = Callable[[list[nn.Parameter]], torch.optim.Optimizer]
TEST_BATCH = 512  # batch normalisation without running statistics sees this many test samples at once


@runtime_checkable
class Method(Protocol):
    """A way to learn tasks in turn. It holds its network; x and y of a task come in random order."""

    @property
    def network(self) -> nn.Module: ...
    def before_task(self, task: int, x: Tensor, y: Tensor) -> None: ...
    def learn(self, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor, task: int) -> float: ...
    def after_task(self, task: int, x: Tensor, y: Tensor) -> None: ...
    def kept_bytes(self) -> int: ...


class StreamRecord(NamedTuple):
    """One training step. `accuracies`, on every task of the stream, come with the last step of a task, else None.

    seconds: learning time so far, with what the method does between tasks, without tests.
    kept_bytes: what the method keeps beside the network. saved_bytes: what autograd kept in the first step of this
    task, measured; the other steps keep the same.
    """

    task: int
    epoch: int
    step: int
    loss: float
    kept_bytes: int
    seconds: float
    saved_bytes: int
    accuracies: tuple[float, ...] | None = None


class Plateau(NamedTuple):
    """CODE-CL's schedule: a part of the data is held back, and after each epoch the accuracy on it decides.

    The best weights are kept to the end of the task. After more than `patience` epochs without a better accuracy, the
    learning rate is multiplied by `factor` and the best weights come back; below `stop_below` the task ends.
    """

    held_back: float = 0.05
    patience: int = 6
    factor: float = 0.5
    stop_below: float = 1e-5

    __repr__ = short_repr


def sgd(learning_rate: float) -> MakeOptimizer:
    """Plain SGD, as all the projection methods use it."""
    return lambda parameters: torch.optim.SGD(parameters, lr=learning_rate)


def learn_stream(
    method: Method,
    stream: Sequence[Task],
    optimizer: MakeOptimizer,
    plan: Plan = Plan(),
    plateau: Plateau | None = None,
    batch_size: int = 64,
    schedule: Schedule | None = None,
) -> Iterator[StreamRecord]:
    """Learn the tasks of `stream` in turn and yield a record after each step.

    Each task gets a new optimiser over the parameters that may still learn; `schedule` runs once per task. Seeds
    fix the order of samples; the network is taken as it comes. Raises FloatingPointError when learning diverges.

    >>> from workbench.continual import mlp, split_fashion_mnist
    >>> from workbench.continual.methods import FineTuning
    >>> two_tasks = split_fashion_mnist()[:2]
    >>> records = learn_stream(FineTuning(mlp([2, 2])), two_tasks, sgd(0.05), Plan(epochs=1))
    >>> accuracy_matrix(records).shape
    torch.Size([2, 2])
    """
    tests = [(task.test_x, task.test_y) for task in stream]
    step, clock = 0, Clock()
    for t, task in enumerate(stream):
        order = epoch_order(len(task.train_y), plan.seed, -1 - t)
        x, y = task.train_x[order], task.train_y[order]
        with clock:
            method.before_task(t, x, y)
        epoch, loss, saved, kept = 0, math.nan, 0, method.kept_bytes()
        for epoch, loss, saved in _learn_task(method, t, x, y, optimizer, plan, plateau, batch_size, schedule, clock):
            step += 1
            yield StreamRecord(t, epoch, step, loss, kept, clock.seconds, saved)
        with clock:
            method.after_task(t, x, y)
        results = accuracies(method.network, tests)
        yield StreamRecord(t, epoch, step, loss, method.kept_bytes(), clock.seconds, saved, results)


def _learn_task(
    method: Method,
    t: int,
    x: Tensor,
    y: Tensor,
    optimizer: MakeOptimizer,
    plan: Plan,
    plateau: Plateau | None,
    batch_size: int,
    schedule: Schedule | None,
    clock: "Clock",
) -> Iterator[tuple[int, float, int]]:
    """The steps of one task: epoch, loss and bytes that autograd kept (in the first) of each."""
    best = _Best(method.network, plateau) if plateau else None
    held_back = math.ceil(plateau.held_back * len(y)) if plateau else 0
    moving, saved = optimizer([p for p in method.network.parameters() if p.requires_grad]), 0
    rates = [group["lr"] for group in moving.param_groups]
    method.network.train()
    for epoch in range(plan.epochs):
        set_learning_rate(moving, rates, schedule, epoch / plan.epochs)
        for rows in _batches(len(y) - held_back, batch_size, plan.seed, t * plan.epochs + epoch):
            batch, labels = x[held_back:][rows], y[held_back:][rows]
            measured = nullcontext() if saved else _kept_beside(method.network, batch, labels)
            with clock, measured:
                loss = method.learn(moving, batch, labels, t)
            saved = measured.peak if isinstance(measured, KeptBytes) else saved
            if not math.isfinite(loss):
                check_finite(method.network, loss, f"epoch {epoch + 1} of task {t}")
            yield epoch, loss, saved
        if best and best.reached(moving, _accuracy(method.network, x[:held_back], y[:held_back], t)):
            break
    if best:
        best.restore()


def _kept_beside(network: nn.Module, *existing: Tensor) -> KeptBytes:
    """Counts what autograd keeps beside the network and the batch."""
    return KeptBytes(*network.parameters(), *network.buffers(), *existing)


def _batches(n: int, batch_size: int, seed: int, epoch: int) -> list[Tensor]:
    """Rows of each batch; a last batch of one sample is left out, batch normalisation can do nothing with it."""
    batches = epoch_order(n, seed, epoch).split(batch_size)
    return [rows for rows in batches if len(rows) > 1 or n == 1]


def accuracies(network: nn.Module, tests: Sequence[tuple[Tensor, Tensor]]) -> tuple[float, ...]:
    """Accuracy of the network on the test samples of each task, given in the order of the tasks."""
    return tuple(_accuracy(network, x, y, task) for task, (x, y) in enumerate(tests))


@torch.no_grad()
def _accuracy(network: nn.Module, x: Tensor, y: Tensor, task: int) -> float:
    pieces = zip(x.split(TEST_BATCH), y.split(TEST_BATCH), strict=True)
    with evaluation(network):
        right = sum(accuracy(network(piece, task), labels) * len(labels) for piece, labels in pieces)
    return right / len(y)


def accuracy_matrix(records: Iterable[StreamRecord]) -> Float[Tensor, "tasks tasks"]:
    """A of `workbench.continual.metrics` from the records of a whole stream."""
    return torch.tensor([record.accuracies for record in records if record.accuracies], dtype=torch.float64)


class Clock:
    """Adds up the seconds spent in its `with` blocks."""

    def __init__(self):
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_) -> None:
        self.seconds += time.perf_counter() - self._started


class _Best:
    """The best weights of a task so far, and how long they have been the best."""

    def __init__(self, network: nn.Module, plateau: Plateau):
        self.network, self.plateau = network, plateau
        self.score, self.bad_epochs, self.weights = -1.0, 0, []

    def reached(self, optimizer: torch.optim.Optimizer, score: float) -> bool:
        """Take note of this epoch's score; slow down on a plateau; True when the learning rate is below its end."""
        self.bad_epochs += 1
        if score > self.score:
            self.score, self.bad_epochs = score, 0
            self.weights = [parameter.detach().clone() for parameter in self.network.parameters()]
        if self.bad_epochs > self.plateau.patience:
            self.bad_epochs = 0
            self.restore()
            for group in optimizer.param_groups:
                group["lr"] *= self.plateau.factor
        return all(group["lr"] < self.plateau.stop_below for group in optimizer.param_groups)

    @torch.no_grad()
    def restore(self) -> None:
        """Put the best weights back, in place: the optimiser goes on with the same parameters."""
        for parameter, best in zip(self.network.parameters(), self.weights, strict=False):
            parameter.copy_(best)
