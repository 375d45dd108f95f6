"""Checks of notebooks 01 to 03: neurons, traces, timing windows."""

import torch
from jaxtyping import Shaped
from torch import Tensor

from workbench.course.exercises.diagnosis import Answer, diagnose
from workbench.neurons.lif import Neuron, run_lif
from workbench.neurons.traces import Factors, eligibility, run_trace
from workbench.neurons.windows import PairRule, stdp_window


def check_trace(answer: Answer) -> str:
    """Exercise: `trace(x, decay)` gives q[t] = λ q[t−1] + x[t] of every step, for x `(time,)`."""
    carried: list[Tensor] = []

    def never_reset(x: Tensor, decay: float) -> Tensor:
        carried.append(run_trace(x, decay, carried[-1][-1] if carried else None))
        return carried[-1]

    def excludes_present(x: Tensor, decay: float) -> Tensor:
        return run_trace(x, decay) - x

    mistakes = {
        "the trace is not reset: it goes on from the last call. Start every sequence at zero.": never_reset,
        "the present is missing: add x[t] before you store q[t].": excludes_present,
        "it is late by one step: store q[t] after the update, not before.": lambda x, d: later(run_trace(x, d)),
        "λ also multiplies the new spike: q[t] = λ q[t−1] + x[t].": lambda x, d: d * run_trace(x, d),
        "it does not forget: q[t−1] has to be multiplied by λ.": lambda x, _: x.cumsum(0),
    }
    trials = [(torch.tensor([1.0, 0, 0, 1, 1, 0]), 0.5), (torch.tensor([0.0, 1, 1, 0]), 0.9)]
    return diagnose(answer, run_trace, mistakes, trials)


def check_lif(answer: Answer) -> str:
    """Exercise: `lif(current, decay, threshold)` gives the spikes of one neuron with soft reset, for `(time,)`."""

    def right(current: Tensor, decay: float, threshold: float) -> Tensor:
        return run_lif(current, Neuron(decay, threshold)).spikes

    def with_reset(reset: Answer) -> Answer:
        return lambda current, d, th: run_lif(current, Neuron(d, th), reset=reset).spikes

    mistakes = {
        "the reset goes to zero. A soft reset takes away v_th and keeps the rest.": with_reset(
            lambda u, z, _: u * (1 - z)
        ),
        "there is no reset: subtract v_th after a spike.": with_reset(lambda u, z, _: u),
        "the reset takes away 1 instead of v_th.": with_reset(lambda u, z, _: u - z),
        "the sign of the reset is wrong.": with_reset(lambda u, z, th: u + th * z),
    }
    once = torch.tensor([0.9, 0, 0, 0, 0, 0.4])
    trials = [(current, 0.8, 0.6) for current in (torch.full((9,), 0.2), torch.full((9,), 0.5), once)]
    return diagnose(answer, right, mistakes, trials)


def check_window(answer: Answer) -> str:
    """Exercise: `window(lag, tau)` is the antisymmetric pair window with amplitudes 1; lag = t_post − t_pre in ms."""

    def right(lag: Tensor, tau: float) -> Tensor:
        return stdp_window(lag, PairRule(1.0, 1.0, tau, tau))

    mistakes = {
        "the sign is wrong: pre before post (lag > 0) strengthens.": lambda lag, tau: -right(lag, tau),
        "both sides strengthen: pre after post weakens.": lambda lag, tau: right(lag, tau).abs(),
        "the exponent grows with the lag: it is exp(−|lag| / τ).": lambda lag, tau: (
            right(lag, tau).sign() * torch.exp(lag.abs() / tau)
        ),
    }
    return diagnose(answer, right, mistakes, [(torch.tensor([-30.0, -5.0, 5.0, 30.0]), 20.0)])


def check_eligibility(answer: Answer) -> str:
    """Exercise: `causal(x, psi, decay)` is Σ_t ψ[t] q[t] of one synapse, for x and psi `(time,)`."""

    def right(x: Tensor, psi: Tensor, decay: float) -> Tensor:
        return eligibility(x[:, None], psi[:, None], Factors(0.0, decay, 0.0, 1.0)).sum()

    def swapped(x: Tensor, psi: Tensor, decay: float) -> Tensor:
        return right(psi, x, decay)

    mistakes = {
        "pre and post are swapped: the trace belongs to the input x.": swapped,
        "there is no memory: use the trace q[t], not x[t].": lambda x, psi, _: (x * psi).sum(),
        "the present is missing: q[t] includes x[t].": lambda x, psi, d: (psi * (run_trace(x, d) - x)).sum(),
        "only the last step is counted: sum over all steps.": lambda x, psi, d: psi[-1] * run_trace(x, d)[-1],
    }
    x, psi = torch.tensor([1.0, 0, 1, 0, 0, 1]), torch.tensor([0.1, 0.3, 0.0, 0.2, 0.4, 0.1])
    return diagnose(answer, right, mistakes, [(x, psi, 0.5), (x.flip(0), psi, 0.8)])


def later(x: Shaped[Tensor, "time *rest"]) -> Shaped[Tensor, "time *rest"]:
    """The same one step late, with zeros first."""
    return torch.cat([torch.zeros_like(x[:1]), x[:-1]])
