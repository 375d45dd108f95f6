"""A class of thirty hands in an assignment, and nbgrader gives the marks that their mistakes deserve.

`make test` installs nbgrader beside the environment, for its extensions would join every JupyterLab that runs in it;
without it the test skips, or fails where REQUIRE_NBGRADER=1.
"""

import os
import sqlite3
import sys
from contextlib import nullcontext
from pathlib import Path

import nbformat
import pytest
from forked import kernels_from_one_parent
from student_answers import FUNCTIONS, source

from workbench.course import build, count_mistakes
from workbench.course.build import POINTS
from workbench.course.exercises import exercises
from workbench.serving.forking import can_fork
from workbench.shipped import notebooks_folder

ROOT = Path(__file__).resolve().parents[2]
LESSON = "02_stdp_window"
NAMES = [each.name for each in exercises().values() if each.notebook == 2]
FUNCTION = {"window": "window_of", "causal": "causal_change", "stdp_order": "change"}
CHOICES = {"right": '"b", 3', "wrong": '"a", 3', "open": "..., ..."}
STUDENTS = 30
# What each submission's kernel would import anew: the exercises, and what an error's traceback is drawn with.
WARM = """
    from workbench.course.exercises import exercises
    import ipywidgets, pygments.formatters.terminal256, stack_data
    exercises()
"""


def planted(number: int) -> dict[str, str]:
    """What a student does in each exercise: "right", "open", or the number of a wrong answer of those kept."""
    plans = (*["right"] * 5, "open", *map(str, range(7)))
    return {name: plans[(number * (place + 1) + place) % len(plans)] for place, name in enumerate(NAMES)}


def answered(notebook, plan):
    """The assignment as that student hands it in."""
    solved = nbformat.read(ROOT / "notebooks" / f"{LESSON}.ipynb", as_version=4)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name not in plan or plan[name] == "open":
            continue
        if name == "same_moment":
            cell.source = f"answer, because = {CHOICES['right' if plan[name] == 'right' else 'wrong']}"
        elif plan[name] == "right":
            cell.source = next(
                each.source.split("```python\n")[1].split("```")[0]
                for each, before in zip(solved.cells[1:], solved.cells, strict=False)
                if f'check("{name}"' in before.source
            )
        else:
            body = FUNCTIONS[name][int(plan[name])][1]
            helpers = "from torch.nn import functional as F\n\nfrom workbench.neurons import run_trace\n\n\n"
            helpers += "def later(x):\n    return torch.cat([torch.zeros_like(x[:1]), x[:-1]])\n\n\n"
            helpers += (
                f"right = __import__('workbench.course.exercises', fromlist=['x']).exercise('{name}').right\n\n\n"
            )
            cell.source = helpers + source(exercises()[name], body, FUNCTION[name])
    return notebook


def expected(plan):
    """Points, and the mistake in each exercise."""
    right = [name for name in NAMES if plan[name] == "right"]
    mistakes = {}
    for name in NAMES:
        if plan[name] == "right":
            mistakes[name] = ""
        elif plan[name] == "open":
            mistakes[name] = "left the bug" if name == "stdp_order" else "did not answer"
        elif name != "same_moment":
            mistakes[name] = FUNCTIONS[name][int(plan[name])][0]
    return sum(POINTS[exercises()[name].kind] for name in right), mistakes


@pytest.fixture
def nbgrader(monkeypatch):
    """The applications of nbgrader, each of which can be run for the lesson."""
    folder = Path(sys.prefix) / "grader"
    if not folder.is_dir():
        assert os.environ.get("REQUIRE_NBGRADER") != "1", f"nbgrader is not installed in {folder} (REQUIRE_NBGRADER=1)"
        pytest.skip("nbgrader is not installed; see the head of this file")
    monkeypatch.syspath_prepend(folder)
    for name, place in {"PYTHONPATH": folder, "PATH": folder / "bin"}.items():  # it calls alembic
        monkeypatch.setenv(name, str(place), prepend=os.pathsep)
    from nbgrader import apps

    return apps


def run(application):
    """What the command of this name does for the lesson."""
    command = application()
    command.initialize([LESSON])
    command.start()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of nbgrader and what it needs
def test_thirty_submissions_get_the_marks_that_they_deserve(nbgrader, tmp_path, monkeypatch):
    course = tmp_path / "course"
    build("nbgrader", notebooks_folder(), course)
    monkeypatch.chdir(course)  # where nbgrader finds its settings
    run(nbgrader.GenerateAssignmentApp)
    for number in range(STUDENTS):
        handed_in = course / "submitted" / f"student{number:02}" / LESSON / f"{LESSON}.ipynb"
        handed_in.parent.mkdir(parents=True)
        release = nbformat.read(course / "release" / LESSON / f"{LESSON}.ipynb", as_version=4)
        nbformat.write(answered(release, planted(number)), handed_in)
    with kernels_from_one_parent(tmp_path, WARM) if can_fork() else nullcontext():
        run(nbgrader.AutogradeApp)

    with sqlite3.connect(course / "gradebook.db") as book:
        marks = dict(
            book.execute(
                "select sa.student_id, sum(coalesce(g.auto_score, 0)) from submitted_assignment sa "
                "join submitted_notebook sn on sn.assignment_id = sa.id join grade g on g.notebook_id = sn.id "
                "group by sa.student_id"
            )
        )
    due = [expected(planted(number)) for number in range(STUDENTS)]
    assert marks == {f"student{number:02}": points for number, (points, _) in enumerate(due)}
    assert len({points for points, _ in due}) > 3
    for count in count_mistakes(course):
        if count.name == "same_moment":
            continue
        made = [mistakes[count.name] for _, mistakes in due]
        assert count.answers == STUDENTS
        assert count.right == made.count("")
        named = {mistake: made.count(mistake) for mistake in made if mistake}
        assert {mistake: number for mistake, number in count.mistakes.items() if mistake in named} == named
