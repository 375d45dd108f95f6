"""Copies of the notebooks for students: the same without the cells tagged `solution`."""

import os
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

SOLUTION = "solution"


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """A copy without solution cells and without stored results, so that each student makes their own."""
    cells = [cell.copy() for cell in notebook.cells if SOLUTION not in cell.metadata.get("tags", [])]
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def write_student_notebooks(source: Path, target: Path) -> list[Path]:
    """Write a copy of every lesson (files named 00_… to 99_…) of `source` into `target`; return the new files.

    Raises ValueError when `source` holds no lesson or `target` is `source`.
    """
    lessons = sorted(source.glob("[0-9][0-9]_*.ipynb"))
    if not lessons:
        raise ValueError(f"there is no notebook in {source}")
    if target.resolve() == source.resolve():
        raise ValueError(f"{target} holds the notebooks with solutions; name another folder")
    target.mkdir(parents=True, exist_ok=True)
    return [_write(nbformat.read(path, as_version=4), target / path.name) for path in lessons]


def _write(notebook: NotebookNode, path: Path) -> Path:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    os.close(handle)
    try:
        nbformat.write(without_solutions(notebook), temporary)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
