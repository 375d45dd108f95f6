"""What every notebook must be, whatever it teaches. Running them is nbval's business (see the Makefile)."""

import re
import subprocess
import sys
from pathlib import Path
from statistics import median

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
CHECK = "nbval-check-output"  # a tag of the cell
TAGS = {CHECK, "exercise", "solution", "walk", "remove-cell", "hide-input"}
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def code(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


@each_lesson
def test_compares_at_least_one_number(path):
    """nbval skips a marked cell without execution count or output, silently."""
    marked = [cell for cell in code(path) if CHECK in tags(cell)]
    assert marked
    for cell in marked:
        assert cell.execution_count
        assert re.search(r"\d|True", printed(cell))


@each_lesson
def test_cells_are_short(path):
    lengths = [len(cell.source.splitlines()) for cell in code(path)]
    assert max(lengths) <= 15
    assert median(lengths) <= 6


@each_lesson
def test_the_file_is_small_and_holds_no_widget_state(path):
    assert "widgets" not in nbformat.read(path, as_version=4).metadata
    assert path.stat().st_size < 300_000


@each_lesson
def test_was_run_from_top_to_bottom_without_error(path):
    cells = [cell for cell in code(path) if cell.source.strip()]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [o for cell in cells for o in cell.outputs if o.output_type == "error"]


@each_lesson
def test_keeps_no_warning_which_names_a_place_of_the_machine(path):
    outputs = [output for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []


@each_lesson
def test_ends_by_walking_its_controls_and_telling_its_cost(path):
    cells = code(path)
    assert {"walk", "remove-cell"} <= set(tags(cells[-2])), "the walk is for the machine, a page leaves it out"
    assert "lesson.end()" in cells[-1].source


@each_lesson
def test_begins_with_what_one_can_do_afterwards_its_symbols_and_a_picture(path):
    cells = nbformat.read(path, as_version=4).cells[:4]
    for words in ("**The idea:**", "**Afterwards you can**", "**Time:** about", "**You need:**"):
        assert words in cells[0].source
    assert "| symbol | meaning |" in cells[1].source
    assert any(kind.startswith("image/") for cell in cells[2:] for output in cell.outputs for kind in output.data)


@each_lesson
def test_pictures_have_the_palette_of_the_panels_and_a_rule_its_one_colour(path):
    """In a notebook that uses rules, lines that take their names one after another are those of rules."""
    cells = [cell.source for cell in code(path)]
    drawing = [source for source in cells if "plt.subplots" in source]
    assert not drawing or "use_palette()" in cells[0]
    if any(re.search(r'from workbench.rules import|"S-TLLR"', source) for source in cells):
        for source in drawing:
            assert "rule_colour(" in source or not re.search(r"label=(name|rule)\b", source), source


@each_lesson
def test_marks_for_the_machine_are_tags(path):
    assert not [cell for cell in code(path) if "NBVAL" in cell.source]
    assert not {tag for cell in code(path) for tag in tags(cell)} - TAGS


@each_lesson
def test_defines_no_class(path):
    assert not [cell for cell in code(path) if re.search(r"^\s*class ", cell.source, re.M)]


@pytest.mark.slow
def test_a_changed_digit_is_noticed(tmp_path):
    """A stored number that is wrong must turn the run red, or the comparison is worth nothing."""
    for name, stored in (("right", "42\n"), ("wrong", "43\n")):
        cell = new_code_cell("print(6 * 7)", execution_count=1, outputs=[new_output("stream", text=stored)])
        cell.metadata["tags"] = [CHECK]
        nbformat.write(new_notebook(cells=[cell]), tmp_path / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-kernel-name=python3", "-c", "/dev/null"]
    command += ["-p", "no:randomly", "-p", "no:cacheprovider", "-q", "-rpf", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    outcomes = re.findall(r"^(PASSED|FAILED) .*/?(right|wrong)\.ipynb", done.stdout, re.M)
    assert sorted(outcomes) == [("FAILED", "wrong"), ("PASSED", "right")], done.stdout
