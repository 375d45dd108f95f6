"""Named streams with their settings, shared by the command line, the app, the notebooks and the tests.

`start_stream` begins one run as a generator of records; `totals` turns its records into the numbers to report.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from workbench.continual.learning import Method, StreamRecord, accuracies, accuracy_matrix, learn_stream, sgd
from workbench.continual.methods.a_gem import AGEM
from workbench.continual.methods.code_cl import CodeCL, CodeCLParams
from workbench.continual.methods.ewc import EWC
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.continual.methods.gpm import GPM
from workbench.continual.methods.lance import LanceContinual
from workbench.continual.methods.replay import Joint, Replay
from workbench.continual.methods.sgp import SGP
from workbench.continual.methods.trgp import TRGP
from workbench.continual.metrics import average_accuracy, backward_transfer, forgetting
from workbench.continual.multihead import MultiHead, mlp
from workbench.continual.streams import Task, permuted_pixels, small_fashion_mnist, split_fashion_mnist
from workbench.training.setting import Plan

MakeMethod = Callable[[MultiHead], Method]
BATCH = 64
METHODS: Mapping[str, MakeMethod] = {
    "code-cl": partial(CodeCL, params=CodeCLParams(aperture=3.0)),
    "fine-tuning": FineTuning,
    "joint": Joint,
    "gpm": GPM,
    "replay": Replay,
    "a-gem": AGEM,
    "ewc": EWC,
    "sgp": SGP,
    "trgp": TRGP,
    "lance": LanceContinual,
}


class StreamSetting(NamedTuple):
    """All that one run needs beside the method: an untrained network, the tasks, and the rate of plain SGD."""

    network: MultiHead
    stream: Sequence[Task]
    learning_rate: float


class StreamExperiment(NamedTuple):
    """A named stream: methods by their short name, epochs per task, and `prepare(seed, tasks)` for the rest."""

    name: str
    summary: str
    rules: Mapping[str, MakeMethod]
    epochs: int
    tasks: int
    prepare: Callable[[int, int], StreamSetting]


def permuted_fashion_setting(seed: int, tasks: int) -> StreamSetting:
    """784–100–100–10 with one head for all; the seed fixes the orders of pixels too."""
    return StreamSetting(mlp([10], seed=seed), permuted_pixels(small_fashion_mnist(), tasks, seed), learning_rate=0.1)


def split_fashion_setting(seed: int, tasks: int) -> StreamSetting:
    """784–100–100 with a head of two outputs for each of the first `tasks` pairs of classes."""
    return StreamSetting(mlp([2] * tasks, seed=seed), split_fashion_mnist()[:tasks], learning_rate=0.2)


PERMUTED_FASHION = StreamExperiment(
    "permuted-fashion",
    "Fashion-MNIST, for each task with the pixels in another order; one head for all tasks",
    METHODS,
    epochs=5,
    tasks=10,
    prepare=permuted_fashion_setting,
)
SPLIT_FASHION = StreamExperiment(
    "split-fashion",
    "Fashion-MNIST, two classes per task; one head per task",
    METHODS,
    epochs=5,
    tasks=5,
    prepare=split_fashion_setting,
)
STREAMS: Mapping[str, StreamExperiment] = {e.name: e for e in (PERMUTED_FASHION, SPLIT_FASHION)}


def prepare_stream(experiment: StreamExperiment, seed: int = 0, tasks: int | None = None) -> StreamSetting:
    """Network and tasks of a run; the first `tasks` of the experiment's (all when None)."""
    tasks = experiment.tasks if tasks is None else tasks
    if not 1 <= tasks <= experiment.tasks:
        raise ValueError(f"{experiment.name} has 1 to {experiment.tasks} tasks, got {tasks}")
    return experiment.prepare(seed, tasks)


def start_stream(
    experiment: StreamExperiment, rule: str, seed: int = 0, epochs: int | None = None, tasks: int | None = None
) -> Iterator[StreamRecord]:
    """Begin a run: the generator of `learn_stream`. Raises ValueError for an unknown rule, no epoch or no task.

    >>> from workbench.continual import accuracy_matrix
    >>> accuracy_matrix(start_stream(SPLIT_FASHION, "code-cl", tasks=2, epochs=1)).shape
    torch.Size([2, 2])
    """
    epochs = experiment.epochs if epochs is None else epochs
    if rule not in experiment.rules:
        raise ValueError(f"{experiment.name} has no rule '{rule}'; it has {', '.join(experiment.rules)}")
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    setting = prepare_stream(experiment, seed, tasks)
    method = experiment.rules[rule](setting.network)
    return learn_stream(method, setting.stream, sgd(setting.learning_rate), Plan(epochs, seed), batch_size=BATCH)


class Untrained(NamedTuple):
    """Accuracies on all tasks before any learning, b of FWT, and whether tasks share one head, so that FWT counts."""

    accuracies: tuple[float, ...]
    shared_head: bool


def untrained(experiment: StreamExperiment, seed: int = 0, tasks: int | None = None) -> Untrained:
    """What the network of a run answers before it learns."""
    setting = prepare_stream(experiment, seed, tasks)
    tests = [(task.test_x, task.test_y) for task in setting.stream]
    return Untrained(accuracies(setting.network, tests), len(setting.network.heads) == 1)


def totals(records: Iterable[StreamRecord]) -> dict[str, float | int]:
    """The closing numbers of a whole run.

    accuracy and acc are ACC, the mean over all tasks at the end. peak_state_bytes is the most that the method kept
    beside the network, saved_bytes what autograd kept in its largest step.
    """
    kept = list(records)
    A = accuracy_matrix(kept)
    acc = round(average_accuracy(A), 4)
    return {
        "accuracy": acc,
        "acc": acc,
        "bwt": round(backward_transfer(A), 4),
        "forgetting": round(forgetting(A), 4),
        "tasks": len(A),
        "seconds": round(kept[-1].seconds, 2),
        "peak_state_bytes": max(record.kept_bytes for record in kept),
        "saved_bytes": max(record.saved_bytes for record in kept),
    }
