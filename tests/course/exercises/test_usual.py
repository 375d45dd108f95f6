"""Mistakes that can be made anywhere show in the numbers."""

import pytest
import torch

from workbench.course.exercises.usual import Trial, usual_mistake

ROWS = torch.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], dtype=torch.float64)
LINE = torch.tensor([1.0, 0.5, -2.0, 3.0], dtype=torch.float64)
late = torch.tensor([0.0, 1.0, 0.5, -2.0], dtype=torch.float64)


@pytest.mark.parametrize(
    ("given", "expected", "mistake"),
    [
        (-LINE, LINE, "got the sign wrong"),
        (3 * LINE, LINE, "was wrong by a constant factor"),
        (0 * LINE, LINE, "gave zeros only"),
        (ROWS.T, ROWS, "exchanged rows and columns"),
        (late, LINE, "was late by one step"),
        (LINE.roll(1), LINE, "wrapped around"),
        (LINE[-1], LINE, "gave the last step only"),
        (LINE[0], LINE, "gave the first step only"),
        (LINE[:-1], LINE, "left out the last step"),
        (LINE[1:], LINE, "left out the first step"),
        (torch.cat([late[:1], LINE]), LINE, "gave one step too many"),
        (LINE.flip(0), LINE, "reversed the order"),
        (LINE.sum(), LINE, "summed what should stay apart"),
        (LINE.mean(), LINE, "averaged what should stay apart"),
        (LINE.abs(), LINE, "took the absolute value"),
        (LINE.square(), LINE, "squared it"),
        (LINE.sign(), LINE, "kept the sign only"),
        (LINE.clamp(min=0), LINE, "cut off below zero"),
        (LINE[:, None], LINE, "added a dimension"),
        (ROWS[None], ROWS, "added a dimension in front"),
        (LINE / 0, LINE, "got nan or infinity"),
        (LINE - LINE / 0 * 0, LINE, "got nan or infinity"),
    ],
)
def test_each_is_named(given, expected, mistake):
    found = usual_mistake([Trial((), given, expected)])
    assert found is not None
    assert found.mistake == mistake


def test_a_mistake_must_explain_every_trial():
    assert usual_mistake([Trial((), -LINE, LINE), Trial((), LINE, LINE)]) is None
    assert usual_mistake([Trial((), 2 * LINE, LINE), Trial((), 3 * LINE, LINE)]) is None
    assert usual_mistake([Trial((), LINE + 1, LINE)]) is None


def test_the_input_and_truth_values():
    assert usual_mistake([Trial((late,), late, LINE)]).mistake == "was late by one step"
    assert usual_mistake([Trial((ROWS,), ROWS, LINE)]).mistake == "gave back the input"
    yes, no = torch.ones((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    assert usual_mistake([Trial((), no, yes), Trial((), yes, no)]).mistake == "negated a truth value"
    assert usual_mistake([Trial((), no, no), Trial((), yes, no)]) is None
