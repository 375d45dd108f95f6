"""The checks of the exercises on continual learning: each usual mistake is named, right answers pass."""

import re

import pytest
import torch

from workbench.continual.conceptors import conceptor, correlation, dense
from workbench.continual.metrics import backward_transfer
from workbench.course.exercises import continual as exercises


def ours(X, aperture):
    return dense(conceptor(correlation(X), aperture))


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (exercises.check_conceptor, ours, r"Right\."),
        (exercises.check_conceptor, lambda X, a: ours(X * X.shape[1] ** 0.5, a), "divide X Xᵀ by N"),
        (exercises.check_conceptor, lambda X, a: ours(X, 1 / a), "yours is α²"),
        (exercises.check_conceptor, lambda X, a: ours(X, a**0.5), "yours is 1/α"),
        (exercises.check_conceptor, lambda X, a: torch.eye(len(X)) - ours(X, a), "this is NOT C"),
        (exercises.check_conceptor, lambda X, a: ours(X.T, a), "samples are the columns"),
        (exercises.check_conceptor, lambda X, a: ..., "Not answered yet"),
        (exercises.check_projected_step, lambda G, C: G @ (torch.eye(4) - C), r"Right\."),
        (exercises.check_projected_step, lambda G, C: G @ C, "holds back"),
        (exercises.check_projected_step, lambda G, C: G - C @ G, "from the right"),
        (exercises.check_projected_step, lambda G, C: G + G @ C, "sign is wrong"),
        (exercises.check_backward_transfer, backward_transfer, r"Right\."),
        (exercises.check_backward_transfer, lambda A: -backward_transfer(A), "sign is wrong"),
        (exercises.check_backward_transfer, lambda A: (A[-1] - A.diagonal()).mean(), "leave it out"),
        (exercises.check_backward_transfer, lambda A: A[-1].mean(), "this is ACC"),
        (exercises.check_backward_transfer, lambda A: (A[-1] - A[0])[:-1].mean(), "diagonal"),
    ],
)
def test_each_answer_gets_its_sentence(check, answer, words):
    assert re.search(words, check(answer))
