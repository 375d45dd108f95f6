"""The checks of exercises on compressed and protected gradients: each usual mistake is named, right answers pass."""

import re

import pytest

from workbench.course.exercises import compression as exercises


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (exercises.check_low_rank_gradient, lambda X, G, U: G.T @ X @ U @ U.T, "Right."),
        (exercises.check_protected_gradient, lambda G, P: G - G @ P @ P.T, "Right."),
        (exercises.check_protected_gradient, lambda G, P: G @ P @ P.T, "only the protected part"),
        (exercises.check_protected_gradient, lambda G, P: G, "nothing is protected"),
        (exercises.check_low_rank_gradient, lambda X, G, U: G.T @ X, "exact gradient"),
        (exercises.check_low_rank_gradient, lambda X, G, U: (G.T @ X @ U @ U.T).T, "transposed"),
        (exercises.check_low_rank_gradient, lambda X, G, U: G.T @ X @ U, "not expanded"),
    ],
)
def test_each_answer_gets_its_sentence(check, answer, words):
    assert re.search(words, check(answer))
