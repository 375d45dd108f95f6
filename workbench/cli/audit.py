"""`workbench audit`: is a rule local? Measured, and held against what its paper claims."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from workbench.cli.completion import completed, rule_names
from workbench.cli.parser import add_command, add_json

RULES_TO_AUDIT = (
    "rules to audit, all when none is given; module:NAME for a LearningRule of your own; a mix by its answers "
    "time+space+memory+direction, as traces+tess+lance+gpm"
)
SECONDS = 30  # that one rule takes, about
SECONDS_OF_A_MIX = 5


def add(commands: Any) -> None:
    """Its options."""
    text = "measure whether rules are local in space, time and memory"
    parser = add_command(commands, "audit", audit, text, ("stllr tess", "lls --json", "traces+dfa+lance+gpm", ""))
    names = parser.add_argument("names", nargs="*", metavar="RULE", help=RULES_TO_AUDIT)
    completed(names, rule_names)
    add_json(parser)


def audit(arguments: argparse.Namespace) -> None:
    """Audit rules and print the table; with --json the findings by rule, each with its paper's claim and the verdict.

    Of a rule whose paper claims nothing, `claim_holds` is null and `claim` says so. Below the table stands what each
    answer of a mix means for locality; with --json these are its `sentences`, with what a second task's step shows.
    """
    import torch

    from workbench.audit.audit import Finding, table
    from workbench.audit.by_name import audit_rule, claims
    from workbench.audit.mixes import MixFinding, audit_mix, sentences, spelled
    from workbench.mixes import mix_named
    from workbench.rules import RULES

    torch.set_num_threads(1)  # small products, which two make no faster, and a busy machine far slower
    names = arguments.names or [rule.name for rule in RULES]
    sys.path.append(str(Path.cwd()))  # where one's own module lies
    mixes = {name: mix_named(name) for name in names if "+" in name}
    said = claims([name for name in names if name not in mixes]) | dict.fromkeys(mixes)
    rules = f"{len(names)} rules take" if len(names) > 1 else "one rule takes"
    seconds = SECONDS * (len(names) - len(mixes)) + SECONDS_OF_A_MIX * len(mixes)
    print(f"{rules} about {told(seconds)}; Ctrl+C ends it", file=sys.stderr)
    findings: dict[str, Finding] = {}
    of_mixes: dict[str, MixFinding] = {}
    with tqdm(total=len(names), unit="rule", file=sys.stderr) as bar:
        for name in names:
            bar.set_description_str(name)
            if name in mixes:
                of_mixes[name] = audit_mix(name)
            findings[name] = of_mixes[name].rule if name in mixes else audit_rule(name)
            bar.update()
    if not arguments.json:
        print(table(findings, said))
        for name, found in of_mixes.items():
            print(f"{name}\n{spelled(sentences(mixes[name], found))}")
        return
    rows = {name: plain(found) | judged(found, said[name]) for name, found in findings.items()}
    for name, found in of_mixes.items():
        about = [held._asdict() for held in sentences(mixes[name], found)]
        rows[name] |= {"later_layers_of_step": found.later_layers_of_step, "sentences": about}
    print(json.dumps(rows))


def told(seconds: int) -> str:
    """A length of time for people.

    >>> told(30), told(480)
    ('30 seconds', '8 minutes')
    """
    return f"{seconds} seconds" if seconds < 90 else f"{round(seconds / 60)} minutes"


def judged(found: Any, claim: Any) -> dict[str, Any]:
    """What was claimed, where, and whether the finding bears it out."""
    from workbench.audit.audit import verdict

    if claim is None:
        return {"claim": "no claim", "claim_holds": None}
    said = {f"claims_{name}": value for name, value in claim.local._asdict().items()}
    return said | {"claim": claim.place, "claim_holds": verdict(found, claim)}


def plain(found: Any) -> dict[str, Any]:
    """A finding as JSON can hold it, with what it shows."""
    numbers = found._asdict() | {"measured": found.measured._asdict()}
    return numbers | {f"local_in_{name}": shown for name, shown in found.shown._asdict().items()}
