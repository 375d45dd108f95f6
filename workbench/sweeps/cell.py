"""One cell of a sweep: an experiment under one rule, seed and setting, and the small file with what came out.

A file is JSON, written whole or not at all, and lies at `FOLDER/EXPERIMENT/RULE-SEED-SETTINGS.json`:

    cell       what was asked for; its hash is the last part of the name, so that a cell is found without reading it
    score      name and final value;  totals: the closing numbers of the run, bytes among them
    curve      after each epoch (of a stream: after each task) score and loss on held-out samples, and seconds so far
    matrix     of a stream: A, accuracy on every task after each;  untrained: before any learning
    macs       per sample, counted in one batch of the trained network, the forward pass among them
    made       device, processor, threads, versions

Two runs of a cell on one machine agree in everything but seconds and, maybe, `made`: see `numbers`.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

from workbench.continual.learning import StreamSetting, accuracies
from workbench.cost.counted import measure
from workbench.data.delivery.storage import try_to_write, written_unlocked
from workbench.experiments.experiment import Experiment, prepare, rule_of
from workbench.experiments.named import experiment
from workbench.experiments.overrides import vary
from workbench.faces import short_repr
from workbench.kernels.warm_up import compile_all
from workbench.networks.layers import SpikingLayer
from workbench.sweeps.halfway import Halfway
from workbench.sweeps.machine import made_by
from workbench.training.devices import on_device
from workbench.training.loop import train
from workbench.training.setting import Plan

FORMAT = 1
TIMES = ("seconds", "samples_per_second")  # numbers that differ from run to run
COUNTED = 16  # samples in which products are counted
Tell = Callable[["Cell", dict[str, Any]], None]  # a cell, and the point of its curve that it has reached
LARGE = 10_000  # weights of spiking networks that take compiled loops; compiling is no part of their time


class Cell(NamedTuple):
    """What is trained: all that a number depends on, beside the machine.

    epochs: None for the experiment's own. tasks, learning_rate, per_class: None for the experiment's own, too.
    """

    experiment: str
    rule: str
    seed: int = 0
    epochs: int | None = None
    tasks: int | None = None
    learning_rate: float | None = None
    per_class: int | None = None

    __repr__ = short_repr

    @property
    def words(self) -> str:
        """In words, for a line of progress."""
        given = {"epochs": self.epochs, "tasks": self.tasks, "learning rate": self.learning_rate}
        given["per class"] = self.per_class
        said = [f"{name} {value:g}" for name, value in given.items() if value is not None]
        return ", ".join([self.experiment, f"rule {self.rule}", f"seed {self.seed}", *said])


def check_cell(cell: Cell) -> Cell:
    """The cell with its number of epochs; ValueError for an experiment, rule or task that there is not."""
    chosen = experiment(cell.experiment)
    rule_of(chosen, cell.rule)
    epochs = chosen.epochs if cell.epochs is None else cell.epochs
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    if cell.tasks is not None and not 1 <= cell.tasks <= (chosen.tasks or 0):
        has = "is one task" if chosen.tasks is None else f"has 1 to {chosen.tasks} tasks"
        raise ValueError(f"{cell.experiment} {has}, got tasks = {cell.tasks}")
    return cell._replace(epochs=epochs)


def settings_hash(cell: Cell) -> str:
    """Eight digits that depend on the settings alone: cells of several seeds share them.

    >>> settings_hash(Cell("sound", "stllr", 0)) == settings_hash(Cell("sound", "stllr", 1))
    True
    """
    settings = cell._replace(seed=0)._asdict()
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def cell_path(folder: Path, cell: Cell) -> Path:
    """Where the file of a cell lies."""
    rule = cell.rule.replace(":", ".")
    return folder / cell.experiment / f"{rule}-{cell.seed}-{settings_hash(cell)}.json"


def run_cell(
    cell: Cell, device: str | None = None, threads: int = 1, tell: Tell | None = None, keep: Path | None = None
) -> dict[str, Any]:
    """Train a cell and return what its file holds; `tell` gets each point of the curve.

    keep: a folder of cells in which the run leaves its checkpoint, see `halfway_of`; one that was killed goes on there.
    """
    torch.set_num_threads(threads)
    cell = check_cell(cell)
    chosen = experiment(cell.experiment)
    setting = prepare(_varied(chosen, cell), cell.rule, cell.seed, cell.tasks)
    setting = setting if device is None else on_device(setting, device)
    _warm_up(setting)
    before, plan = _untrained(setting), Plan(cell.epochs or 1, cell.seed)
    halfway, curve, last = None if keep is None else halfway_of(cell, keep, device), [], None
    if halfway is not None:
        curve = halfway.curve
    for record in train(setting, plan) if halfway is None else halfway.records(setting, plan):
        if record.held_out_score is not None:
            last, point = record, _point(record, len(curve) + 1)
            if halfway is None:
                curve.append(point)
            else:
                halfway.add(point, record.step)
            if tell is not None:
                tell(cell, point)
    assert last is not None
    return finished(cell, chosen, setting, curve, last, before) | {"made": made_by(device)}


def halfway_of(cell: Cell, folder: Path, device: str | None = None) -> Halfway:
    """What is kept of an unfinished cell in a folder of cells: of this run on this machine with these versions."""
    made = made_by(device)
    label = ", ".join([cell.words, *(f"{name} {made[name]}" for name in ("processor", "device", "workbench", "torch"))])
    return Halfway(cell_path(folder, cell), label)


def finished(
    cell: Cell, chosen: Experiment, setting: Any, curve: list[dict[str, Any]], last: Any, before: list[float] | None
) -> dict[str, Any]:
    """What the file of a cell holds, but for what made it."""
    totals = last.totals(chosen.score)
    found = {
        "format": FORMAT,
        "cell": cell._asdict(),
        "settings": settings_hash(cell),
        "score": {"name": chosen.score.name, "value": totals[chosen.score.name]},
        "totals": totals,
        "curve": curve,
    }
    if before is not None:
        found |= {"matrix": [[round(float(a), 4) for a in row] for row in last.rows], "untrained": before}
    return found | {"macs": counted_macs(setting)}


def _varied(chosen: Experiment, cell: Cell) -> Experiment:
    if cell.learning_rate is None and cell.per_class is None:
        return chosen
    return vary(chosen, cell.learning_rate, cell.per_class)


def _point(record: Any, number: int) -> dict[str, Any]:
    return {
        "epoch": number,
        "score": round(record.held_out_score, 4),
        "loss": round(record.held_out_loss, 4),
        "seconds": round(record.seconds, 2),
    }


def _warm_up(setting: Any) -> None:
    network = setting.method.network if isinstance(setting, StreamSetting) else setting.network
    spiking = any(isinstance(module, SpikingLayer) for module in network.modules())
    if spiking and sum(weight.numel() for weight in network.parameters()) > LARGE:
        _compile_once()


@functools.cache
def _compile_once() -> None:
    compile_all()


def _untrained(setting: Any) -> list[float] | None:
    """Accuracies on all tasks before any learning, of a stream."""
    if not isinstance(setting, StreamSetting):
        return None
    tests = [(task.test_x, task.test_y) for task in setting.stream]
    return [round(float(a), 4) for a in accuracies(setting.method.network, tests)]


def counted_macs(setting: Any) -> int:
    """MACs per sample of one update, all products that were executed; fills `.grad`."""
    if isinstance(setting, StreamSetting):
        task, last = setting.stream[-1], len(setting.stream) - 1
        x, y = task.train_x[:COUNTED], task.train_y[:COUNTED]
        rule, network = (lambda _, x, y: setting.method.gradients(x, y, last)), setting.method.network
    else:
        x, y, *_ = setting.data.train.batch(torch.arange(min(COUNTED, len(setting.data.train.labels))))
        rule, network = setting.rule, setting.network
    return measure(rule, network, x, y).per_sample(len(y)).macs


def write_cell(folder: Path, found: dict[str, Any]) -> Path:
    """Write the file of a cell, whole or not at all; its place.

    Raises OSError, with what to do, where it cannot be written.
    """
    path = cell_path(folder, Cell(**found["cell"]))
    try_to_write(path)
    with written_unlocked(path) as part:
        part.write_text(written(found), encoding="utf-8")
    return path


def written(found: dict[str, Any]) -> str:
    """The text of a cell's file: a line for each entry, and for each point of the curve and row of A."""
    lines = []
    for key, value in found.items():
        rows = value if key in ("curve", "matrix") and value else None
        inner = ",\n  ".join(json.dumps(row) for row in rows) if rows else None
        lines.append(f"{json.dumps(key)}: " + (json.dumps(value) if inner is None else f"[\n  {inner}\n ]"))
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def read_cell(path: Path) -> dict[str, Any]:
    """What a file of a cell holds; ValueError, with its path, for anything else."""
    try:
        found = json.loads(path.read_text("utf-8"))
        if found["format"] != FORMAT or settings_hash(Cell(**found["cell"])) != found["settings"]:
            raise KeyError("format")
        _ = found["score"]["value"], found["curve"], found["made"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no whole result of a sweep ({type(error).__name__}: {error}); delete it, and sweep again"
        ) from None
    return found


def read_cells(folder: Path) -> Iterator[dict[str, Any]]:
    """All cells below a folder, in the order of their names."""
    for path in sorted(folder.rglob("*.json")):
        if not path.name.startswith("."):
            yield read_cell(path)


def numbers(found: dict[str, Any]) -> dict[str, Any]:
    """What a cell says without the times and without the machine: equal for two runs on one machine."""
    kept = {key: value for key, value in found.items() if key != "made"}
    kept["totals"] = {key: value for key, value in found["totals"].items() if key not in TIMES}
    kept["curve"] = [{key: value for key, value in point.items() if key not in TIMES} for point in found["curve"]]
    return kept
