"""`workbench sweep`: one experiment under several rules and seeds, and what comes out on the mean."""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.cli.completion import completed
from workbench.cli.parser import LARGEST_SEED, add_command, add_json, whole
from workbench.cli.train import RUNS, add_experiment, checkpoint_path, fitting_rules, follow


def add(commands: Any) -> None:
    """Its options."""
    text = "train an experiment under several rules and seeds, and compare"
    examples = (
        "sound --rules stllr bptt --seeds 0 1 2",
        "split-fashion --rules code-cl gpm --epochs 1 --resume --json",
    )
    parser = add_command(commands, "sweep", sweep, text, examples)
    add_experiment(parser)
    rules = parser.add_argument("--rules", nargs="+", metavar="RULE", help="learning rules (default: all that it has)")
    completed(rules, fitting_rules)
    seed = whole("a seed", 0, LARGEST_SEED)
    parser.add_argument("--seeds", nargs="+", type=seed, default=[0], metavar="SEED", help="seeds (default 0)")
    parser.add_argument("--folder", type=Path, default=RUNS, help="where checkpoints lie (default: runs)")
    parser.add_argument("--resume", action="store_true", help="go on with runs that were begun, and skip finished ones")
    add_json(parser)


def sweep(arguments: argparse.Namespace) -> None:
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
    pairs = [(rule, seed) for rule in dict.fromkeys(rules) for seed in dict.fromkeys(arguments.seeds)]
    runs = []
    for number, (rule, seed) in enumerate(pairs, 1):
        print(f"{number}/{len(pairs)} {chosen.name}, rule {rule}, seed {seed}", file=sys.stderr)
        path = checkpoint_path(arguments.folder, chosen.name, rule, seed)
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
    deviation = round(statistics.stdev(scores), 4) if len(scores) > 1 else None
    return {"mean": round(statistics.fmean(scores), 4), "deviation": deviation, "runs": len(scores)}
