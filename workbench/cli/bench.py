"""`workbench bench`: benchmarks against peers, from a source checkout."""

import argparse
import json
import sys
from typing import Any

from workbench.cli.benchmarks import all_benchmarks
from workbench.cli.completion import completed
from workbench.cli.parser import add_command, add_json
from workbench.names import unknown


def add(commands: Any) -> None:
    """Its options."""
    text = "run benchmarks (from a source checkout); most take some seconds to a minute each"
    parser = add_command(commands, "bench", bench, text, ("dense", "dense recurrent --json", ""))
    names = parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run; all when none is given")
    completed(names, lambda typed: all_benchmarks())
    add_json(parser)


def bench(arguments: argparse.Namespace) -> None:
    """Run benchmarks and print one line each; with --json the last line holds all results."""
    known = all_benchmarks()
    for name in arguments.names:
        if name not in known:
            raise unknown("there is no benchmark", name, known)
    results = []
    names = arguments.names or list(known)
    for number, name in enumerate(names, 1):
        print(f"{number}/{len(names)} {name} ...", file=sys.stderr, flush=True)
        results.append(known[name]())
        if not arguments.json:
            print("  ".join(f"{key}={short(value)}" for key, value in results[-1].items()), flush=True)
    if arguments.json:
        print(json.dumps(results[0] if len(results) == 1 else {"results": results}))


def short(value: Any) -> str:
    """Numbers with four significant digits, the rest as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
