"""Checks of notebooks 07 to 10: waves, local signals, TESS, locality."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.course.exercises.diagnosis import Answer, diagnose
from workbench.credit.bases import cosine, sine, square
from workbench.neurons.traces import run_trace
from workbench.rules.lls import LLS, local_signal


def check_wave(answer: Answer) -> str:
    """Exercise: `waves(frequencies, latents)` gives B_ck = sin(f_c k), k = 0..n−1, of shape `(classes, latents)`."""

    def right(frequencies: Tensor, latents: int) -> Tensor:
        return sine(len(frequencies), latents, frequencies)

    def shifted(frequencies: Tensor, latents: int) -> Tensor:
        return sine(len(frequencies), latents, frequencies, phase=1.0)

    mistakes = {
        "rows and columns are exchanged: one row per class.": lambda f, n: right(f, n).T,
        "k starts at 1: the first latent is k = 0.": shifted,
        "this is the cosine.": lambda f, n: cosine(len(f), n, f),
        "f is in radians per latent already: no 2π.": lambda f, n: right(2.0 * math.pi * f, n),
        "this is the square wave, the sign of the sine.": lambda f, n: right(f, n).sign(),
    }
    trials = [(torch.tensor([0.3, 0.7, 1.9], dtype=torch.float64), 8), (torch.tensor([0.5, 1.0]).double(), 5)]
    return diagnose(answer, right, mistakes, trials)


def check_local_signal(answer: Answer) -> str:
    """Exercise: `signal(z, basis, label, tau)` gives ∂L/∂z of LLS for one sample, z `(n,)`, basis `(classes, n)`."""

    def right(z: Tensor, basis: Tensor, label: int, tau: float, normalized: bool = True) -> Tensor:
        y = torch.tensor([label])
        return local_signal(z[None], basis, y, LLS(temperature=tau, normalized=normalized)).latents[0]

    def error(z: Tensor, basis: Tensor, label: int, tau: float) -> Tensor:
        p = torch.softmax(basis @ z / z.norm() / tau, 0)
        return (p - F.one_hot(torch.tensor(label), len(p))) @ basis / tau

    mistakes = {
        "the sign is wrong: ∂L/∂z has p − y, not y − p.": lambda *trial: -right(*trial),
        "τ is missing: d = (p − y) / τ.": lambda z, B, y, tau: tau * right(z, B, y, tau),
        "the part along z is still there: subtract (g · ẑ) ẑ.": lambda z, B, y, tau: error(z, B, y, tau) / z.norm(),
        "it is not divided by ‖z‖.": lambda z, B, y, tau: z.norm() * right(z, B, y, tau),
        "z is not normalised: compare ẑ = z / ‖z‖ with the rows.": lambda *trial: right(*trial, normalized=False),
    }
    generator = torch.Generator().manual_seed(0)
    trials = [(torch.randn(6, generator=generator).double(), square(3, 6, phase=0.5), label, 0.5) for label in (0, 2)]
    return diagnose(answer, right, mistakes, trials)


def check_signal_macs(answer: Answer) -> str:
    """Exercise: `macs(latents, classes)` counts the products of LLS's error signal for one sample, all blocks."""

    def right(latents: Sequence[int], classes: int) -> int:
        return sum(2 * classes * n for n in latents)

    mistakes = {
        "the way back is missing: the error also goes from the C rows to the n latents.": lambda n, c: sum(n) * c,
        "the number of classes is missing: every latent meets every row.": lambda n, c: 2 * sum(n),
        "only one block is counted: sum over all blocks.": lambda n, c: 2 * c * n[-1],
    }
    return diagnose(answer, right, mistakes, [([512, 256, 128], 10), ([64, 32], 3)])


def check_tess_update(answer: Answer) -> str:
    """Exercise: `update(x, psi, m, decay)` gives Σ_t (m[t] ψ[t]) ⊗ q[t], `(neurons, inputs)`."""

    def right(x: Tensor, psi: Tensor, m: Tensor, decay: float) -> Tensor:
        return (m * psi).T @ run_trace(x, decay)

    mistakes = {
        "ψ is missing: a neuron far from its threshold cannot be changed.": lambda x, psi, m, d: m.T @ run_trace(x, d),
        "the trace is missing: q[t] = λ q[t−1] + x[t], not x[t].": lambda x, psi, m, d: (m * psi).T @ x,
        "the present is missing from the trace.": lambda x, psi, m, d: (m * psi).T @ (run_trace(x, d) - x),
        "only the last step counts: add up all steps.": lambda x, psi, m, d: torch.outer(
            m[-1] * psi[-1], run_trace(x, d)[-1]
        ),
        "the sign: m is the sign of a gradient already.": lambda *trial: -right(*trial),
        "rows and columns are exchanged: the result is (neurons, inputs).": lambda *trial: right(*trial).T,
    }
    generator = torch.Generator().manual_seed(0)
    sizes = ((4, 3, 2), (6, 2, 5))
    trials = [
        ((torch.rand(t, n, generator=generator) < 0.5).float(), torch.rand(t, k, generator=generator),
         torch.randn(t, k, generator=generator), 0.5)
        for t, n, k in sizes
    ]  # fmt: skip
    return diagnose(answer, right, mistakes, trials)


def check_local_in_time(answer: Answer) -> str:
    """Exercise: `local_in_time(D)` says whether no step's update depends on a later step; D[t, s], see `locality`."""
    mistakes = {
        "the present is no later step: leave the diagonal out.": lambda D: not bool(D.triu().any()),
        "that is the past: D[t, s] with s > t lies above the diagonal.": lambda D: not bool(D.tril(-1).any()),
        "the other way round: say True when nothing is found.": lambda D: bool(D.triu(1).any()),
    }
    past = torch.ones(4, 4).tril()
    ahead, only_present = past.clone(), torch.eye(4)
    ahead[1, 2] = 1e-9
    trials = [(past,), (ahead,), (only_present,)]
    return diagnose(answer, lambda D: not bool(D.triu(1).any()), mistakes, trials)
