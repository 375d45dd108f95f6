"""Four courses from one source: for students, with solutions, for teachers, for the grader nbgrader.

    student      no solutions, no stored results
    solution     every exercise answered, no stored results
    instructor   as the source, with the notes of each lesson and what its checks can name
    nbgrader     a course folder of nbgrader 0.9: an assignment for each lesson, which holds its exercises alone

A course is written to a folder beside its own and renamed when it is whole.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from copy import deepcopy
from importlib.resources import files
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from workbench.course.cells import EXERCISE, SOLUTION, Asked, asked, has_tag, strict
from workbench.course.exercises.catalogue import exercise
from workbench.course.exercises.design import Design
from workbench.course.exercises.proved import Proved
from workbench.course.exercises.question import Question
from workbench.course.exercises.written import Written

POINTS = {"write it": 2, "find the bug": 3, "predict and explain": 1, "design it": 2}  # of an exercise, by its kind
STUB = "# Your answer replaces the lines above."
CONFIG = f"""c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "local-learning"
c.ClearSolutions.code_stub = {{"python": {STUB!r}}}
c.ExecutePreprocessor.timeout = 120
"""


def lessons_of(source: Path) -> dict[str, NotebookNode]:
    """The lessons (files named 00_… to 99_…) of a folder by their names; ValueError where there is none."""
    paths = sorted(source.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise ValueError(f"there is no notebook in {source}")
    return {path.stem: nbformat.read(path, as_version=4) for path in paths}


def for_students(name: str, lesson: NotebookNode) -> NotebookNode:
    """The lesson without solutions and without stored results."""
    return _emptied(lesson, [cell for cell in lesson.cells if not has_tag(cell, SOLUTION)])


def with_solutions(name: str, lesson: NotebookNode) -> NotebookNode:
    """The lesson with every exercise answered, without stored results."""
    answers = {each.cell.id: f"{each.solution}\n\n\n{each.check}" for each in asked(lesson)}
    cells = [deepcopy(cell) for cell in lesson.cells if not has_tag(cell, SOLUTION)]
    for cell in cells:
        cell.source = answers.get(cell.id, cell.source)
    return _emptied(lesson, cells)


def for_teachers(name: str, lesson: NotebookNode) -> NotebookNode:
    """The lesson as it is, its notes behind the title, and behind each exercise the mistakes that its check names."""
    cells = []
    for place, cell in enumerate(lesson.cells):
        cells.append(cell)
        if place == 0:
            cells.append(_written(f"notes-{name[:2]}", notes(name), "notes"))
        if has_tag(cell, EXERCISE):
            each = next(one for one in asked(lesson) if one.cell.id == cell.id)
            cells.append(_written(f"mistakes-{each.name.replace('_', '-')}", mistakes_told(each.name), "notes"))
    return new_notebook(cells=cells, metadata=lesson.metadata)


def for_grader(name: str, lesson: NotebookNode) -> NotebookNode:
    """The exercises of a lesson as an assignment: what to do, a cell to answer in, a cell that gives points."""
    title = lesson.cells[0].source.splitlines()[0]
    first = f'{title}\n\nAnswer each exercise in its cell, run it, and hand the file in. `hint("name")` helps.'
    imports = "import torch\n\nfrom workbench.course.exercises import ask, check, hint"
    cells = [_locked(_written("title", first), "title"), _locked(_code("imports", imports), "imports")]
    places = {cell.id: place for place, cell in enumerate(lesson.cells)}
    for each in asked(lesson):
        before = [cell for cell in lesson.cells[: places[each.cell.id]] if cell.cell_type == "markdown"][-1]
        question = exercise(each.name)
        text = f"{before.source}\n\n{question._repr_markdown_()}" if isinstance(question, Question) else before.source
        cells += [_locked(_written(f"{each.name}-task", text), f"{each.name}-task"), *_graded(each)]
    return new_notebook(cells=cells, metadata=lesson.metadata)


BUILDS: Mapping[str, Callable[[str, NotebookNode], NotebookNode]] = {
    "student": for_students,
    "solution": with_solutions,
    "instructor": for_teachers,
    "nbgrader": for_grader,
}


def build(kind: str, source: Path, target: Path, force: bool = False) -> list[Path]:
    """Write a course into the folder `target`; return its files.

    Nothing that was there is lost: a folder in the way is refused, or, with `force`, kept beside the new one under a
    name that ends with `.kept-1`, `.kept-2`, … Raises ValueError when `source` holds no lesson or `target` is `source`,
    and FileExistsError without `force`.
    """
    made = {name: BUILDS[kind](name, lesson) for name, lesson in lessons_of(source).items()}
    if target.resolve() == source.resolve():
        raise ValueError(f"{target} holds the source of the course; name another folder")
    if (target.exists() and not target.is_dir()) or (target.is_dir() and any(target.iterdir()) and not force):
        raise FileExistsError(
            f"{target} is there already. Nothing was written. Name another folder with --to, or take --force, which "
            "keeps what is there beside the new one"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        part.chmod(0o777 & ~_umask())
        written = _write(kind, made, part)
        if target.exists():
            _put_aside(target)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return [target / path for path in written]


def notes(name: str) -> str:
    """The notes for teachers of a lesson; ValueError where there are none."""
    found = files("workbench.course") / "notes" / f"{name}.md"
    if not found.is_file():
        raise ValueError(f"there are no notes for teachers of {name}: write workbench/course/notes/{name}.md")
    return found.read_text("utf-8").rstrip()


def mistakes_told(name: str) -> str:
    """What the check of an exercise can name, as a list."""
    found = exercise(name)
    if isinstance(found, Written):
        known = [each.name for each in (*filter(None, [found.broken]), *found.mistakes)]
    elif isinstance(found, Proved):
        known = [law.mistake for law in found.laws]
    elif isinstance(found, Design):
        known = [goal.mistake for goal in found.goals]
    else:
        known = [f"“{option.text}”: {option.against}" for option in (*found.answers, *found.reasons) if option.against]
    right = f" Right: {', '.join(found.right)}." if isinstance(found, Question) else ""
    head = f"**For teachers.** {POINTS[found.kind]} points.{right} The check names:"
    return "\n".join([head, "", *(f"- {each}" for each in known)])


def _graded(each: Asked) -> list[NotebookNode]:
    """The cell to answer in, with the solution between nbgrader's marks, and the cell that gives points."""
    answer = f"{each.start}\n### BEGIN SOLUTION\n{each.solution}\n### END SOLUTION"
    told = _nbgrader(_code(each.name, answer), each.name, solution=True, locked=False)
    points = POINTS[exercise(each.name).kind]
    return [told, _nbgrader(_code(f"{each.name}-check", strict(each.check)), f"{each.name}-check", points=points)]


