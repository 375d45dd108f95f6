"""How an answer is judged: right, a known mistake, the first difference, an error, or no answer at all."""

import pytest
import torch

from workbench.course.exercises.diagnosis import NOT_YET, diagnose

MISTAKES = {"the sign is wrong.": lambda x: -x, "it is doubled.": lambda x: 2 * x}
TRIALS = [(torch.tensor([0.0, 1.0]),), (torch.tensor([3.0]),)]


def judged(answer):
    return diagnose(answer, lambda x: x, MISTAKES, TRIALS)


def stops(x):
    raise NotImplementedError


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda x: x.clone(), "Right."),
        (lambda x: x.double(), "Right."),
        (lambda x: x + 1e-7, "Right."),
        (lambda x: x.tolist(), "Right."),
        (lambda x: -x, "Not yet: the sign is wrong."),
        (lambda x: 2 * x, "Not yet: it is doubled."),
        (lambda x: x + (x == 1), "Not yet: value number 1 should be 1, yours is 2."),
        (lambda x: x[:1], "Not yet: the shape should be (2,), yours is (1,)."),
        (lambda x: ..., NOT_YET),
        (lambda x: None, NOT_YET),
        (stops, NOT_YET),
        (lambda x: x[7], "Your function stops with IndexError: index 7 is out of bounds for dimension 0 with size 2"),
    ],
)
def test_the_sentence_for_an_answer(answer, sentence):
    assert judged(answer) == sentence


def test_a_mistake_must_explain_every_trial():
    """Right in the first trial and negative in the second is neither of the known mistakes."""
    assert judged(lambda x: -x if len(x) == 1 else x) == "Not yet: value number 0 should be 3, yours is -3."


def test_an_answer_that_is_right_in_one_trial_only_is_not_right():
    assert judged(lambda x: x if len(x) == 2 else x + 1).startswith("Not yet: value number 0 should be 3, yours is 4.")
