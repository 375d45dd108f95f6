"""`workbench train`: a run behind a progress bar, and its closing numbers."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm


def train(arguments: argparse.Namespace) -> None:
    """Train, show progress on standard error, print the result."""
    import torch

    from workbench.experiments.named import EXPERIMENTS, experiment, start
    from workbench.experiments.streams import STREAMS

    if arguments.threads < 1:
        raise ValueError(f"threads must be at least 1, got {arguments.threads}")
    torch.set_num_threads(arguments.threads)
    if arguments.experiment in STREAMS:
        return show(train_stream(STREAMS[arguments.experiment], arguments), arguments.json)
    if arguments.experiment not in EXPERIMENTS:
        known = ", ".join([*EXPERIMENTS, *STREAMS])
        raise ValueError(f"there is no experiment '{arguments.experiment}'; there are {known}")
    chosen = experiment(arguments.experiment)
    rule = arguments.rule or next(iter(chosen.rules))
    epochs = chosen.epochs if arguments.epochs is None else arguments.epochs
    path = arguments.checkpoint or Path("runs") / f"{chosen.name}-{rule}-{arguments.seed}.safetensors"
    records = start(chosen, rule, arguments.seed, epochs, path, arguments.resume)
    result = {"experiment": chosen.name, "rule": rule, "seed": arguments.seed, "epochs": epochs}
    show(result | follow(records, epochs, chosen.score) | {"checkpoint": str(path)}, arguments.json)


def show(result: dict[str, Any], as_json: bool) -> None:
    """The closing numbers of a run, one a line or as one JSON object."""
    print(json.dumps(result) if as_json else "\n".join(f"{key:18} {value}" for key, value in result.items()))


def train_stream(chosen: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Learn a stream of tasks behind a progress bar; return its closing numbers."""
    from workbench.experiments.streams import start_stream, totals

    if arguments.resume or arguments.checkpoint:
        raise ValueError(
            f"{chosen.name} keeps no checkpoints, because methods carry memories from task to task; "
            "run it without --resume and --checkpoint, it takes a minute"
        )
    rule = arguments.rule or next(iter(chosen.rules))
    epochs = chosen.epochs if arguments.epochs is None else arguments.epochs
    records = []
    with tqdm(start_stream(chosen, rule, arguments.seed, epochs), unit="step", file=sys.stderr) as bar:
        for record in bar:
            records.append(record)
            place = f"task {record.task + 1}/{chosen.tasks}, epoch {record.epoch + 1}/{epochs}"
            bar.set_postfix_str(f"{place}, loss {record.loss:.3f}", refresh=False)
    result = {"experiment": chosen.name, "rule": rule, "seed": arguments.seed, "epochs": epochs}
    return result | totals(records)


def follow(records: Iterator[Any], epochs: int, score: Any) -> dict[str, Any]:
    """Drain a training run behind a progress bar; return its closing numbers, the score under its name."""
    last, best = None, None
    with tqdm(records, unit="step", file=sys.stderr) as bar:
        for last in bar:
            bar.total = last.steps
            bar.n = last.step
            best = last if last.held_out_score is not None else best
            held_out = f", held out {score.words(best.held_out_score)}" if best else ""
            bar.set_postfix_str(f"epoch {last.epoch + 1}/{epochs}, loss {last.loss:.3f}{held_out}", refresh=False)
    if last is None or best is None:
        raise ValueError("this run was finished before; start again without --resume, or with more epochs")
    return {
        score.name: round(best.held_out_score, 4),
        "loss": round(best.held_out_loss, 4),
        "seconds": round(last.seconds, 2),
        "samples_per_second": round(last.samples_per_second, 1),
        "peak_state_bytes": last.state_bytes,
        "saved_bytes": last.saved_bytes,
        "loops": last.loops,
    }
