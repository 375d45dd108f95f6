"""What the cells of a lesson are for, and how an exercise's cell is taken apart.

A lesson marks its exercises and nothing else: the code cell that a student fills in carries the tag `exercise` and ends
with `print(check("name", …))`; the folded text behind it carries the tag `solution` and holds one block of Python.
"""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from nbformat import NotebookNode

EXERCISE, SOLUTION = "exercise", "solution"
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
_CALL = re.compile(r"\bcheck\(\s*[\"'](\w+)[\"']")


class Asked(NamedTuple):
    """One exercise of a lesson: its name, the cell to fill in, the lines above its check, the check, and a solution."""

    name: str
    cell: NotebookNode
    start: str
    check: str
    solution: str


def has_tag(cell: NotebookNode, tag: str) -> bool:
    """Whether a cell carries a tag."""
    return tag in cell.metadata.get("tags", [])


def asked(notebook: NotebookNode) -> Iterator[Asked]:
    """The exercises of a lesson in their order. Raises ValueError where one is not built as told above."""
    for place, cell in enumerate(notebook.cells):
        if not has_tag(cell, EXERCISE):
            continue
        found = _CALL.search(cell.source)
        behind = notebook.cells[place + 1] if place + 1 < len(notebook.cells) else None
        block = _BLOCK.search(behind.source) if behind is not None and has_tag(behind, SOLUTION) else None
        if found is None or block is None:
            lacks = 'no check("name", …)' if found is None else "no solution behind it, a tagged cell with Python"
            raise ValueError(f"the exercise that begins with {cell.source[:60]!r} has {lacks}")
        start, check = taken_apart(cell.source)
        yield Asked(found[1], cell, start, check, block[1].rstrip())


def taken_apart(source: str) -> tuple[str, str]:
    """The lines that a student changes, and the last statement, which prints the check.

    >>> taken_apart('x = ...\\nprint(check("a", x))')
    ('x = ...', 'print(check("a", x))')
    """
    lines = source.splitlines()
    last = ast.parse(source).body[-1].lineno - 1
    return "\n".join(lines[:last]).rstrip(), "\n".join(lines[last:])


def strict(check: str) -> str:
    """The same check for graders, who need an error where the answer is wrong.

    >>> strict('print(check("a", x))')
    'check("a", x, strict=True)'
    """
    call = re.fullmatch(r"print\((check\(.*)\)\)", check.strip(), re.S)
    if call is None:
        raise ValueError(f'an exercise ends with print(check("name", …)), got {check!r}')
    return f"{call[1]}, strict=True)"
