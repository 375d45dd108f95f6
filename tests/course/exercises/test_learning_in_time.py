"""The checks of the exercises on recurrence, signs and errors: each usual mistake is named, right answers pass."""

import re

import pytest
import torch

from workbench.course.exercises import learning_in_time as exercises
from workbench.neurons.traces import run_trace


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (exercises.check_recurrent_trace, lambda z, d: run_trace(torch.cat([z.new_zeros(1), z[:-1]]), d), "Right."),
        (exercises.check_recurrent_trace, run_trace, "one step late"),
        (exercises.check_sign, lambda w, delta, e, rate: w - rate * delta * e, "Right."),
        (exercises.check_sign, lambda w, delta, e, rate: w + rate * delta * e, "against the gradient"),
        (exercises.check_sign, lambda w, delta, e, rate: w - rate * e, "signal is missing"),
        (exercises.check_endpoint_error, lambda f, t: (f - t).norm(dim=0).mean(), "Right."),
        (exercises.check_endpoint_error, lambda f, t: (f - t).square().sum(0).mean(), "root is missing"),
        (exercises.check_endpoint_error, lambda f, t: (f - t).square().sum(0).mean().sqrt(), "one root of all pixels"),
    ],
)
def test_each_answer_gets_its_sentence(check, answer, words):
    assert re.search(words, check(answer))
