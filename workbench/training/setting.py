"""What a run of training needs, `Setting` and `Plan`, what it tells, `Record`, and the run itself, step by step."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from torch import nn

from workbench.checks import COUNT_OR_ZERO, SEED, check_fields
from workbench.faces import short_repr
from workbench.kernels.choice import Loops, current_loops, taking
from workbench.kernels.clock import working_time
from workbench.meters.kept import KeptBytes
from workbench.rule import Batch, Rule, for_lengths
from workbench.training.chance import drawing_state, restore_drawing
from workbench.training.checkpoint import Tree, network_state, restore_network
from workbench.training.epochs import (
    Schedule,
    check_finite,
    cosine_decay,
    epoch_order,
    set_learning_rate,
    steps_in_epoch,
)
from workbench.training.samples import data_of
from workbench.training.score import ACCURACY, Logits, Samples, Score, evaluate


@runtime_checkable
class Data(Protocol):
    """Samples to learn from, and samples held out for testing."""

    @property
    def train(self) -> Samples: ...
    @property
    def test(self) -> Samples: ...


Evaluating = Callable[[Samples], AbstractContextManager[object]]  # what holds while a network is judged


def unchanged(samples: Samples) -> AbstractContextManager[object]:
    """The network is evaluated as it is; see `Setting.evaluating`."""
    return nullcontext()


class Record(NamedTuple):
    """One training step, number `step` (from 0) of `steps`. Held-out numbers come at the end of an epoch, else None.

    loss, score: of this batch before its update. seconds: training time so far, evaluation and compiling not counted.
    state_bytes: carried between time steps. saved_bytes: kept by autograd at the worst moment, measured.
    loops: with which inner loops the run began; it keeps them, because both kinds agree to rounding only.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    score: float
    samples_per_second: float
    seconds: float
    state_bytes: int
    saved_bytes: int
    spike_rates: dict[str, float]
    held_out_score: float | None = None
    held_out_loss: float | None = None
    loops: Loops = Loops.PLAIN

    def where(self, epochs: int) -> str:
        """The place in a run of so many epochs, in words."""
        return f"epoch {self.epoch + 1}/{epochs}"

    def totals(self, score: Score) -> dict[str, Any]:
        """The closing numbers of a run that ends here, at the end of an epoch; the score under its name."""
        assert self.held_out_score is not None
        assert self.held_out_loss is not None
        return {
            score.name: round(self.held_out_score, 4),
            "loss": round(self.held_out_loss, 4),
            "seconds": round(self.seconds, 2),
            "samples_per_second": round(self.samples_per_second, 1),
            "peak_state_bytes": self.state_bytes,
            "saved_bytes": self.saved_bytes,
            "loops": self.loops,
        }


