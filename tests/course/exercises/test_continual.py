"""Exercises of notebook 12: the right answers against the library and laws, a right design."""

import torch

from workbench.continual import backward_transfer
from workbench.course.exercises.continual import BACKWARD_TRANSFER, FREE_ROOM, PROJECTED_STEP, WIPED_WEIGHT


def test_a_protected_step_moves_old_outputs_by_what_is_not_claimed():
    for G, C in PROJECTED_STEP.trials():
        values, directions = torch.linalg.eigh(C)
        moved, unprotected = PROJECTED_STEP.right(G, C) @ directions, G @ directions
        torch.testing.assert_close(moved, unprotected * (1 - values), atol=1e-5, rtol=1e-4)


def test_backward_transfer_is_that_of_the_library():
    for (A,) in BACKWARD_TRANSFER.trials():
        torch.testing.assert_close(BACKWARD_TRANSFER.right(A).item(), backward_transfer(A), atol=1e-6, rtol=1e-5)


def test_without_a_gradient_a_weight_stays():
    for W, G, C, rate in WIPED_WEIGHT.trials():
        assert torch.equal(WIPED_WEIGHT.right(W, 0 * G, C, rate), W)


def test_room_and_protection_together():
    assert FREE_ROOM.judge({"aperture": 200, "samples": 30}).right
