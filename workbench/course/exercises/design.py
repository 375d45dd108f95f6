"""Exercises that are answered by settings: reach a goal and stay within a budget."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from workbench.course.exercises.reading import written
from workbench.course.exercises.verdict import UNANSWERED, Verdict, is_open


class Whole(NamedTuple):
    """A setting that is a whole number from `least` to `most`."""

    least: int
    most: int

    def refusal(self, value: Any) -> str:
        """Why the value does not fit, or nothing."""
        fits = isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most
        return "" if fits else f"a whole number from {self.least} to {self.most}"


class Real(NamedTuple):
    """A setting that is a number from `least` to `most`."""

    least: float
    most: float

    def refusal(self, value: Any) -> str:
        """Why the value does not fit, or nothing."""
        fits = isinstance(value, int | float) and not isinstance(value, bool) and self.least <= value <= self.most
        return "" if fits else f"a number from {self.least:g} to {self.most:g}"


class OneOf(NamedTuple):
    """A setting that is one of some names."""

    names: tuple[str, ...]

    def refusal(self, value: Any) -> str:
        """Why the value does not fit, or nothing."""
        return "" if isinstance(value, str) and value in self.names else f"one of {', '.join(self.names)}"


class Reals(NamedTuple):
    """A setting that is a list of `length` numbers from `least` to `most`."""

    length: int
    least: float
    most: float

    def refusal(self, value: Any) -> str:
        """Why the value does not fit, or nothing."""
        numbers = isinstance(value, list | tuple) and len(value) == self.length
        fits = numbers and not any(Real(self.least, self.most).refusal(part) for part in value)
        return "" if fits else f"a list of {self.length} numbers from {self.least:g} to {self.most:g}"


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
            return UNANSWERED._replace(words="Not answered yet: replace the dots by your settings.")
        if not isinstance(design, Mapping):
            words = f"give the settings as a dict with {', '.join(self.settings)}, got {written(design)}."
            return Verdict(False, f"Not yet: {words}", "gave no settings")
        if set(design) != set(self.settings):
            words = f"the settings are {', '.join(self.settings)}, yours are {', '.join(map(str, design)) or 'none'}."
            return Verdict(False, f"Not yet: {words}", "gave other settings")
        for key, bounds in self.settings.items():
            if expected := bounds.refusal(design[key]):
                words = f"{key} must be {expected}, got {written(design[key])}."
                return Verdict(False, f"Not yet: {words}", f"chose {key} out of bounds")
        found = self.measure(**design)
        for goal in self.goals:
            if not goal.reached(found):
                return Verdict(False, f"Not yet: {goal.words.format(**found)}", goal.mistake)
        numbers = {key: value for key, value in found.items() if type(value) in (int, float)}
        return Verdict(True, f"Right: {', '.join(f'{key} {value:,}' for key, value in numbers.items())}.")
