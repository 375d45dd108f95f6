"""Checks of notebooks 04 to 06: recurrent layers, optical flow, the sign of an update."""

import torch
from torch import Tensor

from workbench.course.exercises.diagnosis import Answer, diagnose
from workbench.course.exercises.spikes import later
from workbench.neurons.traces import run_trace


def check_recurrent_trace(answer: Answer) -> str:
    """Exercise: `trace(z, decay)` is q[t] = λ q[t−1] + z[t−1] of a layer's own spikes, for z `(time,)`."""

    def right(z: Tensor, decay: float) -> Tensor:
        return run_trace(later(z), decay)

    mistakes = {
        "the neurons hear each other one step late: use z[t−1], not z[t].": run_trace,
        "it is late by two steps: the trace at step t holds z[t−1].": lambda z, d: later(right(z, d)),
        "λ also multiplies the new spike: q[t] = λ q[t−1] + z[t−1].": lambda z, d: d * right(z, d),
        "it does not forget: q[t−1] has to be multiplied by λ.": lambda z, _: later(z).cumsum(0),
    }
    trials = [(torch.tensor([1.0, 0, 1, 1, 0]), 0.5), (torch.tensor([0.0, 1, 0, 0, 1, 0]), 0.8)]
    return diagnose(answer, right, mistakes, trials)


def check_endpoint_error(answer: Answer) -> str:
    """Exercise: `error(flow, truth)` is the mean over pixels of the distance of two flows `(2, rows, columns)`."""

    def right(flow: Tensor, truth: Tensor) -> Tensor:
        return (flow - truth).square().sum(0).sqrt().mean()

    mistakes = {
        "the root is missing: the distance is √(Δx² + Δy²).": lambda f, t: (f - t).square().sum(0).mean(),
        "this is |Δx| + |Δy|, as in a city of blocks: use √(Δx² + Δy²).": lambda f, t: (f - t).abs().sum(0).mean(),
        "x and y are averaged as if they were pixels: add their squares first.": lambda f, t: (f - t).abs().mean(),
        "one root of all pixels together: first the distance at each pixel, then the mean.": lambda f, t: (
            (f - t).square().sum(0).mean().sqrt()
        ),
    }
    flow = torch.arange(12.0).view(2, 2, 3)
    trials = [(flow, flow.flip(0)), (flow.square() / 10, torch.ones(2, 2, 3))]
    return diagnose(answer, right, mistakes, trials)


def check_sign(answer: Answer) -> str:
    """Exercise: `step(weight, delta, e, rate)` is the weight after one step down the gradient δ e, for numbers."""

    def right(weight: Tensor, delta: Tensor, e: Tensor, rate: float) -> Tensor:
        return weight - rate * delta * e

    mistakes = {
        "the sign is wrong: δ = ∂L/∂z, and the weight goes against the gradient.": lambda w, d, e, r: w + r * d * e,
        "the learning signal is missing: multiply the eligibility by δ.": lambda w, d, e, r: w - r * e,
        "the eligibility is missing: only synapses that took part may change.": lambda w, d, e, r: w - r * d,
        "the old weight is missing: return the new weight, not the change.": lambda w, d, e, r: -r * d * e,
    }
    numbers = [(0.5, -1.0, 0.3, 0.1), (0.2, 0.7, -0.4, 1.0)]
    return diagnose(answer, right, mistakes, [(*map(torch.tensor, trial[:3]), trial[3]) for trial in numbers])
