"""`workbench bench`: benchmarks against peers, from a source checkout."""

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from workbench.cli.benchmarks import BENCH, all_benchmarks
from workbench.cli.completion import completed
from workbench.cli.parser import add_command, add_json, whole
from workbench.names import unknown

KEPT = BENCH.parent / "results" / "bench"
OF_A_CLASS = {  # options of `bench class`: the least, and what it means
    "sessions": (1, "visitors at the same time (default 30)"),
    "dragging": (1, "how many of them drag a slider (default 10)"),
    "training": (0, "how many of them train (default 5)"),
    "within": (0, "seconds within which all have come (default 60)"),
    "turns": (0, "visitors who come and go after that, 20 at a time (default 0)"),
    "attacking": (0, "strangers who attack the server while others drag and train (default 0)"),
}


def add(commands: Any) -> None:
    """Its options."""
    text = "run benchmarks (from a source checkout); most take some seconds to a minute each"
    examples = ("dense", "dense recurrent --json", "peers --keep", "class --sessions 30 --turns 300", "")
    parser = add_command(commands, "bench", bench, text, examples)
    text = "benchmarks to run, `peers` for all of `peers-…`; all when none is given"
    names = parser.add_argument("names", nargs="*", metavar="NAME", help=text)
    completed(names, lambda typed: all_benchmarks())
    group = parser.add_argument_group("only for `class`")
    for name, (least, text) in OF_A_CLASS.items():
        group.add_argument(f"--{name}", type=whole(name, least), metavar="N", help=text)
    text = "keep the runs in results/bench, with the processor that made them, for README's table"
    parser.add_argument("--keep", action="store_true", help=text)
    add_json(parser)


def bench(arguments: argparse.Namespace) -> None:
    """Run benchmarks and print one line each; with --json the last line holds all results."""
    known = all_benchmarks()
    names = [name for asked in arguments.names for name in called(asked, known)] or list(known)
    settings = {name: value for name in OF_A_CLASS if (value := getattr(arguments, name)) is not None}
    for name in names:
        check(name, known[name], settings)
    results = []
    for number, name in enumerate(names, 1):
        print(f"{number}/{len(names)} {name} ...", file=sys.stderr, flush=True)
        results.append(known[name](**settings))
        if arguments.keep:
            kept(KEPT, results[-1])
        if not arguments.json:
            print("  ".join(f"{key}={short(value)}" for key, value in results[-1].items()), flush=True)
    if arguments.json:
        print(json.dumps(results[0] if len(results) == 1 else {"results": results}))


def kept(folder: Path, report: Mapping[str, Any]) -> None:
    """Keep a run, or say why not."""
    from workbench.sweeps.benchmarks import keep

    if report["ratio"] is None:
        print(f"  not kept: {report['name']} gave no ratio", file=sys.stderr)
    else:
        print(f"  kept in {keep(folder, report)}", file=sys.stderr)


def check(name: str, benchmark: Callable[..., Any], settings: Mapping[str, int]) -> None:
    """Refuse settings that a benchmark does not take."""
    taken = inspect.signature(benchmark).parameters
    for setting in settings:
        if setting not in taken:
            raise ValueError(f"--{setting} is an option of `workbench bench class` and not of {name}; leave it out")


def called(asked: str, known: Iterable[str]) -> list[str]:
    """The benchmark of that name, or all whose names go on after it; ValueError where there is none.

    >>> called("dense", ["dense", "dense-last10"]), called("peers", ["dense", "peers-bptt", "peers-ottt"])
    (['dense'], ['peers-bptt', 'peers-ottt'])
    """
    found = [asked] if asked in known else [name for name in known if name.startswith(f"{asked}-")]
    if not found:
        raise unknown("there is no benchmark", asked, known)
    return found


def short(value: Any) -> str:
    """Numbers with four significant digits, the rest as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
