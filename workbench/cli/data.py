"""`workbench data`: which data sets there are, and how they get here."""

import argparse
import json
import sys
from typing import Any

from workbench.cli.completion import completed
from workbench.cli.parser import add_command, add_json


def add(commands: Any) -> None:
    """Its options."""
    examples = ("list", "fetch mnist", "verify fashion-mnist-small --json")
    parser = add_command(commands, "data", data, "list, fetch or verify data sets", examples)
    parser.add_argument("action", choices=["list", "fetch", "verify"], metavar="ACTION", help="list, fetch or verify")
    names = parser.add_argument("names", nargs="*", metavar="NAME", help="data sets to fetch or verify")
    completed(names, data_names)
    add_json(parser)


def data_names(typed: argparse.Namespace) -> list[str]:
    """The data sets there are."""
    from workbench.data.delivery.catalogue import catalogue

    return [item.name for item in catalogue()]


def data(arguments: argparse.Namespace) -> int:
    """List data sets, download them, or check their files; 1 where a file is missing or wrong."""
    if arguments.action != "list" and not arguments.names:
        arguments.parser.error(f"name the data sets to {arguments.action}; `workbench data list` shows them")
    return {"list": listed, "fetch": fetched, "verify": verified}[arguments.action](arguments.names, arguments.json)


def listed(names: list[str], as_json: bool) -> int:
    """One data set a line; those of `names`, or all."""
    from workbench.data.delivery.catalogue import catalogue
    from workbench.names import unknown

    sets = {item.name: item for item in catalogue()}
    for name in names:
        if name not in sets:
            raise unknown("there is no data set", name, sets)
    chosen = [sets[name] for name in names] or list(sets.values())
    if as_json:
        found = [item._asdict() | {"folder": item.folder and str(item.folder)} for item in chosen]
        print(json.dumps({"data": found}))
    else:
        for item in chosen:
            print(f"{item.name:24} {item.status:14} {item.size / 1e6:8.1f} MB  {item.licence:14} {item.description}")
    return 0


def fetched(names: list[str], as_json: bool) -> int:
    """Download what is missing; print the paths of all files."""
    from workbench.data.delivery.catalogue import catalogue, fetch

    sizes = {item.name: item.size for item in catalogue() if item.status != "embedded"}
    paths: dict[str, list[str]] = {}
    for name in names:
        if name in sizes:
            print(f"{name}: {sizes[name] / 1e6:.1f} MB", file=sys.stderr)
        paths[name] = [str(path) for path in fetch(name, progress=True)]
        if not as_json:
            print("\n".join(paths[name]))
    if as_json:
        print(json.dumps({"files": paths}))
    return 0


def verified(names: list[str], as_json: bool) -> int:
    """Compare checksums; 1 where a file is missing or wrong."""
    from workbench.data.delivery.catalogue import verify

    checks = {name: verify(name) for name in names}
    if as_json:
        found = {
            name: [each._asdict() | {"path": each.path and str(each.path)} for each in of_set]
            for name, of_set in checks.items()
        }
        print(json.dumps({"files": found}))
    else:
        for each in (each for of_set in checks.values() for each in of_set):
            print(f"{each.name}: {each.problem or 'good'}")
    return int(any(each.problem for of_set in checks.values() for each in of_set))
