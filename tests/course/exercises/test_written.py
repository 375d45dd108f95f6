"""How a function is judged: right, a known mistake, the call that failed, or what else it did."""

from types import FunctionType

import pytest
import torch

from workbench.course.exercises.usual import Found
from workbench.course.exercises.verdict import NOT_YET
from workbench.course.exercises.written import Mistake, Written

TRIALS = [(torch.tensor([0.0, 1.0]),), (torch.tensor([3.0, 4.0, 2.0]),)]


def right(x):
    return x + 1


EXERCISE = Written(
    name="one_more",
    notebook=1,
    title="One more",
    right=right,
    mistakes=(
        Mistake("added two", "it is one too many.", lambda x: x + 2),
        Mistake("stopped at the third", "three are too many for it.", lambda x: right(x) if len(x) < 3 else x[7]),
    ),
    trials=lambda: TRIALS,
    hints=("a", "b", "c"),
)
REPAIR = EXERCISE._replace(broken=Mistake("left the bug", "still there.", lambda x: x - 1))
CALL = "one(x=[0, 1])\n  expected [1, 2]\n  yours    "


def judged(answer, exercise=EXERCISE):
    if isinstance(answer, FunctionType):
        answer.__name__ = "one"
    return exercise.judge(answer)


class Counter:
    """A function that remembers how often it was called."""

    calls = 0

    def __call__(self, x):
        self.calls += 1
        return x + self.calls


def stops(x):
    raise NotImplementedError


def printing(x):
    print(x + 1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: x + 1, "Right."),
        (lambda x: (x + 1).double(), "Right."),
        (lambda x: (x + 1).tolist(), "Right."),
        (lambda x: (x + 1).numpy(), "Right."),
        (lambda x: x + 1 + 1e-7, "Right."),
        (lambda x: x + 2, f"Not yet: it is one too many.\n  {CALL}[2, 3]"),
        (lambda x: -x - 1, f"Not yet: the sign is wrong: every number has the opposite sign.\n  {CALL}[-1, -2]"),
        (lambda x: x + 1 + (x == 1), f"Not yet: value number 1 should be 2, yours is 3.\n  {CALL}[1, 3]"),
        (lambda x: torch.ones(3, 3), "Not yet: the shape should be (2,), yours is (3, 3).\n"),
        (lambda x: ..., NOT_YET),
        (stops, NOT_YET),
        (printing, "Not yet: your function prints its result and returns nothing: write return instead of print."),
        (lambda x: x[7], "Not yet: it stops with IndexError: index 7 is out of bounds"),
        (lambda x: right(x) if len(x) < 3 else x[9], "Not yet: three are too many for it.\n  one(x=[3, 4, 2])\n  Here"),
        (lambda x: {"a": 1}, "Not yet: your function gives a dict, expected numbers.\n  one(x=[0, 1])"),
        (lambda x: print("a"), "Not yet: your function prints"),
        (lambda x: x.sort and None, "Not yet: your function returns nothing."),
        (lambda x, y: x, "Not yet: your function must take x; put the arguments back"),
        (3.0, "Not yet: give the check your function itself, without calling it; this is 3."),
        (torch.ones(2), "Not yet: give the check your function itself"),
        (Counter(), "Not yet: something is kept from one call to the next"),
    ],
)
def test_the_sentence_for_an_answer(answer, words):
    assert judged(answer).words.startswith(words)
    assert judged(answer).right == words.startswith("Right")


def test_an_answer_in_place_is_right_and_told():
    verdict = judged(lambda x: x.add_(1))
    assert verdict.right
    assert "It changes what it is given" in verdict.words
    assert not judged(lambda x: x.zero_()).right


def test_a_mistake_must_explain_every_call():
    """Right in the second call and two more in the first is neither of the known mistakes."""
    verdict = judged(lambda x: x + 2 if len(x) == 2 else x + 1)
    assert verdict.words == f"Not yet: value number 0 should be 1, yours is 2.\n  {CALL}[2, 3]"
    assert verdict.mistake == ""


def test_what_is_to_repair_is_told_first():
    assert REPAIR.kind == "find the bug"
    verdict = judged(lambda x: x - 1, REPAIR)
    assert verdict.mistake == "left the bug"
    assert judged(lambda x: x + 1, REPAIR).right


def test_what_is_kept_has_its_own_words():
    exercise = EXERCISE._replace(kept=Found("forgot the reset", "start at zero."))
    assert exercise.judge(Counter()) == (False, "Not yet: start at zero.", "forgot the reset")


def test_reasons_stand_where_numbers_say_too_little():
    exercise = EXERCISE._replace(reason=lambda x: f"with {len(x)} it is another matter.")
    assert judged(lambda x: x**3 + 5, exercise).words.startswith("Not yet: with 2 it is another matter.")


def test_a_function_of_c_has_no_signature_and_is_called_all_the_same():
    assert judged(torch.exp).words.startswith("Not yet: value number")
