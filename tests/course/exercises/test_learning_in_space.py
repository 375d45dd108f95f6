"""The checks of the exercises on waves, local signals and locality: each usual mistake is named, right answers pass."""

import re

import pytest
import torch
from torch.nn import functional as F

from workbench.course.exercises import learning_in_space as exercises
from workbench.neurons.traces import run_trace


def local_gradient(z, basis, label, tau):
    z = z.clone().requires_grad_()
    loss = F.cross_entropy(basis @ (z / z.norm()) / tau, torch.tensor(label))
    return torch.autograd.grad(loss, z)[0]


def with_the_part_along_z(z, basis, label, tau):
    direction = (z / z.norm()).requires_grad_()
    loss = F.cross_entropy(basis @ direction / tau, torch.tensor(label))
    return torch.autograd.grad(loss, direction)[0] / z.norm()


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (exercises.check_wave, lambda f, n: torch.sin(f[:, None] * torch.arange(n)), "Right."),
        (exercises.check_wave, lambda f, n: torch.sin(f * torch.arange(n)[:, None]), "exchanged"),
        (exercises.check_wave, lambda f, n: torch.sin(f[:, None] * torch.arange(1, n + 1)), "k starts at 1"),
        (exercises.check_wave, lambda f, n: torch.sin(2 * torch.pi * f[:, None] * torch.arange(n)), "no 2π"),
        (exercises.check_local_signal, local_gradient, "Right."),
        (exercises.check_local_signal, lambda *trial: -local_gradient(*trial), "sign is wrong"),
        (exercises.check_local_signal, lambda z, B, y, tau: tau * local_gradient(z, B, y, tau), "τ is missing"),
        (exercises.check_local_signal, lambda z, B, y, tau: z.norm() * local_gradient(z, B, y, tau), "divided by ‖z‖"),
        (exercises.check_local_signal, with_the_part_along_z, "part along z"),
        (exercises.check_signal_macs, lambda n, c: 2 * c * sum(n), "Right."),
        (exercises.check_signal_macs, lambda n, c: c * sum(n), "way back"),
        (exercises.check_tess_update, lambda x, psi, m, d: (m * psi).T @ run_trace(x, d), "Right."),
        (exercises.check_tess_update, lambda x, psi, m, d: m.T @ run_trace(x, d), "ψ is missing"),
        (exercises.check_tess_update, lambda x, psi, m, d: (m * psi).T @ x, "the trace is missing"),
        (exercises.check_local_in_time, lambda D: not bool(D.triu(1).any()), "Right."),
        (exercises.check_local_in_time, lambda D: not bool(D.triu().any()), "leave the diagonal out"),
        (exercises.check_local_in_time, lambda D: not bool(D.tril(-1).any()), "above the diagonal"),
    ],
)
def test_each_answer_gets_its_sentence(check, answer, words):
    assert re.search(words, check(answer))
