"""Student copies of the notebooks."""

from pathlib import Path

import nbformat
import pytest

from workbench.course.student import SOLUTION, write_student_notebooks

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def code(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_student_copies_have_no_solutions(tmp_path):
    copies = write_student_notebooks(NOTEBOOKS, tmp_path / "student")
    assert [copy.name for copy in copies] == [path.name for path in LESSONS]
    for copy, original in zip(copies, LESSONS, strict=True):
        tags = [cell.metadata.get("tags", []) for cell in code(copy)]
        assert not any(SOLUTION in names for names in tags)
        assert len(tags) == sum(SOLUTION not in cell.metadata.get("tags", []) for cell in code(original))
    with pytest.raises(ValueError, match="name another folder"):
        write_student_notebooks(NOTEBOOKS, NOTEBOOKS)
    with pytest.raises(ValueError, match="no notebook"):
        write_student_notebooks(tmp_path, tmp_path / "other")
