"""The checks of the exercises: each usual mistake is named, right answers pass, no answer is no failure."""

import re

import pytest
import torch
from torch.nn import functional as F

from workbench.course import exercises
from workbench.neurons.lif import Neuron, run_lif
from workbench.neurons.traces import run_trace
from workbench.neurons.windows import PairRule, stdp_window


def make_never_reset():
    memory = torch.zeros(())

    def trace(x, decay):
        nonlocal memory
        values = []
        for now in x:
            memory = decay * memory + now
            values.append(memory)
        return torch.stack(values)

    return trace


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
        (exercises.check_trace, run_trace, "Right."),
        (exercises.check_trace, make_never_reset(), "not reset"),
        (exercises.check_trace, lambda x, d: run_trace(x, d) - x, "present is missing"),
        (exercises.check_trace, lambda x, d: torch.cat([torch.zeros(1), run_trace(x, d)[:-1]]), "late by one step"),
        (exercises.check_trace, lambda x, d: x.cumsum(0), "does not forget"),
        (exercises.check_trace, lambda x, d: run_trace(x, d)[:-1], r"shape should be \(6,\), yours is \(5,\)"),
        (exercises.check_trace, lambda x, d: 3 * run_trace(x, d), "value number 0 should be 1, yours is 3"),
        (exercises.check_trace, lambda x, d: None, "Not answered yet"),
        (exercises.check_trace, lambda x, d: 1 / 0, "stops with ZeroDivisionError"),
        (exercises.check_lif, lambda i, d, th: run_lif(i, Neuron(d, th)).spikes, "Right."),
        (exercises.check_lif, lambda i, d, th: run_lif(i, Neuron(d, th), reset=lambda u, z, _: u).spikes, "no reset"),
        (
            exercises.check_lif,
            lambda i, d, th: run_lif(i, Neuron(d, th), reset=lambda u, z, t: u + t * z).spikes,
            "sign of the reset",
        ),
        (exercises.check_window, lambda lag, tau: stdp_window(lag, PairRule(1, 1, tau, tau)), "Right."),
        (exercises.check_window, lambda lag, tau: -stdp_window(lag, PairRule(1, 1, tau, tau)), "sign is wrong"),
        (exercises.check_eligibility, lambda x, psi, d: (psi * run_trace(x, d)).sum(), "Right."),
        (exercises.check_eligibility, lambda x, psi, d: (x * run_trace(psi, d)).sum(), "swapped"),
        (exercises.check_eligibility, lambda x, psi, d: (x * psi).sum(), "no memory"),
        (exercises.check_low_rank_gradient, lambda X, G, U: G.T @ X @ U @ U.T, "Right."),
        (exercises.check_protected_gradient, lambda G, P: G - G @ P @ P.T, "Right."),
        (exercises.check_protected_gradient, lambda G, P: G @ P @ P.T, "only the protected part"),
        (exercises.check_protected_gradient, lambda G, P: G, "nothing is protected"),
        (exercises.check_low_rank_gradient, lambda X, G, U: G.T @ X, "exact gradient"),
        (exercises.check_low_rank_gradient, lambda X, G, U: (G.T @ X @ U @ U.T).T, "transposed"),
        (exercises.check_low_rank_gradient, lambda X, G, U: G.T @ X @ U, "not expanded"),
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
        (exercises.check_recurrent_trace, lambda z, d: run_trace(torch.cat([z.new_zeros(1), z[:-1]]), d), "Right."),
        (exercises.check_recurrent_trace, run_trace, "one step late"),
        (exercises.check_sign, lambda w, delta, e, rate: w - rate * delta * e, "Right."),
        (exercises.check_sign, lambda w, delta, e, rate: w + rate * delta * e, "against the gradient"),
        (exercises.check_sign, lambda w, delta, e, rate: w - rate * e, "signal is missing"),
        (exercises.check_tess_update, lambda x, psi, m, d: (m * psi).T @ run_trace(x, d), "Right."),
        (exercises.check_tess_update, lambda x, psi, m, d: m.T @ run_trace(x, d), "ψ is missing"),
        (exercises.check_tess_update, lambda x, psi, m, d: (m * psi).T @ x, "the trace is missing"),
        (exercises.check_local_in_time, lambda D: not bool(D.triu(1).any()), "Right."),
        (exercises.check_local_in_time, lambda D: not bool(D.triu().any()), "leave the diagonal out"),
        (exercises.check_local_in_time, lambda D: not bool(D.tril(-1).any()), "above the diagonal"),
        (exercises.check_endpoint_error, lambda f, t: (f - t).norm(dim=0).mean(), "Right."),
        (exercises.check_endpoint_error, lambda f, t: (f - t).square().sum(0).mean(), "root is missing"),
        (exercises.check_endpoint_error, lambda f, t: (f - t).square().sum(0).mean().sqrt(), "one root of all pixels"),
    ],
)
def test_each_answer_gets_its_sentence(check, answer, words):
    assert re.search(words, check(answer))
