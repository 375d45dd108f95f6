"""Every exercise of the course by its name, and the three things that a notebook does with one."""

from functools import cache
from importlib import import_module
from typing import Any

from workbench.course.exercises.design import Design
from workbench.course.exercises.proved import Proved
from workbench.course.exercises.question import Question
from workbench.course.exercises.verdict import Verdict
from workbench.course.exercises.written import Written
from workbench.language import say
from workbench.names import unknown

Exercise = Written | Proved | Question | Design  # answered by a function, one's own function, a choice, settings
MODULES = (
    "beginning",
    "spikes",
    "timing",
    "events",
    "sequences",
    "space",
    "layers",
    "conceptors",
    "continual",
    "compression",
    "mixes",
    "own_rule",
    "evidence",
)


@cache
def exercises() -> dict[str, Exercise]:
    """All exercises by name, in the order of the notebooks."""
    modules = [import_module(f"workbench.course.exercises.{name}") for name in MODULES]
    found = sorted((each for module in modules for each in module.EXERCISES), key=lambda each: each.notebook)
    return {each.name: each for each in found}


def exercise(name: str) -> Exercise:
    """The exercise of that name; `UnknownName` proposes the nearest."""
    if name not in exercises():
        raise unknown("there is no exercise", name, exercises())
    return exercises()[name]


def check(name: str, *answer: Any, strict: bool = False) -> Verdict:
    """Judge the answer to an exercise; print what comes back.

    A function is given as it is, without calling it; settings as a dict; a prediction as a letter and the number of
    its reason. With `strict` a wrong answer raises AssertionError with the same words, as graders expect.
    """
    verdict = exercise(name).judge(*answer)
    if strict and not verdict.right:
        raise AssertionError(verdict.words)
    return verdict


def hint(name: str, level: int = 1) -> str:
    """A hint: 1 says where to look, 2 what to do, 3 nearly all. ValueError for other levels."""
    hints = exercise(name).hints
    if level not in (1, 2, 3):
        raise ValueError(f"hints have the levels 1, 2 and 3, got {level!r}")
    more = say(" (More: hint({name}, {level}).)", name=repr(name), level=level + 1) if level < 3 else ""
    return f"{say(hints[level - 1])}{more}"


def ask(name: str) -> Question:
    """The question of a prediction, to be shown as the last thing of a cell. ValueError where nothing is to predict."""
    found = exercise(name)
    if not isinstance(found, Question):
        raise ValueError(f"{name!r} is an exercise of the kind {found.kind!r}; only predictions are asked")
    return found
