"""Training as a generator: one small record per step, and nothing else happens between two steps.

A notebook iterates over `train(...)`, a progress bar wraps it, the command line prints it, `Runner` runs it in a
thread for the app. A rule is any function `rule(network, x, y) -> StepReport` that fills `.grad`.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.faces import short_repr
from workbench.kernels.choice import Loops, current_loops, taking
from workbench.meters.evaluation import evaluation
from workbench.meters.kept import KeptBytes
from workbench.rule import Rule
from workbench.training.checkpoint import Place, load_checkpoint, save_checkpoint

Logits = Callable[[Any, Tensor], Tensor]  # (network, x) → class scores
Schedule = Callable[[float], float]  # share of the run done, 0 to 1 → factor of the learning rate


@runtime_checkable
class Samples(Protocol):
    """Labelled samples that give batches by index: x as the rule wants it, y class numbers."""

    @property
    def labels(self) -> Tensor: ...
    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]: ...


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

    loss, accuracy: of this batch before its update. seconds: training time so far, evaluation not counted.
    state_bytes: carried between time steps. saved_bytes: kept by autograd at the worst moment, measured.
    loops: with which inner loops the run began; it keeps them, because both kinds agree to rounding only.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float
    samples_per_second: float
    seconds: float
    state_bytes: int
    saved_bytes: int
    spike_rates: dict[str, float]
    held_out_accuracy: float | None = None
    held_out_loss: float | None = None
    loops: Loops = Loops.PLAIN


class Plan(NamedTuple):
    """One run of a setting: passes over the training data, the seed of the order of samples, and its inner loops.

    loops: "plain" or "compiled"; None for what `kernels.choice.current_loops` says when the run starts.
    """

    epochs: int = 1
    seed: int = 0
    loops: str | None = None

    __repr__ = short_repr


def cosine(progress: float) -> float:
    """From 1 to 0 along half a cosine."""
    return 0.5 * (1.0 + math.cos(math.pi * progress))


class Setting(NamedTuple):
    """All that one run needs: network, optimiser, data, how to learn, how to read outputs, and how to train.

    batch_size: samples per step. schedule: maps the fraction of training done, 0 to 1, to a factor of the learning
    rate; None leaves it. `evaluating(data.train)` is entered around each evaluation, for optimisers that have other
    weights for it, and left before anything else happens.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    data: Data
    rule: Rule
    logits: Logits
    batch_size: int = 64
    schedule: Schedule | None = cosine
    evaluating: Evaluating = unchanged


def train(
    setting: Setting,
    plan: Plan = Plan(),
    checkpoint: Path | None = None,
    resume: bool = False,
    checkpoint_every: int = 50,
    label: str = "",
) -> Iterator[Record]:
    """Train and yield a `Record` after each step.

    Seeds fix the order of samples; the network is taken as it comes. With `checkpoint`, the file is written (whole or
    not at all) every `checkpoint_every` steps and after the last; `resume` goes on from it with the same numbers as if
    the run had never stopped; `label` says in words which run the file belongs to, and another run refuses it.
    Which inner loops rules take is settled once, at the start (see `workbench.kernels.choice`), and kept on `resume`.
    Raises FloatingPointError, naming the layer, when a number is no longer finite, and ValueError for a run that began
    with compiled loops where there are none.

    >>> setting = Setting(network, torch.optim.Adam(network.parameters()), data, stllr.gradients, spiking_logits)
    >>> records = list(train(setting, Plan(epochs=3)))
    """
    network, optimizer, data, rule, logits, batch_size, schedule, evaluating = setting
    steps_per_epoch = math.ceil(len(data.train.labels) / batch_size)
    rates = [group["lr"] for group in optimizer.param_groups]
    place = Place(label=label, loops=Loops(plan.loops or current_loops()))
    if resume and checkpoint is not None:
        place = load_checkpoint(checkpoint, network, optimizer, label)
    order, steps, loops = torch.empty(0), plan.epochs * steps_per_epoch, Loops(place.loops)
    for step in range(place.step, steps):
        epoch, batch = divmod(step, steps_per_epoch)
        set_learning_rate(optimizer, rates, schedule, step / steps)
        if batch == 0 or not len(order):
            order = epoch_order(len(data.train.labels), plan.seed, epoch)
        x, y = data.train.batch(order[batch * batch_size : (batch + 1) * batch_size])
        started = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with taking(loops), KeptBytes(*network.parameters(), x) as kept:
            report = rule(network, x, y)
        check_finite(network, report.loss, f"step {step + 1}, epoch {epoch + 1}")
        optimizer.step()
        took = time.perf_counter() - started
        place = Place(step + 1, place.seconds + took, max(place.saved_bytes, kept.peak), label, loops)
        held_out = (None, None)
        if batch == steps_per_epoch - 1:
            with taking(loops), evaluating(data.train):
                held_out = evaluate(network, data.test, logits)
        yield Record(
            epoch, step, steps, report.loss, accuracy(report.logits, y), len(y) / took, place.seconds,
            report.state_bytes, place.saved_bytes, report.spike_rates, *held_out, loops,
        )  # fmt: skip
        if checkpoint is not None and (step + 1 == steps or (step + 1) % checkpoint_every == 0):
            save_checkpoint(checkpoint, network, optimizer, place)


def epoch_order(samples: int, seed: int, epoch: int) -> Tensor:
    """The order of samples in one epoch: a permutation that depends on nothing but its arguments."""
    generator = torch.Generator().manual_seed(1_000_003 * seed + epoch)
    return torch.randperm(samples, generator=generator)


def set_learning_rate(
    optimizer: torch.optim.Optimizer, rates: list[float], schedule: Schedule | None, progress: float
) -> None:
    """Set each group's rate to its first value times the schedule's factor."""
    if schedule is not None:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * schedule(progress)


def accuracy(logits: Tensor, y: Tensor) -> float:
    """Fraction of samples whose largest output is the label's."""
    return float((logits.argmax(-1) == y).float().mean())


@torch.no_grad()
def evaluate(network: nn.Module, samples: Samples, logits: Logits, batch_size: int = 250) -> tuple[float, float]:
    """Accuracy and mean cross-entropy over all samples; nothing about the network changes."""
    right, loss = 0.0, 0.0
    with evaluation(network):
        for indices in torch.arange(len(samples.labels)).split(batch_size):
            x, y = samples.batch(indices)
            outputs = logits(network, x)
            right += accuracy(outputs, y) * len(y)
            loss += float(F.cross_entropy(outputs, y, reduction="sum"))
    return right / len(samples.labels), loss / len(samples.labels)


def check_finite(network: nn.Module, loss: float, where: str) -> None:
    """Raise FloatingPointError that names the first layer, in order of definition, that holds a number not finite."""
    norms = [p.grad.norm() for p in network.parameters() if p.grad is not None]
    if math.isfinite(loss) and (not norms or bool(torch.stack(norms).isfinite().all())):
        return
    for name, parameter in network.named_parameters():
        for kind, tensor in (("weights", parameter), ("gradient", parameter.grad)):
            if tensor is not None and not bool(tensor.isfinite().all()):
                raise FloatingPointError(
                    f"training diverged at {where}: the {kind} of '{name}' is the first to hold NaN or infinity "
                    f"(loss {loss:.3g}). Lower the learning rate, or check the input's scale."
                )
    raise FloatingPointError(f"training diverged at {where}: the loss is {loss:.3g}. Lower the learning rate.")
