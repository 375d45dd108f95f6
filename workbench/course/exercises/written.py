"""Exercises that are answered by a function: write it, or find the bug in one."""

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from jaxtyping import Float64
from torch import Tensor

from workbench.course.exercises.call import Called, call, trusted
from workbench.course.exercises.reading import Unreadable, alike, as_numbers, call_written, written
from workbench.course.exercises.usual import Found, Trial, usual_mistake
from workbench.course.exercises.verdict import Verdict, is_open, not_yet, right, unanswered
from workbench.language import say

Answer = Callable[..., Any]  # a student's function


class Mistake(NamedTuple):
    """A function that makes a mistake; `name` says it in a few words of the past tense, `words` to the student."""

    name: str
    words: str
    function: Answer


class Written(NamedTuple):
    """A function to write; with `broken`, one to repair, which is what the student begins with.

    `right` is the right function, with the arguments as they are called. `trials` makes the calls that are tried.
    `kept` is what to say where the second call with the same arguments gives something else. `reason` says in words
    what is right for the arguments of a call, where numbers say too little.
    """

    name: str
    notebook: int
    title: str
    right: Answer
    mistakes: tuple[Mistake, ...]
    trials: Callable[[], Sequence[tuple]]
    hints: tuple[str, str, str]
    broken: Mistake | None = None
    kept: Found | None = None
    reason: Callable[..., str] | None = None

    @property
    def kind(self) -> str:
        """What is asked for."""
        return "find the bug" if self.broken else "write it"

    def judge(self, answer: Any = None) -> Verdict:
        """Right; the mistake that gives exactly these numbers; or the first call that differs."""
        names = list(inspect.signature(self.right).parameters)
        refused = refusal(answer, names)
        if refused:
            return refused
        trials, note = [], ""
        for number, (arguments, expected) in enumerate(tried(self)):
            called = call(answer, arguments, quiet=number > 0)
            where = call_written(getattr(answer, "__name__", "answer"), names, arguments)
            if called.error:
                return self._stopped(called, trials, where)
            given = read(called, where)
            if isinstance(given, Verdict):
                return given
            trials.append(Trial(arguments, given, expected))
            if called.changed:
                note = say("(It changes what it is given; a caller may still need that. Work on a copy.)")
        return self._found(answer, trials, names, note)

    def _stopped(self, called: Called, trials: list[Trial], where: str) -> Verdict:
        """A mistake that stops at the same call, after the same numbers; or the error itself."""
        given = [trial.given for trial in trials]
        for mistake, results in mistaken(self) if trials else ():
            if results[len(given)] is None and _agree(given, results):
                here = say("Here {error}", error=called.error)
                return not_yet(f"{say(mistake.words)}\n  {where}\n  {here}", mistake.name)
        name = "did not come to an end" if called.endless else "stopped with an error"
        return not_yet(f"{called.error}\n  {where}", name)

    def _found(self, answer: Answer, trials: list[Trial], names: list[str], note: str) -> Verdict:
        changed = self._changes(answer, trials[0])
        if changed:
            return changed
        wrong = next((trial for trial in trials if not alike(trial.given, trial.expected)), None)
        if wrong is None:
            return right(note)
        shown = shown_call(getattr(answer, "__name__", "answer"), names, wrong)
        given = [trial.given for trial in trials]
        known = next((mistake for mistake, results in mistaken(self) if _agree(given, results)), None)
        if known:
            return not_yet(f"{say(known.words)}{shown}", known.name)
        usual = usual_mistake(trials)
        if usual:
            return not_yet(f"{usual.words}{shown}", usual.mistake)
        words = self.reason(*wrong.arguments) if self.reason else difference(wrong)
        shape = "" if wrong.given.shape == wrong.expected.shape else "gave another shape"
        return not_yet(f"{words}{shown}", shape)

    def _changes(self, answer: Answer, first: Trial) -> Verdict | None:
        """What to say where a function does not give the same for the same arguments."""
        again = call(answer, first.arguments, quiet=True).value
        try:
            same = alike(as_numbers(again), first.given) or not first.given.isfinite().all()
        except Unreadable:
            same = False
        if same:
            return None
        if self.kept:
            return not_yet(say(self.kept.words), self.kept.mistake)
        words = say("something is kept from one call to the next: begin anew in each call.")
        return not_yet(words, "kept something between two calls")


@cache
def tried(exercise: Written) -> list[tuple[tuple, Float64[Tensor, "..."]]]:
    """The calls that are tried, with the right numbers."""
    return [(arguments, as_numbers(trusted(exercise.right, arguments))) for arguments in exercise.trials()]


@cache
def mistaken(exercise: Written) -> list[tuple[Mistake, list[Float64[Tensor, "..."] | None]]]:
    """What each known mistake gives for these calls; None where it gives no numbers."""
    known = (*((exercise.broken,) if exercise.broken else ()), *exercise.mistakes)
    return [(mistake, [_result(mistake.function, arguments) for arguments, _ in tried(exercise)]) for mistake in known]


def _result(function: Answer, arguments: tuple) -> Tensor | None:
    try:
        return as_numbers(trusted(function, arguments))
    except Unreadable:
        return None


def _agree(given: Sequence[Tensor], results: Sequence[Tensor | None]) -> bool:
    return all(each is not None and alike(mine, each) for mine, each in zip(given, results, strict=False))


def refusal(answer: Any, names: Sequence[str]) -> Verdict | None:
    """What is said where nothing can be called: still open, no function, or other arguments."""
    if is_open(answer):
        return unanswered()
    if not callable(answer):
        words = say("give the check your function itself, without calling it; this is {it}.", it=written(answer))
        return not_yet(words, "did not give a function")
    try:
        inspect.signature(answer).bind(*names)
    except TypeError:
        words = say("your function must take {names}; put the arguments back as they were.", names=", ".join(names))
        return not_yet(words, "changed the arguments")
    except ValueError:  # a function of C, which has no signature
        return None
    return None


def read(called: Called, where: str) -> Float64[Tensor, "..."] | Verdict:
    """The numbers that a call gave, or what is said where it gave none."""
    if called.value is Ellipsis:
        return unanswered()
    if called.value is None and called.printed:
        words = say("your function prints its result and returns nothing: write return instead of print.")
        return not_yet(words, "printed instead of returning")
    if called.value is None:
        return not_yet(f"{say('your function returns nothing.')}\n  {where}", "returned nothing")
    try:
        return as_numbers(called.value)
    except Unreadable as error:
        words = say("your function gives {what}, expected numbers.", what=error)
        return not_yet(f"{words}\n  {where}", "returned no numbers")


def difference(trial: Trial) -> str:
    """The first difference in words."""
    given, expected = trial.given, trial.expected
    if given.shape != expected.shape:
        due, yours = tuple(expected.shape), tuple(given.shape)
        return say("the shape should be {due}, yours is {yours}.", due=due, yours=yours)
    if not expected.ndim:
        return say("it should be {due:.4g}, yours is {yours:.4g}.", due=expected.item(), yours=given.item())
    place = int((given - expected).abs().flatten().argmax())
    text = "value number {place} should be {due:.4g}, yours is {yours:.4g}."
    return say(text, place=place, due=expected.flatten()[place].item(), yours=given.flatten()[place].item())


def shown_call(name: str, names: Sequence[str], trial: Trial) -> str:
    """The call that failed, what should have come, and what came, a line each."""
    lines = (
        call_written(name, names, trial.arguments),
        say("expected {value}", value=written(trial.expected)),
        say("yours    {value}", value=written(trial.given)),
    )
    return "".join(f"\n  {line}" for line in lines)
