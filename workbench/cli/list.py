"""`workbench list`: the experiments and their rules."""

import argparse
import json
from typing import Any

from workbench.cli.parser import add_command, add_json


def add(commands: Any) -> None:
    """Its options."""
    add_json(add_command(commands, "list", list_experiments, "list the experiments and their rules", ("", "--json")))


def list_experiments(arguments: argparse.Namespace) -> None:
    """One experiment a line, with its rules."""
    from workbench.experiments.named import EXPERIMENTS

    if arguments.json:
        print(json.dumps({"experiments": [described(item) for item in EXPERIMENTS.values()]}))
        return
    for item in EXPERIMENTS.values():
        print(f"{item.name:24} {item.summary}\n{'':24} rules: {', '.join(item.rules)}; {item.length}")


def described(item: Any) -> dict[str, Any]:
    """An experiment as JSON can hold it; `tasks` is null where there is one."""
    found = {"name": item.name, "summary": item.summary, "rules": list(item.rules)}
    return found | {"epochs": item.epochs, "tasks": item.tasks}
