"""Exercises that are answered by settings: reach a goal and stay within a budget."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from workbench.course.exercises.reading import written
from workbench.course.exercises.verdict import NO_SETTINGS, Verdict, is_open, not_yet, right, unanswered
from workbench.language import say


class Whole(NamedTuple):
    """A setting that is a whole number from `least` to `most`."""

    least: int
    most: int

    def refusal(self, value: Any) -> str:
        """Why the value does not fit, or nothing."""
        fits = isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most
        return "" if fits else say("a whole number from {least} to {most}", least=self.least, most=self.most)


class Real(NamedTuple):
    """A setting that is a number from `least` to `most`."""

    least: float
    most: float

    def refusal(self, value: Any) -> str:
        """Why the value does not fit, or nothing."""
        fits = isinstance(value, int | float) and not isinstance(value, bool) and self.least <= value <= self.most
        return "" if fits else say("a number from {least:g} to {most:g}", least=self.least, most=self.most)


class OneOf(NamedTuple):
    """A setting that is one of some names."""

    names: tuple[str, ...]

    def refusal(self, value: Any) -> str:
        """Why the value does not fit, or nothing."""
        fits = isinstance(value, str) and value in self.names
        return "" if fits else say("one of {names}", names=", ".join(self.names))


class Reals(NamedTuple):
    """A setting that is a list of `length` numbers from `least` to `most`."""

    length: int
    least: float
    most: float

    def refusal(self, value: Any) -> str:
        """Why the value does not fit, or nothing."""
        numbers = isinstance(value, list | tuple) and len(value) == self.length
        fits = numbers and not any(Real(self.least, self.most).refusal(part) for part in value)
        if fits:
            return ""
        text = "a list of {length} numbers from {least:g} to {most:g}"
        return say(text, length=self.length, least=self.least, most=self.most)


class Goal(NamedTuple):
    """Something that the measured numbers must fulfil; `words` may name them in braces."""

    mistake: str
    words: str
    reached: Callable[[Any], bool]


class Design(NamedTuple):
    """Settings to choose. `measure` takes them by name and gives a dict of what they lead to."""

    name: str
    notebook: int
    title: str
    settings: Mapping[str, Whole | Real | OneOf | Reals]
    measure: Callable[..., dict[str, Any]]
    goals: tuple[Goal, ...]
    hints: tuple[str, str, str]

    @property
    def kind(self) -> str:
        """What is asked for."""
        return "design it"

    def judge(self, design: Any = None) -> Verdict:
        """Right where all goals are reached; else the first that is missed, with the numbers."""
        if is_open(design) or (isinstance(design, Mapping) and any(map(is_open, design.values()))):
            return unanswered(NO_SETTINGS)
        if not isinstance(design, Mapping):
            names, got = ", ".join(self.settings), written(design)
            words = say("give the settings as a dict with {names}, got {got}.", names=names, got=got)
            return not_yet(words, "gave no settings")
        if set(design) != set(self.settings):
            names, yours = ", ".join(self.settings), ", ".join(map(str, design)) or say("none")
            words = say("the settings are {names}, yours are {yours}.", names=names, yours=yours)
            return not_yet(words, "gave other settings")
        for key, bounds in self.settings.items():
            if expected := bounds.refusal(design[key]):
                got = written(design[key])
                words = say("{key} must be {expected}, got {got}.", key=key, expected=expected, got=got)
                return not_yet(words, f"chose {key} out of bounds")
        found = self.measure(**design)
        for goal in self.goals:
            if not goal.reached(found):
                return not_yet(say(goal.words).format(**found), goal.mistake)
        numbers = {key: value for key, value in found.items() if type(value) in (int, float)}
        reached = ", ".join(f"{key} {value:,}" for key, value in numbers.items())
        return right()._replace(words=say("Right: {numbers}.", numbers=reached))