@runtime_checkable
class Told(Protocol):
    """What every record of a run tells, whatever is trained: see `Record` and `continual.StreamRecord`."""

    @property
    def epoch(self) -> int: ...
    @property
    def step(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def loss(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def score(self) -> float: ...
    @property
    def state_bytes(self) -> int: ...
    @property
    def saved_bytes(self) -> int: ...
    @property
    def spike_rates(self) -> dict[str, float]: ...
    @property
    def held_out_score(self) -> float | None: ...
    @property
    def held_out_loss(self) -> float | None: ...
    def where(self, epochs: int) -> str: ...
    def totals(self, score: Score) -> dict[str, Any]: ...


R = TypeVar("R", bound=Told)
R_co = TypeVar("R_co", bound=Told, covariant=True)


class Plan(NamedTuple):
    """One run of a setting: passes over the training data, the seed of the order of samples, and its inner loops.

    loops: "plain" or "compiled"; None for what `kernels.choice.current_loops` says when the run starts.
    """

    epochs: int = 1
    seed: int = 0
    loops: str | None = None

    __repr__ = short_repr


def check_plan(plan: Plan) -> Plan:
    """The plan, or ValueError unless it counts its epochs and has a seed."""
    return check_fields(plan, Plan, epochs=COUNT_OR_ZERO, seed=SEED)


@runtime_checkable
class Run(Protocol[R_co]):
    """A run that may end between two records and go on from its `state` as if it had never ended."""

    def records(self) -> Iterator[R_co]: ...
    def state(self) -> Tree: ...
    def restore(self, state: Tree) -> None: ...


@runtime_checkable
class Trainable(Protocol[R_co]):
    """All that `train` asks of a setting: how its outputs are judged, and a run of it."""

    @property
    def score(self) -> Score: ...
    def begin(self, plan: Plan) -> Run[R_co]: ...


class Setting(NamedTuple):
    """All that one run needs: network, optimiser, data, how to learn, how to read outputs, and how to judge them.

    data: what is learned from and what is held out, as `train` and `test` or as a pair; each `Samples`, a DataLoader of
    (x, y), or a pair of arrays. batch_size: samples per step; a last one that is alone is left out. schedule: maps the
    fraction of training done, 0 to 1, to a factor of the learning rate; None leaves it. `evaluating(data.train)` is
    entered around each evaluation, for optimisers with other weights for it, and left before anything else happens.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    data: Data
    rule: Rule
    logits: Logits
    batch_size: int = 64
    schedule: Schedule | None = cosine_decay
    evaluating: Evaluating = unchanged
    score: Score = ACCURACY

    def begin(self, plan: Plan) -> "Training":
        """A run from the first step."""
        return Training(self, plan)


def _other_length(schedule: Schedule, before: int, now: int) -> str:
    name = getattr(schedule, "__name__", "schedule")
    return (
        f"the learning rate follows the {name} over the whole run, which was planned for {before} epochs: from here on "
        f"it is that of a run of {now}, so the numbers are not those of a run planned for {now} from the start"
    )


class Place(NamedTuple):
    """Where a run stands: steps done, seconds of training, most bytes kept by autograd, and the inner loops with which
    it began (a file that does not say: the plain ones)."""

    step: int = 0
    seconds: float = 0.0
    saved_bytes: int = 0
    loops: str = Loops.PLAIN


def check_optimizer(network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Raise ValueError for an optimiser that was built from another network: nothing of this one would ever move."""
    own = {id(parameter) for parameter in network.parameters()}
    moved = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if moved and own.isdisjoint(map(id, moved)):
        raise ValueError(
            "the optimiser moves no parameter of the network; build it from the parameters of the network that is "
            "given here (compress, for one, gives a network of its own)"
        )


class Training:
    """One run of a `Setting`: its records, and where it stands between two of them."""

    def __init__(self, setting: Setting, plan: Plan):
        self.setting, self.plan = setting._replace(data=data_of(setting.data)), check_plan(plan)
        check_optimizer(setting.network, setting.optimizer)
        self.place = Place(loops=Loops(plan.loops or current_loops()))
        self._rates = [group["lr"] for group in setting.optimizer.param_groups]
        self._order = torch.empty(0)
        self._last: Record | None = None

    def records(self) -> Iterator[Record]:
        """A record after each step that is left; of a run that is over, its last one again."""
        per_epoch = self._steps_per_epoch()
        steps, loops = self.plan.epochs * per_epoch, Loops(self.place.loops)
        if self.place.step >= steps and self._last is not None:
            yield self._last
        for step in range(self.place.step, steps):
            epoch, batch = divmod(step, per_epoch)
            set_learning_rate(self.setting.optimizer, self._rates, self.setting.schedule, step / steps)
            record = self._step(
                self._batch(epoch, batch), Record(epoch, step, steps, 0.0, 0.0, 0.0, 0.0, 0, 0, {}, loops=loops)
            )
            self._last = self._judged(record) if batch == per_epoch - 1 else record
            yield self._last

    def state(self) -> Tree:
        """Everything that the rest of the run depends on."""
        return {
            "network": network_state(self.setting.network),
            "optimizer": self.setting.optimizer.state_dict(),
            "place": self.place._asdict(),
            "drawing": drawing_state(self.setting.network),
            "epochs": self.plan.epochs,
            "order": {"seed": self.plan.seed, "steps per epoch": self._steps_per_epoch()},
            "last": None if self._last is None else self._last._asdict(),
        }

    def restore(self, state: Tree) -> None:
        """Go on from there, with as many epochs as this run's plan says; see `train` for more than were planned.

        Raises ValueError for the state of another network or optimiser, and when more steps are done than planned now.
        """
        place, per_epoch = Place(**state["place"]), self._steps_per_epoch()
        for name, now in (("seed", self.plan.seed), ("steps per epoch", per_epoch)):
            if state["order"][name] != now:
                raise ValueError(f"the file holds a run with {name} {state['order'][name]}, this one has {now}")
        if place.step > self.plan.epochs * per_epoch:
            raise ValueError(
                f"this run has done {place.step / per_epoch:.3g} epochs already, more than the {self.plan.epochs} "
                "asked for; ask for more, or start again without --resume"
            )
        if state["epochs"] != self.plan.epochs and self.setting.schedule is not None:
            warnings.warn(_other_length(self.setting.schedule, state["epochs"], self.plan.epochs), stacklevel=3)
        restore_network(self.setting.network, state["network"])
        try:
            self.setting.optimizer.load_state_dict(state["optimizer"])
        except (ValueError, KeyError) as error:
            raise ValueError(f"the file holds the state of another optimiser: {error}") from None
        self.place = place
        restore_drawing(state["drawing"])
        last = state["last"]
        self._last = None if last is None else Record(**last)._replace(loops=Loops(last["loops"]))

    def _steps_per_epoch(self) -> int:
        return steps_in_epoch(len(self.setting.data.train.labels), self.setting.batch_size)

    def _batch(self, epoch: int, batch: int) -> Batch:
        samples, size = self.setting.data.train, self.setting.batch_size
        if batch == 0 or not len(self._order):
            self._order = epoch_order(len(samples.labels), self.plan.seed, epoch)
        return Batch(*samples.batch(self._order[batch * size : (batch + 1) * size]))

    def _step(self, batch: Batch, record: Record) -> Record:
        (x, y, lengths), network, optimizer = batch, self.setting.network, self.setting.optimizer
        rule = for_lengths(self.setting.rule, lengths)
        for_lengths(self.setting.logits, lengths)  # what cannot be judged is refused before it is learned
        started = working_time()
        optimizer.zero_grad(set_to_none=True)
        with taking(record.loops), KeptBytes(*network.parameters(), x) as kept:
            report = rule(network, x, y)
        check_finite(network, report.loss, f"step {record.step + 1}, epoch {record.epoch + 1}")
        optimizer.step()
        took = working_time() - started
        seconds, peak = self.place.seconds + took, max(self.place.saved_bytes, kept.peak)
        self.place = Place(record.step + 1, seconds, peak, record.loops)
        return record._replace(
            loss=report.loss,
            score=self.setting.score.mean(report.logits, y),
            samples_per_second=len(y) / took,
            seconds=self.place.seconds,
            state_bytes=report.state_bytes,
            saved_bytes=self.place.saved_bytes,
            spike_rates=report.spike_rates,
        )

    def _judged(self, record: Record) -> Record:
        """The record at the end of an epoch, with what held-out samples say."""
        setting = self.setting
        with taking(record.loops), setting.evaluating(setting.data.train):
            score, loss = evaluate(setting.network, setting.data.test, setting.logits, score=setting.score)
        return record._replace(held_out_score=score, held_out_loss=loss)
