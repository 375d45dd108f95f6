"""Exercises that are answered before anything is run: what will happen, and why."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from workbench.course.exercises.reading import written
from workbench.course.exercises.verdict import UNANSWERED, Verdict, is_open


class Option(NamedTuple):
    """An answer or a reason to choose; `against` says what speaks against it, and is empty for the right one."""

    text: str
    against: str = ""


class Question(NamedTuple):
    """A prediction with its reason. Answers go by letters a, b, …, reasons by numbers 1, 2, …"""

    name: str
    notebook: int
    title: str
    text: str
    answers: tuple[Option, ...]
    reasons: tuple[Option, ...]
    hints: tuple[str, str, str]
    afterwards: str = ""

    @property
    def kind(self) -> str:
        """What is asked for."""
        return "predict and explain"

    @property
    def right(self) -> tuple[str, str]:
        """The letter and the number of the right answer."""
        return next(zip(*(_right(options) for options in (self.lettered, self.numbered)), strict=True))

    @property
    def lettered(self) -> Mapping[str, Option]:
        """Answers by their letters."""
        return dict(zip("abcdefgh", self.answers, strict=False))

    @property
    def numbered(self) -> Mapping[str, Option]:
        """Reasons by their numbers."""
        return dict(zip("12345678", self.reasons, strict=False))

    def judge(self, answer: Any = None, because: Any = None) -> Verdict:
        """Right only if both are; what speaks against the one that was chosen comes at once."""
        if is_open(answer) or is_open(because):
            return UNANSWERED._replace(words="Not answered yet: choose a letter and the number of a reason.")
        for what, value, options in (("answer", answer, self.lettered), ("reason", because, self.numbered)):
            if _key(value) not in options:
                words = f"the {what} must be one of {', '.join(options)}, got {written(value)}."
                return Verdict(False, f"Not yet: {words}", f"chose no {what} that there is")
        chosen, reason = self.lettered[_key(answer)], self.numbered[_key(because)]
        if chosen.against:
            return Verdict(False, f"Not yet: {chosen.against}", f'answered "{chosen.text}"')
        if reason.against:
            words = f"Not yet: the answer is right, the reason is not. {reason.against}"
            return Verdict(False, words, f'gave the reason "{reason.text}"')
        return Verdict(True, f"Right. {self.afterwards}".rstrip())

    def __str__(self) -> str:
        lines = [self.text, "", *(f"  {key})  {option.text}" for key, option in self.lettered.items())]
        return "\n".join(
            [*lines, "", "because", *(f"  {key}.  {option.text}" for key, option in self.numbered.items())]
        )

    def _repr_markdown_(self) -> str:
        answers = [f"- **{key})** {option.text}" for key, option in self.lettered.items()]
        reasons = [f"- **{key}.** {option.text}" for key, option in self.numbered.items()]
        return "\n".join([f"**{self.title}.** {self.text}", "", *answers, "", "because", "", *reasons])


def _right(options: Mapping[str, Option]) -> list[str]:
    return [key for key, option in options.items() if not option.against]


def _key(value: Any) -> str:
    """A letter or number however it was typed: "B", "b)", 2.0 or "2."."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip(" ().'\"").lower() if isinstance(value, str | int) and not isinstance(value, bool) else ""
