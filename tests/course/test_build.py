"""Four courses from one source: students' copies fail each check, solutions pass each, graders get points."""

import stat
from importlib import import_module
from importlib.resources import files

import nbformat
import pytest
import torch

from workbench.course.build import BUILDS, POINTS, build, lessons_of
from workbench.course.cells import EXERCISE, asked, has_tag
from workbench.course.exercises import ask, check, exercises, hint
from workbench.shipped import notebooks_folder

SOURCE = notebooks_folder()
building = import_module("workbench.course.build")  # the face hands on the function of this name
LESSONS = lessons_of(SOURCE)
pytestmark = pytest.mark.usefixtures("unchecked")
each_lesson = pytest.mark.parametrize("name", LESSONS)


def printed(source, capsys):
    """What a cell prints that needs nothing but torch and the checks."""
    exec(source, {"torch": torch, "ask": ask, "check": check, "hint": hint})
    return capsys.readouterr().out


def cells(kind, name, tag=EXERCISE):
    return [cell for cell in BUILDS[kind](name, LESSONS[name]).cells if has_tag(cell, tag)]


@each_lesson
def test_untouched_each_check_says_what_it_should(name, capsys):
    found = [exercises()[each.name] for each in asked(LESSONS[name])]
    for exercise, cell in zip(found, cells("student", name), strict=True):
        said = printed(cell.source, capsys)
        broken = getattr(exercise, "broken", None)
        assert said.startswith(f"Not yet: {broken.words}" if broken else "Not answered yet"), said


@each_lesson
def test_solutions_pass_every_check(name, capsys):
    assert cells("solution", name)
    for cell in cells("solution", name):
        assert printed(cell.source, capsys).startswith("Right"), cell.source


@each_lesson
def test_a_students_copy_gives_nothing_away(name):
    made = BUILDS["student"](name, LESSONS[name])
    text = nbformat.writes(made)
    assert not any(has_tag(cell, "solution") for cell in made.cells)
    assert "Solution</summary>" not in text
    for each in asked(LESSONS[name]):
        assert each.solution not in text
    assert all(not cell.outputs and cell.execution_count is None for cell in made.cells if cell.cell_type == "code")


@each_lesson
def test_running_a_whole_lesson_neither_answers_nor_replaces(name):
    """Solutions are folded text: nothing that runs defines them or says right."""
    code = [cell.source for cell in LESSONS[name].cells if cell.cell_type == "code"]
    for each in asked(LESSONS[name]):
        assert not any(each.solution in source for source in code)
        assert sum(f'check("{each.name}"' in source for source in code) == 1


@each_lesson
def test_teachers_get_notes_and_what_each_check_names(name):
    made = BUILDS["instructor"](name, LESSONS[name])
    assert made.cells[1].source == building.notes(name)
    assert len([cell for cell in made.cells if has_tag(cell, "notes")]) == 1 + len(cells("student", name))
    for part in (" minutes.", "**What students get wrong**", "**Questions to ask**", "**On the board**"):
        assert part in building.notes(name)
    nbformat.validate(made)


def test_every_lesson_has_notes_and_every_note_a_lesson():
    notes = {path.name.removesuffix(".md") for path in (files("workbench.course") / "notes").iterdir()}
    assert notes == set(LESSONS)
    with pytest.raises(ValueError, match=r"write workbench/course/notes/99_none\.md"):
        building.notes("99_none")


@each_lesson
def test_an_assignment_has_points_for_each_exercise_and_passes_with_its_solutions(name):
    made = BUILDS["nbgrader"](name, LESSONS[name])
    told = [cell.metadata["nbgrader"] for cell in made.cells]
    assert len({each["grade_id"] for each in told}) == len(told)
    assert all(
        each["schema_version"] == 3 and each["cell_type"] == c.cell_type
        for each, c in zip(told, made.cells, strict=True)
    )
    assert sum(each["grade"] for each in told) == sum(each["solution"] for each in told) == len(cells("student", name))
    assert sum(each.get("points", 0) for each in told) == sum(
        POINTS[exercises()[each.name].kind] for each in asked(LESSONS[name])
    )
    names: dict = {}
    for cell in made.cells:
        if cell.cell_type == "code":
            exec(cell.source, names)


def test_an_unanswered_assignment_gets_no_point():
    made, names = BUILDS["nbgrader"]("01_lif_and_traces", LESSONS["01_lif_and_traces"]), {}
    for cell in made.cells:
        source = cell.source.split("### BEGIN SOLUTION")[0]
        if cell.cell_type == "code" and cell.metadata["nbgrader"]["grade"]:
            with pytest.raises(AssertionError, match="Not answered yet"):
                exec(source, names)
        elif cell.cell_type == "code":
            exec(source, names)


def test_a_course_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "course"
    paths = build("student", SOURCE, target)
    assert [path.stem for path in paths] == list(LESSONS)
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o666 & ~building._umask()}
    monkeypatch.setattr(building, "_write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build("student", SOURCE, tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["course"]


def test_nothing_that_was_there_is_lost(tmp_path):
    target = tmp_path / "course"
    (first, *_) = build("nbgrader", SOURCE, target)
    first.write_text("my answer")
    with pytest.raises(FileExistsError, match="Nothing was written"):
        build("nbgrader", SOURCE, target)
    assert first.read_text() == "my answer"
    build("nbgrader", SOURCE, target, force=True)
    assert "cells" in first.read_text()
    kept = target.with_name("course.kept-1")
    assert (kept / first.relative_to(target)).read_text() == "my answer"
    with pytest.raises(ValueError, match="name another folder"):
        build("student", SOURCE, SOURCE)
    with pytest.raises(ValueError, match="no notebook"):
        build("student", kept, tmp_path / "empty")
