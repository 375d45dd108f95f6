"""Exercises of notebooks 07 and 08: the right answers against autograd, the truth of the prediction, a right design."""

import math

import torch
from torch.nn import functional as F

from workbench.course.exercises.space import (
    APART,
    LEAKING_BLOCK,
    LOCAL_SIGNAL,
    SIGNAL_MACS,
    TEMPERATURE,
    WAVE,
    signal,
)


def test_the_waves_number_by_number():
    for f, n in WAVE.trials():
        expected = [[math.sin(frequency * k) for k in range(n)] for frequency in f.tolist()]
        torch.testing.assert_close(WAVE.right(f, n), torch.tensor(expected, dtype=torch.float64))


def test_the_signal_is_the_derivative_of_the_loss():
    for z, basis, label, tau in LOCAL_SIGNAL.trials():
        latents = z.clone().requires_grad_()
        F.cross_entropy(basis @ (latents / latents.norm()) / tau, torch.tensor(label)).backward()
        torch.testing.assert_close(LOCAL_SIGNAL.right(z, basis, label, tau), latents.grad)


def test_a_local_block_does_not_see_the_one_above():
    leaks = []
    for x, first, second, basis, label in LEAKING_BLOCK.trials():
        ours = LEAKING_BLOCK.right(x, first, second, basis, label)
        assert torch.equal(ours, LEAKING_BLOCK.right(x, first, 3 * second, basis, label))
        leaking = LEAKING_BLOCK.broken.function(x, first, second, basis, label)
        leaks.append(not torch.equal(leaking, LEAKING_BLOCK.broken.function(x, first, 3 * second, basis, label)))
    assert any(leaks)  # a layer may be silent


def test_multiplications_of_one_block_counted_one_by_one():
    classes, n = 3, 5
    counted = sum(1 for _ in range(classes) for _ in range(n)) + sum(1 for _ in range(n) for _ in range(classes))
    assert SIGNAL_MACS.right([n], classes) == counted


def test_ten_waves_at_right_angles():
    assert APART.judge({"frequencies": [math.pi * (c + 1) / 31 for c in range(10)], "latents": 31}).right


def test_a_warm_block_gets_a_tenth_of_the_signal():
    for z, basis, label, _ in LOCAL_SIGNAL.trials()[:2]:
        cold, warm = (signal(z, basis, label, tau).norm() for tau in (0.5, 5.0))
        assert 5 < cold / warm < 20
    assert TEMPERATURE.lettered[TEMPERATURE.right[0]].text == "it becomes about ten times smaller"
