"""Could it have been chance? The test of signs as the exercise has it, beside that of sweeps."""

import torch

from workbench.course.exercises.evidence import CHANCE, ONE_SEED, chance
from workbench.course.exercises.written import tried
from workbench.sweeps.statistics import sign_flips


def test_it_is_the_test_of_signs():
    for (first, second), expected in tried(CHANCE):
        assert float(chance(first, second)) == float(expected) == sign_flips((first - second).tolist())


def test_five_wins_of_five_are_one_sixteenth():
    first = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    assert float(chance(first, torch.zeros(5))) == 1 / 16


def test_the_same_by_a_loop_of_plain_python_is_right():
    def answer(first, second):
        d = (first - second).tolist()
        totals = [0.0]
        for each in d:
            totals = [total + sign * each for total in totals for sign in (1, -1)]
        return sum(abs(total) >= abs(sum(d)) - 1e-9 for total in totals) / len(totals)

    assert CHANCE.judge(answer).words == "Right."


def test_one_run_is_no_evidence():
    assert ONE_SEED.judge("c", 2).right
    assert "another seed" in ONE_SEED.judge("a", 2).words
