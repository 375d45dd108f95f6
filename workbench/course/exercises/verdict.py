"""What a check answers."""

from types import CodeType
from typing import Any, NamedTuple

from workbench.language import say

NOT_YET = "Not answered yet: replace the dots by your code and run the cell again."  # what a check says to `...`
NO_SETTINGS = "Not answered yet: replace the dots by your settings."
NO_CHOICE = "Not answered yet: choose a letter and the number of a reason."


class Verdict(NamedTuple):
    """Whether an answer is right, the sentence for the student, and the mistake in a few words of the past tense.

    `mistake` is the same for everybody who made it ("forgot the reset"), so that a class can be counted; "" where the
    answer is right, and where nobody has given its fault a name.
    """

    right: bool
    words: str
    mistake: str = ""

    def __str__(self) -> str:
        return self.words


def right(more: str = "") -> Verdict:
    """What is said of a right answer, and what it showed."""
    return Verdict(True, f"{say('Right.')} {more}".rstrip())


def unanswered(words: str = NOT_YET) -> Verdict:
    """What is said where nothing was answered."""
    return Verdict(False, say(words), "did not answer")


def not_yet(words: str, mistake: str = "") -> Verdict:
    """What is said of a wrong answer: the sentence is in the student's language already, the mistake in English."""
    return Verdict(False, say("Not yet: {words}", words=words), mistake)


def is_open(answer: Any) -> bool:
    """Whether something is still as the student got it: dots, None, or a function that does nothing at all."""
    if answer is None or answer is Ellipsis:
        return True
    code = getattr(answer, "__code__", None)
    if code is None or code.co_code not in _EMPTY:
        return False
    return all(each is None or each is Ellipsis or each == answer.__doc__ for each in code.co_consts)


def _code(text: str) -> bytes:
    return next(each.co_code for each in compile(text, "", "exec").co_consts if isinstance(each, CodeType))


# What Python makes of functions that do nothing, one line or several, with a docstring or without.
_EMPTY = {
    _code(text) for text in ("def f(): ...", "def f():\n ...", "def f():\n 'a'\n ...", "def f():\n 'a'", "lambda: ...")
}
