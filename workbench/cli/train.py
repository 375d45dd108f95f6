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

    from workbench.experiments.experiment import start
    from workbench.experiments.named import experiment

    if arguments.threads < 1:
        raise ValueError(f"threads must be at least 1, got {arguments.threads}")
    torch.set_num_threads(arguments.threads)
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


def follow(records: Iterator[Any], epochs: int, score: Any) -> dict[str, Any]:
    """Drain a training run behind a progress bar; return its closing numbers, the score under its name."""
    last, best = None, None
    with tqdm(records, unit="step", file=sys.stderr) as bar:
        for last in bar:
            bar.total = last.steps
            bar.n = last.step
            best = last if last.held_out_score is not None else best
            held_out = f", held out {score.words(best.held_out_score)}" if best else ""
            bar.set_postfix_str(f"{last.where(epochs)}, loss {last.loss:.3f}{held_out}", refresh=False)
    if last is None or best is None:
        raise ValueError("this run was finished before; start again without --resume, or with more epochs")
    return best.totals(score)