def _nbgrader(
    cell: NotebookNode, name: str, solution: bool = False, locked: bool = True, points: int | None = None
) -> NotebookNode:
    told = {"grade": points is not None, "grade_id": name, "locked": locked, "schema_version": 3}
    told |= {"solution": solution, "task": False, "cell_type": cell.cell_type}
    cell.metadata["nbgrader"] = told if points is None else told | {"points": points}
    return cell


def _locked(cell: NotebookNode, name: str) -> NotebookNode:
    return _nbgrader(cell, name)


def _code(name: str, source: str) -> NotebookNode:
    return new_code_cell(source, id=name.replace("_", "-"))


def _written(name: str, source: str, tag: str = "") -> NotebookNode:
    return new_markdown_cell(source, id=name.replace("_", "-"), metadata={"tags": [tag]} if tag else {})


def _emptied(lesson: NotebookNode, cells: list[NotebookNode]) -> NotebookNode:
    cells = [deepcopy(cell) for cell in cells]
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return new_notebook(cells=cells, metadata=lesson.metadata)


def _write(kind: str, made: Mapping[str, NotebookNode], folder: Path) -> list[Path]:
    """Write the notebooks into a folder; return their paths within it."""
    grading = kind == "nbgrader"
    paths = [Path("source", name, f"{name}.ipynb") if grading else Path(f"{name}.ipynb") for name in made]
    for path, notebook in zip(paths, made.values(), strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"{nbformat.writes(notebook)}\n", "utf-8")
    if grading:
        (folder / "nbgrader_config.py").write_text(CONFIG, "utf-8")
        paths.append(Path("nbgrader_config.py"))
    return paths


def _put_aside(folder: Path) -> None:
    number = 1
    while (aside := folder.with_name(f"{folder.name}.kept-{number}")).exists():
        number += 1
    folder.rename(aside)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
