"""Mistakes that can be made in any exercise, and how they show in the numbers."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor

from workbench.course.exercises.reading import alike
from workbench.language import say


class Trial(NamedTuple):
    """One call: its arguments, the numbers that came, and those that should have come."""

    arguments: tuple
    given: Float64[Tensor, "..."]
    expected: Float64[Tensor, "..."]


class Found(NamedTuple):
    """A mistake: in a few words of the past tense, and in a sentence for the student."""

    mistake: str
    words: str


def usual_mistake(trials: Sequence[Trial]) -> Found | None:
    """The first of the usual mistakes that explains every trial."""
    if bad := [trial for trial in trials if not trial.given.isfinite().all()]:
        what = "nan" if bad[0].given.isnan().any() else say("infinity")
        words = say("there is {what} among your numbers: look for a division by zero.", what=what)
        return Found("got nan or infinity", words)
    if found := _factor(trials):
        return found
    for mistake, words, turned in TURNED:
        if all(_explains(trial, turned) for trial in trials):
            return Found(mistake, say(words))
    if all(trial.arguments and _is_input(trial) for trial in trials):
        return Found("gave back the input", say("you give back what came in, unchanged."))
    return None


def _explains(trial: Trial, turned: Callable[[Tensor], Tensor]) -> bool:
    try:
        return alike(trial.given, turned(trial.expected))
    except (IndexError, RuntimeError):
        return False


def _factor(trials: Sequence[Trial]) -> Found | None:
    """The same factor between yours and the right numbers everywhere."""
    if any(trial.given.shape != trial.expected.shape for trial in trials):
        return None
    given = torch.cat([trial.given.flatten() for trial in trials])
    expected = torch.cat([trial.expected.flatten() for trial in trials])
    if not expected.numel() or not expected.any():
        return None
    if not given.any():
        words = say("all your numbers are 0: is something multiplied by 0, or never added up?")
        return Found("gave zeros only", words)
    factor = float(given @ expected / (expected @ expected))
    if not factor or not alike(given, factor * expected):
        return None
    if abs(factor + 1) < 1e-3:
        return Found("got the sign wrong", say("the sign is wrong: every number has the opposite sign."))
    words = say("every number is {factor:.4g} times what it should be.", factor=factor)
    return Found("was wrong by a constant factor", words)


def _late(expected: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(expected[:1]), expected[:-1]])


def _early(expected: Tensor) -> Tensor:
    return torch.cat([expected[1:], torch.zeros_like(expected[:1])])


def _wrapped(expected: Tensor) -> Tensor:
    return torch.roll(expected, 1, 0)


def _steps(expected: Tensor) -> Tensor:
    return expected if expected.ndim else expected[None, None]


# The mistake, the sentence, and what the right numbers become by it.
TURNED: tuple[tuple[str, str, Callable[[Tensor], Tensor]], ...] = (
    ("exchanged rows and columns", "rows and columns are exchanged.", lambda e: e.mT if e.ndim > 1 else e[None, None]),
    ("was late by one step", "it is late by one step: the first number should come first.", _late),
    ("was early by one step", "it is early by one step.", _early),
    ("wrapped around", "the last number comes first: `roll` wraps around, nothing came before step 0.", _wrapped),
    ("gave the last step only", "you give the last one only; all are asked for.", lambda e: e[-1]),
    ("gave the first step only", "you give the first one only; all are asked for.", lambda e: e[0]),
    ("left out the last step", "the last one is missing.", lambda e: e[:-1]),
    ("left out the first step", "the first one is missing.", lambda e: e[1:]),
    ("gave one step too many", "there is one too many at the front.",
            lambda e: torch.cat([torch.zeros_like(e[:1]), e])),
    ("reversed the order", "the order is reversed.", lambda e: e.flip(0)),
    ("summed what should stay apart", "you give the sum; each number is asked for.", lambda e: _steps(e).sum()),
    ("averaged what should stay apart", "you give the mean; each number is asked for.", lambda e: _steps(e).mean()),
    ("took the absolute value", "the signs are lost: no absolute value here.", lambda e: e.abs()),
    ("squared it", "every number is squared.", lambda e: e.square()),
    ("took the root", "you took a root too many.", lambda e: e.abs().sqrt()),
    ("kept the sign only", "only the sign is left.", lambda e: e.sign()),
    ("cut off below zero", "what is below zero is lost.", lambda e: e.clamp(min=0)),
    ("added a dimension", "there is a dimension of size one too many at the end.", lambda e: e[..., None]),
    ("added a dimension in front", "there is a dimension of size one too many in front.", lambda e: e[None]),
    ("negated a truth value", "it is the other way round: true where it should be false.", lambda e: _negated(e)),
)  # fmt: skip


def _negated(expected: Tensor) -> Tensor:
    if not ((expected == 0) | (expected == 1)).all():
        raise IndexError
    return 1 - expected


def _is_input(trial: Trial) -> bool:
    first = trial.arguments[0]
    return isinstance(first, Tensor) and not first.is_complex() and alike(trial.given, first.detach().double())
