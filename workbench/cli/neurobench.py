"""`workbench neurobench`: the metrics of NeuroBench for a trained network, and what its updates cost."""

import argparse
import sys
from pathlib import Path
from typing import Any

from workbench.cli.completion import completed
from workbench.cli.parser import LARGEST_SEED, add_command, add_json, whole
from workbench.cli.train import add_experiment, fitting_rules, follow, show

SAMPLES, BATCH = 200, 16  # that inference is counted in, and an update


def add(commands: Any) -> None:
    """Its options."""
    text = "train, then count as NeuroBench does: footprint, sparsity, synaptic operations; and what an update costs"
    examples = ("fashion-events --rule stllr", "lls-fashion --rule lls --json", "sound --rule stllr --epochs 1")
    parser = add_command(commands, "neurobench", neurobench, text, examples)
    add_experiment(parser)
    rule = parser.add_argument("--rule", help="learning rule (default: the experiment's first)")
    completed(rule, fitting_rules)
    parser.add_argument("--seed", type=whole("a seed", 0, LARGEST_SEED), default=0, help="default 0")
    samples = whole("samples", 1)
    parser.add_argument(
        "--samples", type=samples, default=SAMPLES, metavar="N", help=f"unseen samples to count in (default {SAMPLES})"
    )
    add_json(parser)


def neurobench(arguments: argparse.Namespace) -> None:
    """Train, count, print."""
    import torch

    from workbench.cost.neurobench import inference, update_cost
    from workbench.experiments.experiment import prepare
    from workbench.experiments.named import experiment
    from workbench.rules import rule_of_form
    from workbench.sweeps.machine import made_by
    from workbench.training.loop import train
    from workbench.training.setting import Plan

    torch.set_num_threads(arguments.threads)
    chosen = experiment(arguments.experiment)
    sys.path.append(str(Path.cwd()))  # where one's own module lies
    name = arguments.rule or next(iter(chosen.rules))
    if chosen.tasks is not None:
        raise ValueError(f"{chosen.name} is a stream of tasks; NeuroBench's metrics are taken of one task")
    epochs = chosen.epochs if arguments.epochs is None else arguments.epochs
    setting = prepare(chosen, name, arguments.seed)
    totals = follow(train(setting, Plan(epochs, arguments.seed)), epochs, chosen.score)
    test, learned = setting.data.test, setting.data.train
    x, _, *lengths = test.batch(torch.arange(min(arguments.samples, len(test.labels))))
    found = inference(setting.network, x, *lengths)
    x, y, *_ = learned.batch(torch.arange(min(BATCH, len(learned.labels))))
    cost = update_cost(setting.rule, setting.network, x, y, setting.logits)
    result = {"experiment": chosen.name, "rule": name, "seed": arguments.seed, "epochs": epochs}
    result |= {chosen.score.name: totals[chosen.score.name]}
    rows = found._asdict() | cost._asdict() | claimed(rule_of_form(name))
    show(result | rows | {"made_by": made_by()["processor"]}, arguments.json)


def claimed(rule: Any) -> dict[str, Any]:
    """What the paper of a rule claims of an update's locality; nothing for a rule that claims nothing."""
    claim = None if rule is None else rule.claim
    if claim is None:
        return {"claimed_local_in": None}
    held = [name for name, value in claim.local._asdict().items() if value]
    return {"claimed_local_in": ", ".join(held) or "nothing", "claim": claim.place}
