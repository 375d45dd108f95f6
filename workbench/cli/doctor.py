"""`workbench doctor`: what is missing in this installation."""

import argparse
import json
from typing import Any

from workbench.cli.parser import add_command, add_json


def add(commands: Any) -> None:
    """Its options."""
    text = "say what is missing in this installation, and what to do about it"
    add_json(add_command(commands, "doctor", doctor, text, ("", "--json")))


def doctor(arguments: argparse.Namespace) -> int:
    """Print what was looked at; return 1 when something is missing."""
    from workbench.doctor import examine, report

    checks = examine()
    good = all(check.good for check in checks)
    print(
        json.dumps({"good": good, "checks": [each._asdict() for each in checks]}) if arguments.json else report(checks)
    )
    return 0 if good else 1
