"""The checks of exercises on neurons, traces and timing windows: each usual mistake is named, right answers pass."""

import re

import pytest
import torch

from workbench.course.exercises import spikes as exercises
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
    ],
)
def test_each_answer_gets_its_sentence(check, answer, words):
    assert re.search(words, check(answer))
