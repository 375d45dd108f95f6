"""All mixes as a page: what trains on which network, and why the rest does not."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from workbench.mixes.cells import Cell, cells, tally
from workbench.mixes.direction import DIRECTIONS
from workbench.mixes.memory import MEMORIES
from workbench.mixes.mix import KINDS
from workbench.mixes.named import AXES, NAMED
from workbench.mixes.space import SPACES
from workbench.mixes.time import TIMES

HEAD = """# What can be mixed

Written by `workbench mix --table`; a test compares. `workbench mix MIX` answers for one mix, with the reason where it
is refused; a refusal comes before anything has changed.
"""


def table_of_mixes(networks: Sequence[str] = KINDS) -> str:
    """Markdown: the published points, a table for each kind of network, and every reason with its number of cells."""
    counted = tally(networks)
    parts = [
        HEAD,
        f"{counted.legal:,} of {counted.cells:,} cells train; {counted.named} of them are published rules.\n",
        "## The answers\n",
        *(_answers(name, answers) for name, answers in AXES),
        "\n## Published rules as points\n",
        _rows(("rule", "time+space+memory+direction"), ((f"`{name}`", f"`{mix}`") for name, mix in NAMED.items())),
    ]
    for network in networks:
        found = list(cells((network,)))
        parts += [f"\n## {network.capitalize()} networks\n", _table(found), "\nRefused:\n", _reasons(found)]
    return "\n".join(parts)


def _answers(name: str, answers: Iterable[Any]) -> str:
    return f"- **{name}**: " + ", ".join(f"`{answer.name}`" for answer in answers)


def _table(found: Sequence[Cell]) -> str:
    """Of each time (rows) and space (columns), how many of the memories times directions train."""
    trained = Counter((cell.mix.time.name, cell.mix.space.name) for cell in found if cell.reason is None)
    most = len(MEMORIES) * len(DIRECTIONS)
    shown = {0: "–", most: "all"}
    rows = (
        (f"`{time.name}`", *(shown.get(n, str(n)) for n in (trained[time.name, space.name] for space in SPACES)))
        for time in TIMES
    )
    told = f"Trained with how many of the {most} pairs of memory and direction:\n\n"
    return told + _rows(("time \\ space", *(f"`{space.name}`" for space in SPACES)), rows)


def _reasons(found: Sequence[Cell]) -> str:
    reasons = Counter(cell.reason for cell in found if cell.reason is not None)
    return "\n".join(f"- {count:,} cells: {reason}" for reason, count in reasons.most_common()) or "- nothing"


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
