"""Which classes are still known while a stream of tasks is learned: an example of each, and the share that is right.

The accuracy on a task is a mean over its classes. A head that has forgotten often answers with one of them for all, so
that one class is lost wholly and the other not at all: that is seen here.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.continual.learning import StreamRecord, StreamSetting
from workbench.continual.streams import Task
from workbench.meters.evaluation import evaluation
from workbench.training.setting import Plan


class Recall(NamedTuple):
    """After one task: the share of each class's test samples that is right, of the tasks learned so far.

    A class that a task does not have is NaN.
    """

    right: Float[Tensor, "learned classes"]


def learn_and_recall(setting: StreamSetting, plan: Plan) -> Iterator[StreamRecord | Recall]:
    """The records of a run, and after the last one of each task its `Recall`."""
    for record in setting.begin(plan).records():
        yield record
        if record.accuracies:
            yield Recall(recall(setting.method.network, setting.stream[: record.task + 1]))


@torch.no_grad()
def recall(network: nn.Module, tasks: Sequence[Task]) -> Float[Tensor, "tasks classes"]:
    """The share of each class's test samples that the network answers rightly; NaN for a class without any."""
    shares = torch.full((len(tasks), max(task.classes for task in tasks)), torch.nan)
    with evaluation(network):
        for t, task in enumerate(tasks):
            right = (network(task.test_x, t).argmax(1) == task.test_y).float()
            for c in task.test_y.unique().tolist():
                shares[t, c] = right[task.test_y == c].mean()
    return shares


def examples(tasks: Sequence[Task], classes: int) -> Shaped[Tensor, "tasks classes *shape"]:
    """The first test sample of each of the first `classes` classes of every task. Each task must have so many."""
    shown = []
    for task in tasks:  # once: a stream of permuted pixels makes each task when it is asked for
        if task.classes < classes:
            raise ValueError(f"{task.name!r} has fewer than the {classes} classes of which an example is asked for")
        shown.append(torch.stack([task.test_x[task.test_y == c][0] for c in range(classes)]))
    return torch.stack(shown)
