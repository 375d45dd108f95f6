"""Exercises that have no one right answer: a function of one's own, which must keep laws."""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from workbench.course.exercises.call import call, trusted, within_bounds
from workbench.course.exercises.verdict import Verdict, is_open, not_yet, right, unanswered
from workbench.course.exercises.written import Answer, refusal
from workbench.language import say


class Law(NamedTuple):
    """What `holds` of every right answer; the mistake of those of which it does not, and the sentence for the student.

    A law may take for granted those that stand before it.
    """

    mistake: str
    words: str
    holds: Callable[[Answer], bool]


class Proved(NamedTuple):
    """A function to write that keeps all `laws`; `right` is one of those that do, and `told` says what they show."""

    name: str
    notebook: int
    title: str
    right: Answer
    laws: tuple[Law, ...]
    hints: tuple[str, str, str]
    told: str = ""

    @property
    def kind(self) -> str:
        """What is asked for."""
        return "write it"

    def judge(self, answer: Any = None) -> Verdict:
        """Right; the first law that is broken; or the error that it stops with."""
        refused = refusal(answer, list(inspect.signature(self.right).parameters))
        if refused:
            return refused
        kept(self)
        for number, law in enumerate(self.laws):
            called = call(law.holds, (within_bounds(answer),), quiet=number > 0, bound=False)
            if is_open(called.value):
                return _stopped(called.error, called.endless) if called.error else unanswered()
            if not called.value:
                return not_yet(say(law.words), law.mistake)
        return right(self.told and say(self.told))


@cache
def kept(exercise: Proved) -> list[str]:
    """The laws that the right answer keeps, by their mistakes: all. Whatever they load is loaded here, with time enough
    for it."""
    return [law.mistake for law in exercise.laws if trusted(law.holds, (exercise.right,))]


def _stopped(error: str, endless: bool) -> Verdict:
    name = "did not come to an end" if endless else "stopped with an error"
    return not_yet(error, name)
