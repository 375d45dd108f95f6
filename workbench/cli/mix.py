"""`workbench mix`: which answers can be combined, and why others cannot."""

import argparse
import json
from typing import Any

from workbench.cli.parser import add_command, add_json

KINDS = ("dense", "recurrent", "convolutional", "blocks")  # of networks, as `workbench.mixes.KINDS`


def add(commands: Any) -> None:
    """Its options."""
    text = "say which mixes of the four answers train, and why others do not"
    examples = ("traces+tess+lance+code-cl", "my_rule:RULE+gpm", "--list", "--list --network blocks --json", "--table")
    parser = add_command(commands, "mix", mix, text, examples)
    form = "time+space+memory+direction, those left out at the end as usual; or a published rule, or module:NAME"
    parser.add_argument("mix", nargs="?", metavar="MIX", help=form)
    parser.add_argument("--list", action="store_true", help="every cell")
    parser.add_argument("--table", action="store_true", help="the page docs/mixes.md: all cells counted, as Markdown")
    parser.add_argument("--network", choices=KINDS, help="only on networks of this kind")
    add_json(parser)


def mix(arguments: argparse.Namespace) -> int:
    """A mix on each kind of network, or the table of all; wrong usage where neither was asked for."""
    from workbench.mixes import AXES, Cell, cells, mix_named, refusal, tally

    if arguments.mix is None and not arguments.list and not arguments.table:
        arguments.parser.error("name a mix, as traces+tess+lance+gpm, or ask for --list or --table")
    kinds = KINDS if arguments.network is None else (arguments.network,)
    if arguments.table:
        from workbench.mixes import table_of_mixes

        print(table_of_mixes(kinds), end="")
        return 0
    if arguments.mix is not None:
        chosen = mix_named(arguments.mix)
        found = [Cell(chosen, kind, refusal(chosen, kind)) for kind in kinds]
        title = [f"{chosen}: {chosen.label}"]
    else:
        found, counted = list(cells(kinds)), tally(kinds)
        title = [f"{name:10} {', '.join(answer.name for answer in answers)}" for name, answers in AXES]
        title.append(f"{counted.legal} of {counted.cells} cells train; {counted.named} of them are published rules")
    if arguments.json:
        print(json.dumps({"cells": [cell.as_words() for cell in found]}))
        return 0
    print("\n".join(title))
    if arguments.mix is not None:
        for cell in found:
            print(f"{cell.network:14} {'trains' if cell.reason is None else cell.reason}")
        return 0
    for reason, words in refused(found).items():
        print(f"\n{len(words)} refused, as {words[0]}:\n    {reason}")
    return 0


def refused(found: Any) -> dict[str, list[str]]:
    """The cells that do not train, by the reason."""
    by_reason: dict[str, list[str]] = {}
    for cell in found:
        if cell.reason is not None:
            by_reason.setdefault(cell.reason, []).append(f"{cell.mix} on {cell.network}")
    return by_reason
