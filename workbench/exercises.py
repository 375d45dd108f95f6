"""Checks of the notebooks' exercises: an answer is compared with the right one and with the usual mistakes.

`check_*` functions take the student's function, try it on small inputs, and return one sentence: right, or the name of
the mistake that gives exactly these numbers, or where the first difference lies.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.bases import cosine, sine, square
from workbench.lif import Neuron, run_lif
from workbench.rules.lls import LLS, local_signal
from workbench.traces import Factors, PairRule, eligibility, run_trace, stdp_window

Answer = Callable[..., Any]
NOT_YET = "Not answered yet: replace the dots by your code and run the cell again."


def diagnose(answer: Answer, right: Answer, mistakes: Mapping[str, Answer], trials: Sequence[tuple]) -> str:
    """Compare `answer` with `right` on every trial; when it differs, say which mistake explains all trials.

    >>> diagnose(lambda x: -x, lambda x: x, {"The sign is wrong.": lambda x: -x}, [(torch.ones(2),)])
    'Not yet: The sign is wrong.'
    """
    try:
        given = [answer(*trial) for trial in trials]
    except NotImplementedError:
        return NOT_YET
    except Exception as error:
        return f"Your function stops with {type(error).__name__}: {error}"
    if any(result is None or result is Ellipsis for result in given):
        return NOT_YET
    expected = [right(*trial) for trial in trials]
    if all(map(_same, given, expected)):
        return "Right."
    for words, mistake in mistakes.items():
        if all(map(_same, given, [mistake(*trial) for trial in trials])):
            return f"Not yet: {words}"
    return "Not yet: " + next(_difference(g, e) for g, e in zip(given, expected, strict=True) if not _same(g, e))


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
        "it is late by one step: store q[t] after the update, not before.": lambda x, d: _later(run_trace(x, d)),
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


def check_recurrent_trace(answer: Answer) -> str:
    """Exercise: `trace(z, decay)` is q[t] = λ q[t−1] + z[t−1] of a layer's own spikes, for z `(time,)`."""

    def right(z: Tensor, decay: float) -> Tensor:
        return run_trace(_later(z), decay)

    mistakes = {
        "the neurons hear each other one step late: use z[t−1], not z[t].": run_trace,
        "it is late by two steps: the trace at step t holds z[t−1].": lambda z, d: _later(right(z, d)),
        "λ also multiplies the new spike: q[t] = λ q[t−1] + z[t−1].": lambda z, d: d * right(z, d),
        "it does not forget: q[t−1] has to be multiplied by λ.": lambda z, _: _later(z).cumsum(0),
    }
    trials = [(torch.tensor([1.0, 0, 1, 1, 0]), 0.5), (torch.tensor([0.0, 1, 0, 0, 1, 0]), 0.8)]
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


def check_low_rank_gradient(answer: Answer) -> str:
    """Exercise: `gradient(X, G, U)` is Gᵀ X U Uᵀ, the weight gradient `(out, in)` with X cut to the features in U."""

    def right(X: Tensor, G: Tensor, U: Tensor) -> Tensor:
        return G.T @ (X @ U) @ U.T

    mistakes = {
        "this is the exact gradient: X has to be replaced by X U Uᵀ.": lambda X, G, U: G.T @ X,
        "it is transposed: rows are outputs, columns are inputs.": lambda X, G, U: right(X, G, U).T,
        "the sign is wrong: this is the gradient, not the step.": lambda X, G, U: -right(X, G, U),
        "the core is not expanded: multiply by Uᵀ at the end.": lambda X, G, U: G.T @ (X @ U),
        "the part outside U is kept instead of the part inside.": lambda X, G, U: G.T @ X - right(X, G, U),
    }
    generator = torch.Generator().manual_seed(0)
    X, G, U = (torch.randn(*shape, generator=generator) for shape in ((5, 4), (5, 3), (4, 2)))
    return diagnose(answer, right, mistakes, [(X, G, torch.linalg.qr(U).Q)])


def check_protected_gradient(answer: Answer) -> str:
    """Exercise: `gradient(G, P)` is G (I − P Pᵀ): nothing along the columns of P, `(in, p)`, moves."""

    def right(G: Tensor, P: Tensor) -> Tensor:
        return G - G @ P @ P.T

    mistakes = {
        "only the protected part is left: take it away from G instead.": lambda G, P: G @ P @ P.T,
        "nothing is protected: G is as it was.": lambda G, P: G,
        "the sign is wrong: take the protected part away, do not add it.": lambda G, P: G + G @ P @ P.T,
    }
    generator = torch.Generator().manual_seed(0)
    G, P = torch.randn(3, 4, generator=generator), torch.randn(4, 2, generator=generator)
    return diagnose(answer, right, mistakes, [(G, torch.linalg.qr(P).Q)])


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


def _later(x: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(x[:1]), x[:-1]])


def _same(given: Any, expected: Any) -> bool:
    given, expected = torch.as_tensor(given), torch.as_tensor(expected)
    if given.shape != expected.shape:
        return False
    return torch.allclose(given.to(torch.double), expected.to(torch.double), atol=1e-5)


def _difference(given: Any, expected: Any) -> str:
    given, expected = torch.as_tensor(given), torch.as_tensor(expected)
    if given.shape != expected.shape:
        return f"the shape should be {tuple(expected.shape)}, yours is {tuple(given.shape)}."
    flat = (given.double() - expected.double()).abs().flatten()
    place = int((flat > 1e-5).nonzero()[0])
    return f"value number {place} should be {expected.flatten()[place]:.4g}, yours is {given.flatten()[place]:.4g}."
