"""Learning one task after the other: `StreamSetting` is what a run needs, `StreamRecord` what it tells.

A run is a `training.train` like any other, with checkpoints. The baselines are ours: avalanche-lib has them as plug-ins
of its trainer, and needs torchvision, wandb and tensorboard.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn

from workbench.checks import COUNT_OR_ZERO, NOT_NEGATIVE, WITHIN, check_fields
from workbench.continual.method import Method
from workbench.continual.metrics import average_accuracy, backward_transfer, forgetting
from workbench.continual.streams import Task, check_task
from workbench.faces import short_repr
from workbench.kernels.clock import working_time
from workbench.meters.evaluation import evaluation
from workbench.meters.kept import KeptBytes
from workbench.training.chance import drawing
from workbench.training.checkpoint import Tree, network_state, restore_network
from workbench.training.epochs import Schedule, check_finite, epoch_order, set_learning_rate
from workbench.training.score import ACCURACY, Score, accuracy, summed_cross_entropy
from workbench.training.setting import Plan, check_plan

MakeOptimizer = Callable[[list[nn.Parameter]], torch.optim.Optimizer]
TEST_BATCH = 512  # batch normalisation without running statistics sees this many test samples at once


class StreamRecord(NamedTuple):
    """One training step, number `step` (from 0) of `steps`; an early end of a task leaves some of them out.

    accuracies: on every task of the stream; they come with the last step of a task, else None. rows: all accuracies so
    far, the finished rows of A. loss, score: of this batch before its update. seconds: learning time so far, with what
    the method does between tasks, without tests. state_bytes: what the method keeps beside the network. saved_bytes:
    what autograd kept in the first step of this task, measured; the other steps keep the same. most_state_bytes,
    most_saved_bytes: the largest so far.
    """

    task: int
    epoch: int
    step: int
    steps: int
    loss: float
    score: float
    state_bytes: int
    seconds: float
    saved_bytes: int
    most_state_bytes: int
    most_saved_bytes: int
    rows: tuple[tuple[float, ...], ...] = ()
    accuracies: tuple[float, ...] | None = None
    held_out_loss: float | None = None

    @property
    def spike_rates(self) -> dict[str, float]:
        """None: these networks have no spikes."""
        return {}

    @property
    def held_out_score(self) -> float | None:
        """Mean accuracy on the tasks that were learned, at the end of a task; else None."""
        return None if self.accuracies is None else sum(self.accuracies[: self.task + 1]) / (self.task + 1)

    def where(self, epochs: int) -> str:
        """The place in a run of so many epochs, in words."""
        return f"task {self.task + 1}, epoch {self.epoch + 1}/{epochs}"

    def totals(self, score: Score) -> dict[str, Any]:
        """The closing numbers of a run that ends here. accuracy and acc are ACC, the mean over all tasks at the end."""
        A = accuracy_matrix([self])
        acc = round(average_accuracy(A), 4)
        return {
            score.name: acc,
            "acc": acc,
            "bwt": round(backward_transfer(A), 4),
            "forgetting": round(forgetting(A), 4),
            "tasks": len(A),
            "seconds": round(self.seconds, 2),
            "peak_state_bytes": self.most_state_bytes,
            "saved_bytes": self.most_saved_bytes,
        }


class Plateau(NamedTuple):
    """CODE-CL's schedule: a part of the data is held back, and after each epoch the accuracy on it decides.

    After more than `patience` epochs without a better accuracy, the learning rate is multiplied by `factor`; below
    `stop_below` the task ends. Its end brings the best weights back, as the released code does.
    """

    held_back: float = 0.05
    patience: int = 6
    factor: float = 0.5
    stop_below: float = 1e-5

    __repr__ = short_repr


def check_plateau(plateau: Plateau) -> Plateau:
    """The schedule, or ValueError unless it holds back a part, and slows down."""
    spans = {"held_back": WITHIN, "patience": COUNT_OR_ZERO, "factor": WITHIN, "stop_below": NOT_NEGATIVE}
    return check_fields(plateau, Plateau, **spans)


def sgd(learning_rate: float) -> MakeOptimizer:
    """Plain SGD, as all the projection methods use it."""
    return lambda parameters: torch.optim.SGD(parameters, lr=learning_rate)


def adam(learning_rate: float = 1e-3) -> MakeOptimizer:
    """Adam, for signals whose size says nothing about the step that fits. Projected weights stay within their space
    whatever the optimiser, see `protected`."""
    return lambda parameters: torch.optim.Adam(parameters, lr=learning_rate)


class StreamSetting(NamedTuple):
    """All that one run needs: a method that holds its network, the tasks, and how steps are made.

    Each task gets a new optimiser over the parameters that may still learn; `schedule` runs once per task.
    whole_batches: leave out the samples of an epoch that fill no batch, another few in each. Normalisation that keeps
    no running statistics, as that of AlexNet here, goes astray in batches of a dozen samples.

    >>> from workbench.continual import mlp, sgd, split_fashion_mnist
    >>> from workbench.continual.methods import FineTuning
    >>> from workbench.training import train
    >>> setting = StreamSetting(FineTuning(mlp([2, 2])), split_fashion_mnist()[:2], sgd(0.05))
    >>> accuracy_matrix(train(setting)).shape
    torch.Size([2, 2])
    """

    method: Method
    stream: Sequence[Task]
    optimizer: MakeOptimizer
    batch_size: int = 64
    plateau: Plateau | None = None
    schedule: Schedule | None = None
    whole_batches: bool = False
    score: Score = ACCURACY

    def begin(self, plan: Plan) -> "StreamRun":
        """A run from the first step of the first task."""
        return StreamRun(self, plan)


class StreamPlace(NamedTuple):
    """Where a run stands: the next batch, steps and seconds so far, bytes, and the rows of A that are finished."""

    task: int = 0
    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    saved_bytes: int = 0
    most_state_bytes: int = 0
    most_saved_bytes: int = 0
    rows: tuple[tuple[float, ...], ...] = ()


class StreamRun:
    """One run of a `StreamSetting`: its records, and where it stands between two of them.

    Seeds fix the order of samples and what dropout draws; the network is taken as it comes.
    """

    def __init__(self, setting: StreamSetting, plan: Plan):
        self.setting, self.plan = setting, check_plan(plan)
        if setting.plateau is not None:
            check_plateau(setting.plateau)
        self.place = StreamPlace()
        self._moving: torch.optim.Optimizer | None = None  # of the current task
        self._rates: list[float] = []
        self._best: _Best | None = None
        self._tests: list[tuple[Tensor, Tensor]] = []
        self._loss: float | None = None  # on the tests of the tasks that were learned
        self._steps = 0  # of the whole run, when no task ends early
        self._last: StreamRecord | None = None

    def records(self) -> Iterator[StreamRecord]:
        """A record after each step that is left; of a run that is over, its last one again.

        Raises FloatingPointError when learning diverges.
        """
        self._look_at_stream()
        if self.place.task >= len(self.setting.stream) and self._last is not None:
            yield self._last
        while self.place.task < len(self.setting.stream):
            for record in self._task(self.place.task):
                self._last = record
                yield record

    def state(self) -> Tree:
        """Everything that the rest of the run depends on."""
        network = self.setting.method.network
        return {
            "network": network_state(network),
            "method": self.setting.method.state(),
            "optimizer": None if self._moving is None else self._moving.state_dict(),
            "rates": self._rates,
            "best": None if self._best is None else self._best.state(),
            "place": self.place._asdict(),
            "plan": self._planned(),
            "last": None if self._last is None else self._last._asdict(),
        }

    def restore(self, state: Tree) -> None:
        """Go on from there. Raises ValueError for the state of another network, or of a run that was planned otherwise:
        tasks that were learned for fewer epochs cannot be learned for more afterwards."""
        for name, now in self._planned().items():
            if state["plan"][name] != now:
                raise ValueError(
                    f"this run was begun with {name} = {state['plan'][name]}, not {now}; a stream goes on as it was "
                    "planned, because its first tasks are behind it. Start again without --resume"
                )
        setting, network = self.setting, self.setting.method.network
        self.place = StreamPlace(**{name: _as_tuples(value) for name, value in state["place"].items()})
        restore_network(network, state["network"])
        setting.method.restore(state["method"], [self.samples(t) for t in range(self.place.task)])
        if state["optimizer"] is not None:
            self._begin_task()
            assert self._moving is not None
            self._moving.load_state_dict(state["optimizer"])
            self._rates = state["rates"]
        if self._best is not None and state["best"] is not None:
            self._best.restore_state(state["best"])
        last = state["last"]
        if last is not None:
            self._last = StreamRecord(**{name: _as_tuples(value) for name, value in last.items()})

    def _planned(self) -> dict[str, int]:
        return {"epochs": self.plan.epochs, "seed": self.plan.seed, "tasks": len(self.setting.stream)}

    def _look_at_stream(self) -> None:
        """Take the tests of all tasks, and count the steps."""
        setting = self.setting
        for t, task in enumerate(setting.stream):
            per_epoch = len(self._batches(t, 0, task.train_y))
            if not per_epoch:
                raise ValueError(
                    f"task {t} ('{task.name}') has {len(task.train_y)} training samples, which make no batch; give it "
                    "at least two, or hold back fewer"
                )
            check_task(task, t, getattr(setting.method.network, "heads", None))
            self._tests.append((task.test_x, task.test_y))
            self._steps += per_epoch * self.plan.epochs

    def samples(self, t: int) -> tuple[Shaped[Tensor, "n ..."], Int64[Tensor, " n"]]:
        """The training samples of a task in the order of this run."""
        task = self.setting.stream[t]
        order = epoch_order(len(task.train_y), self.plan.seed, -1 - t)
        return task.train_x[order], task.train_y[order]

    def _begin_task(self) -> None:
        setting, network, t = self.setting, self.setting.method.network, self.place.task
        learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
        if not learning:
            raise ValueError(
                f"task {t} ({setting.stream[t].name!r}) finds nothing that may learn: every weight is frozen, or "
                "earlier tasks hold all directions; take a wider network, fewer tasks or a lower threshold"
            )
        self._moving = setting.optimizer(learning)
        self._rates = [group["lr"] for group in self._moving.param_groups]
        self._best = _Best(network, setting.plateau) if setting.plateau else None

    def _task(self, t: int) -> Iterator[StreamRecord]:
        setting = self.setting
        (x, y), clock = self.samples(t), Clock(self.place.seconds)
        if self._moving is None:
            with clock:
                setting.method.before_task(t, x, y)
            self._begin_task()
            self.place = self.place._replace(saved_bytes=0)
        state_bytes = setting.method.kept_bytes()
        while self.place.task == t:
            epoch = self.place.epoch
            batches = self._batches(t, epoch, y)
            for batch in range(self.place.batch, len(batches)):
                rows = self._held_back(y) + batches[batch]
                record = self._step(t, epoch, x[rows], y[rows], clock)
                last = batch == len(batches) - 1
                self.place = self.place._replace(
                    batch=batch + 1, step=self.place.step + 1, seconds=clock.seconds, saved_bytes=record.saved_bytes
                )
                if last:
                    self.place = self.place._replace(epoch=epoch + 1, batch=0)
                    if self._over(x, y, t):
                        self._finish(t, x, y, clock)
                        state_bytes = setting.method.kept_bytes()
                yield self._told(record, state_bytes)

    def _batches(self, t: int, epoch: int, y: Tensor) -> list[Tensor]:
        """Rows of each batch of an epoch, counted after those that are held back."""
        setting, count = self.setting, len(y) - self._held_back(y)
        smallest = setting.batch_size if setting.whole_batches else 2
        return _batches(count, setting.batch_size, smallest, self.plan.seed, t * self.plan.epochs + epoch)

    def _held_back(self, y: Tensor) -> int:
        plateau = self.setting.plateau
        return math.ceil(plateau.held_back * len(y)) if plateau else 0

    def _step(self, t: int, epoch: int, x: Tensor, y: Tensor, clock: "Clock") -> StreamRecord:
        setting, saved, network = self.setting, self.place.saved_bytes, self.setting.method.network
        assert self._moving is not None
        set_learning_rate(self._moving, self._rates, setting.schedule, epoch / self.plan.epochs)
        network.train()
        measured = nullcontext() if saved else KeptBytes(*network.parameters(), *network.buffers(), x, y)
        with clock, measured, drawing(network, 1_000_003 * self.plan.seed + self.place.step):
            report = setting.method.learn(self._moving, x, y, t)
        saved = measured.peak if isinstance(measured, KeptBytes) else saved
        if not math.isfinite(report.loss):
            check_finite(network, report.loss, f"epoch {epoch + 1} of task {t}")
        score = setting.score.mean(report.logits, y)
        return StreamRecord(t, epoch, self.place.step, self._steps, report.loss, score, 0, clock.seconds, saved, 0, 0)

    def _over(self, x: Tensor, y: Tensor, t: int) -> bool:
        """Whether the task ends after this epoch."""
        n, network = self._held_back(y), self.setting.method.network
        assert self._moving is not None
        ended = self._best is not None and self._best.reached(self._moving, _judged(network, x[:n], y[:n], t)[0])
        return ended or self.place.epoch == self.plan.epochs

    def _finish(self, t: int, x: Tensor, y: Tensor, clock: "Clock") -> None:
        method = self.setting.method
        if self._best:
            self._best.restore()
        with clock:
            method.after_task(t, x, y)
        judged = [_judged(method.network, *test, task) for task, test in enumerate(self._tests)]
        row, losses = zip(*judged, strict=True)
        self._loss = sum(losses[: t + 1]) / (t + 1)
        self._moving, self._rates, self._best = None, [], None
        place = self.place
        self.place = place._replace(task=t + 1, epoch=0, batch=0, seconds=clock.seconds, rows=(*place.rows, row))

    def _told(self, record: StreamRecord, state_bytes: int) -> StreamRecord:
        place = self.place
        most_state = max(place.most_state_bytes, state_bytes)
        most_saved = max(place.most_saved_bytes, record.saved_bytes)
        self.place = place._replace(most_state_bytes=most_state, most_saved_bytes=most_saved)
        return record._replace(
            state_bytes=state_bytes,
            seconds=place.seconds,
            most_state_bytes=most_state,
            most_saved_bytes=most_saved,
            rows=place.rows,
            accuracies=place.rows[-1] if place.task > record.task else None,
            held_out_loss=self._loss if place.task > record.task else None,
        )


def _batches(n: int, batch_size: int, smallest: int, seed: int, epoch: int) -> list[Tensor]:
    """Rows of each batch; a last batch of fewer than `smallest` samples is left out, unless there is no other.

    Batch normalisation can do nothing with a single one.
    """
    batches = epoch_order(n, seed, epoch).split(batch_size)
    return [rows for rows in batches if len(rows) >= (min(smallest, batch_size) if len(batches) > 1 else 1)]


def accuracies(
    network: nn.Module, tests: Sequence[tuple[Shaped[Tensor, "..."], Int64[Tensor, " _"]]]
) -> tuple[float, ...]:
    """Accuracy of the network on the test samples of each task, given in the order of the tasks."""
    return tuple(_judged(network, x, y, task)[0] for task, (x, y) in enumerate(tests))


@torch.no_grad()
def _judged(network: nn.Module, x: Tensor, y: Tensor, task: int) -> tuple[float, float]:
    """Accuracy and mean cross-entropy."""
    right, loss = 0.0, 0.0
    with evaluation(network):
        for batch, labels in zip(x.split(TEST_BATCH), y.split(TEST_BATCH), strict=True):
            logits = network(batch, task)
            right += accuracy(logits, labels) * len(labels)
            loss += float(summed_cross_entropy(logits, labels))
    return right / len(y), loss / len(y)


def accuracy_matrix(records: Iterable[StreamRecord]) -> Float[Tensor, "tasks tasks"]:
    """A of `workbench.continual.metrics` from the records of a stream, also of one that went on from a checkpoint."""
    rows: tuple[tuple[float, ...], ...] = ()
    for record in records:
        rows = record.rows
    return torch.tensor(rows, dtype=torch.float64)


def _as_tuples(value: Any) -> Any:
    """Lists as tuples, inner ones too: JSON knows lists only."""
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


class Clock:
    """Adds up the seconds spent in its `with` blocks, without those in which loops are compiled."""

    def __init__(self, seconds: float = 0.0):
        self.seconds = seconds

    def __enter__(self) -> None:
        self._started = working_time()

    def __exit__(self, *_) -> None:
        self.seconds += working_time() - self._started


class _Best:
    """The best weights of a task so far, and how long they have been the best."""

    def __init__(self, network: nn.Module, plateau: Plateau):
        self.network, self.plateau = network, plateau
        self.score, self.bad_epochs = -1.0, 0
        self.weights: list[Tensor] = []

    def reached(self, optimizer: torch.optim.Optimizer, score: float) -> bool:
        """Take note of this epoch's score; slow down on a plateau; True when the learning rate is below its end."""
        self.bad_epochs += 1
        if score > self.score:
            self.score, self.bad_epochs = score, 0
            self.weights = [parameter.detach().clone() for parameter in self.network.parameters()]
        if self.bad_epochs > self.plateau.patience:
            self.bad_epochs = 0
            for group in optimizer.param_groups:
                group["lr"] *= self.plateau.factor
        return all(group["lr"] < self.plateau.stop_below for group in optimizer.param_groups)

    @torch.no_grad()
    def restore(self) -> None:
        """Put the best weights back, in place: the optimiser goes on with the same parameters."""
        for parameter, best in zip(self.network.parameters(), self.weights, strict=False):
            parameter.copy_(best)

    def state(self) -> Tree:
        return {"score": self.score, "bad_epochs": self.bad_epochs, "weights": self.weights}

    def restore_state(self, state: Tree) -> None:
        self.score, self.bad_epochs, self.weights = state["score"], state["bad_epochs"], state["weights"]
