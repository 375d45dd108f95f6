"""`workbench train`: a run behind a progress bar, and its closing numbers."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tqdm import tqdm

from workbench.cli.completion import completed, experiment_names
from workbench.cli.parser import LARGEST_SEED, Parser, add_command, add_json, whole

RUNS = Path("runs")


def add(commands: Any) -> None:
    """Its options."""
    examples = (
        "fashion-events --rule stllr --json",
        "fashion-events --rule stllr --resume --epochs 5",
        "permuted-fashion --rule code-cl",
    )
    parser = add_command(commands, "train", train, "train an experiment", examples)
    add_experiment(parser)
    own = "learning rule (default: the experiment's first); module:NAME for a LearningRule of your own"
    rule = parser.add_argument("--rule", help=own)
    completed(rule, fitting_rules)
    seed = whole("a seed", 0, LARGEST_SEED)
    parser.add_argument("--seed", type=seed, default=0, help="fixes weights and order of samples (default 0)")
    tasks = whole("tasks", 1)
    parser.add_argument("--tasks", type=tasks, metavar="N", help="of a stream, only the first N tasks (default: all)")
    add_json(parser)
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="default: runs/EXPERIMENT-RULE-SEED.safetensors"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint, also with more epochs than were planned"
    )


def add_experiment(parser: Parser) -> None:
    """What is trained, how long, and on how many threads."""
    experiment = parser.add_argument("experiment", metavar="EXPERIMENT", help="a name of `workbench list`")
    completed(experiment, experiment_names)
    epochs = whole("epochs", 1)
    parser.add_argument("--epochs", type=epochs, help="passes over the training data (default: the experiment's)")
    threads = whole("threads", 1)
    parser.add_argument("--threads", type=threads, default=1, help="threads of PyTorch (default 1, for same numbers)")


def checkpoint_path(folder: Path, experiment: str, rule: str, seed: int) -> Path:
    """Where the checkpoint of a run lies when nobody names a file."""
    return folder / f"{experiment}-{rule.replace(':', '.')}-{seed}.safetensors"


def fitting_rules(typed: argparse.Namespace) -> list[str]:
    """The rules of the experiment that was typed."""
    from workbench.experiments.named import EXPERIMENTS

    chosen = EXPERIMENTS.get(typed.experiment)
    return [] if chosen is None else list(chosen.rules)


def train(arguments: argparse.Namespace) -> None:
    """Train, show progress on standard error, print the result."""
    import torch

    from workbench.experiments.experiment import rule_of, start
    from workbench.experiments.named import experiment

    torch.set_num_threads(arguments.threads)
    chosen = experiment(arguments.experiment)
    sys.path.append(str(Path.cwd()))  # where one's own module lies
    rule = arguments.rule or next(iter(chosen.rules))
    epochs = chosen.epochs if arguments.epochs is None else arguments.epochs
    path = arguments.checkpoint or checkpoint_path(RUNS, chosen.name, rule, arguments.seed)
    rule_of(chosen, rule)
    print(f"preparing {chosen.name} for {rule}", file=sys.stderr)
    records = start(chosen, rule, arguments.seed, epochs, path, arguments.resume, tasks=arguments.tasks)
    result = {"experiment": chosen.name, "rule": rule, "seed": arguments.seed, "epochs": epochs}
    show(result | follow(records, epochs, chosen.score) | {"checkpoint": str(path)}, arguments.json)


def show(result: dict[str, Any], as_json: bool) -> None:
    """The closing numbers of a run, one a line or as one JSON object."""
    print(json.dumps(result) if as_json else "\n".join(f"{key:18} {value}" for key, value in result.items()))


def follow(records: Iterator[Any], epochs: int, score: Any) -> dict[str, Any]:
    """Drain a training run behind a progress bar; return its closing numbers, the score under its name."""
    best = None
    with ExitStack() as shown:
        bar = None
        for record in records:
            if bar is None:  # a run that goes on has steps behind it
                bar = shown.enter_context(tqdm(total=record.steps, initial=record.step, unit="step", file=sys.stderr))
            best = record if record.held_out_score is not None else best
            held_out = f", held out {score.words(best.held_out_score)}" if best else ""
            bar.set_postfix_str(f"{record.where(epochs)}, loss {record.loss:.3f}{held_out}", refresh=False)
            bar.update(record.step + 1 - bar.n)
    if best is None:
        raise ValueError("this run gave no result; start it again without --resume")
    return best.totals(score)
