"""Exercises that are answered before anything is run: what will happen, and why."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from workbench.course.exercises.reading import written
from workbench.course.exercises.verdict import NO_CHOICE, Verdict, is_open, not_yet, right, unanswered
from workbench.language import say

MUST_BE = {
    "answer": "the answer must be one of {options}, got {got}.",
    "reason": "the reason must be one of {options}, got {got}.",
}


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
            return unanswered(NO_CHOICE)
        for what, value, options in (("answer", answer, self.lettered), ("reason", because, self.numbered)):
            if _key(value) not in options:
                options, got = ", ".join(options), written(value)
                words = say(MUST_BE[what], options=options, got=got)
                return not_yet(words, f"chose no {what} that there is")
        chosen, reason = self.lettered[_key(answer)], self.numbered[_key(because)]
        if chosen.against:
            return not_yet(say(chosen.against), f'answered "{chosen.text}"')
        if reason.against:
            words = f"{say('the answer is right, the reason is not.')} {say(reason.against)}"
            return not_yet(words, f'gave the reason "{reason.text}"')
        return right(self.afterwards and say(self.afterwards))

    def __str__(self) -> str:
        lines = [say(self.text), "", *(f"  {key})  {say(option.text)}" for key, option in self.lettered.items())]
        reasons = [f"  {key}.  {say(option.text)}" for key, option in self.numbered.items()]
        return "\n".join([*lines, "", say("because"), *reasons])

    def _repr_markdown_(self) -> str:
        answers = [f"- **{key})** {say(option.text)}" for key, option in self.lettered.items()]
        reasons = [f"- **{key}.** {say(option.text)}" for key, option in self.numbered.items()]
        asked = f"**{say(self.title)}.** {say(self.text)}"
        return "\n".join([asked, "", *answers, "", say("because"), "", *reasons])


def _right(options: Mapping[str, Option]) -> list[str]:
    return [key for key, option in options.items() if not option.against]


def _key(value: Any) -> str:
    """A letter or number however it was typed: "B", "b)", 2.0 or "2."."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip(" ().'\"").lower() if isinstance(value, str | int) and not isinstance(value, bool) else ""
