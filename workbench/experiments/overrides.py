"""A named experiment with another learning rate or fewer training samples, for a quick look or a comparison."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor, nn

from workbench.continual.learning import MakeOptimizer, StreamSetting
from workbench.continual.streams import Task
from workbench.data.event_sets import balanced_rows
from workbench.data.split import Split
from workbench.experiments.experiment import Experiment
from workbench.training.score import Samples
from workbench.training.setting import Data, Setting


def vary(experiment: Experiment, learning_rate: float | None = None, per_class: int | None = None) -> Experiment:
    """The experiment with this learning rate, and so many training samples of each class; None leaves it as it is.

    Where labels are no classes but for instance a flow, all samples count as one class.

    >>> from workbench.experiments import FASHION_EVENTS
    >>> vary(FASHION_EVENTS, learning_rate=0.01, per_class=50).name
    'fashion-events, learning rate 0.01, 50 samples per class'
    """
    name = experiment.name
    name += "" if learning_rate is None else f", learning rate {learning_rate:g}"
    name += "" if per_class is None else f", {per_class} samples per class"
    prepare = partial(_prepare, experiment, learning_rate, per_class)
    return experiment._replace(name=name, prepare=prepare)


class Subset(NamedTuple):
    """Some `rows` of labelled samples, in their order."""

    samples: Samples
    rows: Int[Tensor, "n"]

    @property
    def labels(self) -> Shaped[Tensor, "n *target"]:
        """What is asked of the rows, for instance class numbers."""
        return self.samples.labels[self.rows]

    def batch(self, rows: Int[Tensor, "batch"]) -> tuple[Shaped[Tensor, "..."], ...]:
        """x and y of the samples number `rows` of this subset, and their lengths where they differ."""
        return self.samples.batch(self.rows[rows])


def fewer_samples(data: Data, per_class: int, seed: int = 0) -> Split:
    """`per_class` training samples of each class, drawn by `seed`; the held-out samples stay as they are.

    Their order stays too, so that all samples of equally large classes are the set itself.
    """
    labels = data.train.labels
    classes = labels.new_zeros(len(labels), dtype=torch.int64) if labels.is_floating_point() else labels
    rows = np.sort(balanced_rows(classes.numpy(), per_class, seed))
    return Split(Subset(data.train, torch.from_numpy(rows)), data.test)


def set_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Give every group of parameters the same learning rate."""
    if not learning_rate > 0.0:
        raise ValueError(f"the learning rate must be positive, got {learning_rate!r}")
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def _prepare(
    experiment: Experiment, learning_rate: float | None, per_class: int | None, rule: Any, seed: int
) -> Setting | StreamSetting:
    setting = experiment.prepare(rule, seed)
    if isinstance(setting, StreamSetting):
        return _varied_stream(setting, learning_rate, per_class, seed)
    if learning_rate is not None:
        set_rate(setting.optimizer, learning_rate)
    return setting if per_class is None else setting._replace(data=fewer_samples(setting.data, per_class, seed))


def _varied_stream(
    setting: StreamSetting, learning_rate: float | None, per_class: int | None, seed: int
) -> StreamSetting:
    if learning_rate is not None:
        setting = setting._replace(optimizer=_with_rate(setting.optimizer, learning_rate))
    if per_class is not None:
        setting = setting._replace(stream=[_smaller(task, per_class, seed) for task in setting.stream])
    return setting


def _with_rate(make: MakeOptimizer, learning_rate: float) -> MakeOptimizer:
    def made(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        optimizer = make(parameters)
        set_rate(optimizer, learning_rate)
        return optimizer

    return made


def _smaller(task: Task, per_class: int, seed: int) -> Task:
    rows = np.sort(balanced_rows(task.train_y.numpy(), per_class, seed))
    return task._replace(train_x=task.train_x[rows], train_y=task.train_y[rows])
