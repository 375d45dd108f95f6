"""`workbench sweep`: one experiment under several rules and seeds, and what comes out on the mean; or all that a file
asks for, each cell in a small file of its own."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.cli.completion import completed
from workbench.cli.parser import LARGEST_SEED, add_command, add_json, whole
from workbench.cli.train import RUNS, add_experiment, checkpoint_path, fitting_rules, follow

SPECS = (".toml", ".json")  # how files that say what to sweep end


def add(commands: Any) -> None:
    """Its options."""
    text = "train an experiment under several rules and seeds, and compare"
    examples = (
        "sound --rules stllr bptt --seeds 0 1 2",
        "split-fashion --rules code-cl gpm --epochs 1 --resume --json",
        "results/specs/events.toml --processes 4",
        "results/specs/lls.toml --device cuda --folder results/cells",
        "results/specs/streams.toml --scheduler tcp://10.0.0.1:8786",
    )
    parser = add_command(commands, "sweep", sweep, text, examples)
    add_experiment(parser)
    rules = parser.add_argument("--rules", nargs="+", metavar="RULE", help="learning rules (default: all that it has)")
    completed(rules, fitting_rules)
    seed = whole("a seed", 0, LARGEST_SEED)
    parser.add_argument("--seeds", nargs="+", type=seed, metavar="SEED", help="seeds (default 0)")
    parser.add_argument("--folder", type=Path, help="where checkpoints lie (default: runs), or cells (runs/cells)")
    parser.add_argument("--resume", action="store_true", help="go on with runs that were begun, and skip finished ones")
    group = parser.add_argument_group(
        "only for a file (.toml or .json) in the place of EXPERIMENT; cells that exist stay"
    )
    number = whole("processes", 1)
    group.add_argument("--processes", type=number, metavar="N", help="train in so many processes (default: this one)")
    group.add_argument(
        "--scheduler", metavar="ADDRESS", help="train on a Dask scheduler; 'local' starts one here, with --processes"
    )
    group.add_argument("--device", help="such as cuda, for networks of blocks (default: the processor)")
    add_json(parser)


def sweep(arguments: argparse.Namespace) -> int | None:
    """Train what a file asks for, or one experiment under several rules and seeds."""
    if Path(arguments.experiment).suffix in SPECS:
        return sweep_file(arguments)
    for option in ("processes", "scheduler", "device"):
        if getattr(arguments, option) is not None:
            raise ValueError(
                f"--{option} is for a file of cells; name one that ends with .toml or .json, or leave it out"
            )
    return sweep_experiment(arguments)


def sweep_file(arguments: argparse.Namespace) -> int:
    """Train the cells of a file that are not there yet, with a line for each; 1 where one failed."""
    from workbench.sweeps.engine import sweep as sweep_cells
    from workbench.sweeps.spec import read_spec
    from workbench.sweeps.table import compared, rows_of

    for option, given in (
        ("rules", arguments.rules),
        ("seeds", arguments.seeds),
        ("epochs", arguments.epochs),
        ("resume", arguments.resume),
    ):
        if given:
            raise ValueError(
                f"--{option} is no option for a file; write it into {arguments.experiment}, or leave it out"
            )
    sys.path.append(str(Path.cwd()))  # where one's own module lies
    cells = read_spec(Path(arguments.experiment))
    folder = arguments.folder or RUNS / "cells"

    def tell(done: Any, number: int, of: int) -> None:
        found = done.found
        said = f"{found['score']['name']} {found['score']['value']:.4f}" if found else f"failed: {done.error}"
        print(f"{number}/{of} {done.cell.words}: {said}", file=sys.stderr, flush=True)

    engine = chosen_engine(arguments.processes, arguments.scheduler)
    here = arguments.scheduler is None  # workers may be on other machines
    found = sweep_cells(cells, folder, engine, arguments.device, arguments.threads, tell, halfway=here)
    failed = [done for done in found if done.found is None]
    rows = rows_of([done.found for done in found if done.found is not None])
    if arguments.json:
        wrong = [{"cell": done.cell._asdict(), "error": done.error} for done in failed]
        print(
            json.dumps(
                {"cells": len(cells), "folder": str(folder), "rows": [r._asdict() for r in rows], "failed": wrong}
            )
        )
    else:
        print(compared(rows))
    return 1 if failed else 0


def chosen_engine(processes: int | None, scheduler: str | None) -> Any:
    """Who trains, see `workbench.sweeps.engine`."""
    from workbench.sweeps import engine

    if scheduler is None:
        return engine.serial if processes in (None, 1) else engine.processes(processes)
    from workbench.sweeps.cluster import on_cluster

    if scheduler == "local":
        return on_cluster(workers=processes)
    if processes is not None:
        raise ValueError("--processes is for this machine; a scheduler has the workers that were started for it")
    return on_cluster(scheduler)


def sweep_experiment(arguments: argparse.Namespace) -> None:
    """Train one run after the other and print a line for each rule; with --json all runs too."""
    import torch

    from workbench.experiments.experiment import rule_of, start
    from workbench.experiments.named import experiment

    torch.set_num_threads(arguments.threads)
    chosen = experiment(arguments.experiment)
    sys.path.append(str(Path.cwd()))  # where one's own module lies
    rules, epochs = arguments.rules or list(chosen.rules), arguments.epochs or chosen.epochs
    for rule in rules:
        rule_of(chosen, rule)
    pairs = [(rule, seed) for rule in dict.fromkeys(rules) for seed in dict.fromkeys(arguments.seeds or [0])]
    runs = []
    for number, (rule, seed) in enumerate(pairs, 1):
        print(f"{number}/{len(pairs)} {chosen.name}, rule {rule}, seed {seed}", file=sys.stderr)
        path = checkpoint_path(arguments.folder or RUNS, chosen.name, rule, seed)
        records = start(chosen, rule, seed, epochs, path, arguments.resume and path.is_file())
        found = follow(records, epochs, chosen.score)
        runs.append({"rule": rule, "seed": seed} | found | {"checkpoint": str(path)})
    name = chosen.score.name
    means = {rule: summary([run[name] for run in runs if run["rule"] == rule]) for rule in dict.fromkeys(rules)}
    if arguments.json:
        result = {"experiment": chosen.name, "epochs": epochs, "score": name, "rules": means, "runs": runs}
        print(json.dumps(result))
        return
    print(f"{'rule':24} {name}: mean, standard deviation, runs")
    for rule, found in means.items():
        spread = "-" if found["deviation"] is None else f"{found['deviation']:.4f}"
        print(f"{rule:24} {found['mean']:.4f} {spread:>8} {found['runs']:3d}")


def summary(scores: Sequence[float]) -> dict[str, Any]:
    """Mean and standard deviation (of n − 1; None for one run) of the runs of a rule.

    >>> summary([0.5, 0.7])
    {'mean': 0.6, 'deviation': 0.1414, 'runs': 2}
    """
    from workbench.sweeps.statistics import summary as summarised

    mean, deviation, runs = summarised(scores)
    return {"mean": round(mean, 4), "deviation": None if deviation is None else round(deviation, 4), "runs": runs}
