"""The exercises of the course: write it, find the bug, predict and explain, design it.

A notebook shows the question of a prediction with `ask("name")`, judges an answer with `print(check("name", answer))`,
and gives hints with `hint("name")`. A wrong answer gets the name of its mistake, or the call that failed.
"""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.course.exercises.catalogue import Exercise, ask, check, exercise, exercises, hint
    from workbench.course.exercises.design import Design
    from workbench.course.exercises.proved import Proved
    from workbench.course.exercises.question import Question
    from workbench.course.exercises.verdict import NOT_YET, Verdict
    from workbench.course.exercises.written import Written

__all__ = [
    "NOT_YET",
    "Design",
    "Exercise",
    "Proved",
    "Question",
    "Verdict",
    "Written",
    "ask",
    "check",
    "exercise",
    "exercises",
    "hint",
]

lazy(__name__)
