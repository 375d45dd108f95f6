"""What a sweep is made of: a file in TOML or JSON, every list of which is taken with every other.

    [[sweep]]
    experiment = "fashion-events"            # or several: ["fashion-events", "sound"]
    rules = ["stllr", "bptt", "traces+tess"] # default: all that the experiment has
    seeds = [0, 1, 2, 3, 4]                  # or how many: 5; default 1
    epochs = 3                               # this and the rest: a value, a list of values, or the experiment's own
    per_class = [50, 200]
    learning_rate = 0.002
    tasks = 2                                # of a stream

A file with one table needs no `[[sweep]]`. All rules have their first seed before one has its second, so that a sweep
that is cut short compares what it has.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from workbench.experiments.named import experiment
from workbench.names import unknown
from workbench.sweeps.cell import Cell, check_cell

NUMBERS: Mapping[str, type] = {"epochs": int, "tasks": int, "learning_rate": float, "per_class": int}
KEYS = ("experiment", "rules", "seeds", *NUMBERS)


def read_spec(path: Path) -> list[Cell]:
    """The cells of a file, each once, in its order; ValueError or FileNotFoundError that says what is wrong with it."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; name a .toml or .json file that says what to sweep")
    text = path.read_text("utf-8")
    try:
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    tables = content.get("sweep", [content]) if isinstance(content, dict) else content
    try:
        return cells(tables)
    except ValueError as error:
        raise type(error)(f"{path}: {error}") from None


def cells(tables: Any) -> list[Cell]:
    """The cells of tables as above, each once.

    >>> [cell.rule for cell in cells([{"experiment": "sound", "rules": ["stllr", "bptt"]}])]
    ['stllr', 'bptt']
    """
    if not isinstance(tables, list | tuple) or not all(isinstance(table, Mapping) for table in tables):
        raise ValueError(f"a sweep is a table or a list of tables with an experiment each, got {tables!r}")
    return list(dict.fromkeys(cell for table in tables for cell in _of_table(table)))


def _of_table(table: Mapping[str, Any]) -> Iterator[Cell]:
    for key in table:
        if key not in KEYS:
            raise unknown("a sweep has no", key, KEYS, "it has")
    if "experiment" not in table:
        raise ValueError(f'a sweep names its experiment, got {dict(table)!r}; write experiment = "sound"')
    settings = [[_number(key, value) for value in _listed(table.get(key))] for key in NUMBERS]
    for name in _listed(table["experiment"]):
        rules = table.get("rules")
        rules = list(experiment(name).rules) if rules is None else _listed(rules)
        for seed, values, rule in product(_seeds(table.get("seeds", 1)), product(*settings), rules):
            yield check_cell(Cell(name, rule, seed, **dict(zip(NUMBERS, values, strict=True))))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _number(key: str, value: Any) -> Any:
    kind = NUMBERS[key]
    if value is None:
        return None
    fits = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    if not fits or (kind is int and int(value) != value):
        raise ValueError(f"{key} must be a positive {'whole ' if kind is int else ''}number, got {value!r}")
    return kind(value)


def _seeds(value: Any) -> list[int]:
    found: Any = list(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value
    whole = isinstance(found, list) and all(isinstance(seed, int) and 0 <= seed < 2**32 for seed in found)
    if not whole or not found:
        raise ValueError(f"seeds must be a list of whole numbers from 0, or how many there are, got {value!r}")
    return found
