"""Copies of the notebooks for students: the same without the cells tagged `solution`."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from workbench.data.delivery.storage import written_unlocked

SOLUTION = "solution"


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """A copy without solution cells and without stored results, so that each student makes their own."""
    cells = [cell.copy() for cell in notebook.cells if SOLUTION not in cell.metadata.get("tags", [])]
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def write_student_notebooks(source: Path, target: Path, force: bool = False) -> list[Path]:
    """Write a copy of every lesson (files named 00_… to 99_…) of `source` into `target`; return the new files.

    Files that were worked on are never lost: where one is in the way nothing is written, or, with `force`, it is kept
    beside the new one under a name that ends with `.kept-1`, `.kept-2`, …

    Raises ValueError when `source` holds no lesson or `target` is `source`, and FileExistsError without `force`.
    """
    lessons = sorted(source.glob("[0-9][0-9]_*.ipynb"))
    if not lessons:
        raise ValueError(f"there is no notebook in {source}")
    if target.resolve() == source.resolve():
        raise ValueError(f"{target} holds the notebooks with solutions; name another folder")
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"{target} is a file; name a folder")
    texts = {target / path.name: _text(nbformat.read(path, as_version=4)) for path in lessons}
    worked_on = [path for path, text in texts.items() if path.exists() and path.read_bytes() != text]
    if worked_on and not force:
        names = ", ".join(path.name for path in worked_on)
        raise FileExistsError(
            f"{target} holds files that were worked on: {names}. Nothing was written. Name another folder, or replace "
            "them with --force, which keeps what they hold beside them"
        )
    target.mkdir(parents=True, exist_ok=True)
    for path in worked_on:
        _keep(path)
    for path, text in texts.items():
        with written_unlocked(path) as part:
            part.write_bytes(text)
    return list(texts)


def _text(notebook: NotebookNode) -> bytes:
    """The file of a student's copy."""
    return f"{nbformat.writes(without_solutions(notebook))}\n".encode()


def _keep(path: Path) -> None:
    """Put a file aside under the first free name."""
    number = 1
    while (aside := path.with_name(f"{path.name}.kept-{number}")).exists():
        number += 1
    path.rename(aside)
