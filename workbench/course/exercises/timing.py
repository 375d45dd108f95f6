"""Exercises of notebook 02: who fired first?"""

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.course.exercises.question import Option, Question
from workbench.course.exercises.spikes import later
from workbench.course.exercises.usual import Found
from workbench.course.exercises.written import Mistake, Written
from workbench.neurons.traces import run_trace
from workbench.neurons.windows import PairRule, stdp_window


def window(lag: Float[Tensor, "n"], tau: float) -> Float[Tensor, "n"]:
    """The antisymmetric pair window with amplitudes 1; lag = t_post − t_pre in ms."""
    return stdp_window(lag, PairRule(1.0, 1.0, tau, tau))


def lags() -> list[tuple]:
    """Lags of both signs, none, and single ones, with several time constants."""
    rows = [[-30, -5, 5, 30], [-1, 0, 1], [0], [12.5, -12.5, 0.1, -0.1], [-100, 100, 0, 3]]
    return [(torch.tensor(row, dtype=torch.float32), tau) for row, tau in zip(rows, (20.0, 10, 5, 20, 33), strict=True)]


WINDOW = Written(
    name="window",
    notebook=2,
    title="Write the window",
    right=window,
    mistakes=(
        Mistake("got the sign wrong", "the sign is wrong: pre before post (lag > 0) strengthens.",
                lambda lag, tau: -window(lag, tau)),
        Mistake("strengthened both sides", "both sides strengthen: pre after post weakens.",
                lambda lag, tau: window(lag, tau).abs()),
        Mistake("let the effect grow", "the exponent grows with the lag: it is exp(−|lag| / τ).",
                lambda lag, tau: window(lag, tau).sign() * torch.exp(lag.abs() / tau)),
        Mistake("weakened at the same moment", "spikes at the same moment count as causal: lag = 0 gives +1, not −1.",
                lambda lag, tau: torch.where(lag > 0, 1.0, -1.0) * torch.exp(-lag.abs() / tau)),
        Mistake("left out the same moment", "lag = 0 gives +1: sign(0) is 0, so write lag >= 0.",
                lambda lag, tau: lag.sign() * torch.exp(-lag.abs() / tau)),
        Mistake("took τ for a decay", "τ is a time: the lag is divided by it, not multiplied.",
                lambda lag, tau: window(lag, tau).sign() * torch.exp(-lag.abs() * tau)),
        Mistake("left out τ", "τ is missing: exp(−|lag| / τ).",
                lambda lag, tau: window(lag, tau).sign() * torch.exp(-lag.abs())),
        Mistake("left out the weakening", "the side of lag < 0 is missing: it weakens.",
                lambda lag, tau: window(lag, tau).clamp(min=0)),
        Mistake("lost the absolute value", "|lag| is missing: for lag < 0 your exponential grows.",
                lambda lag, tau: window(lag, tau).sign() * torch.exp(-lag / tau)),
        Mistake("squared the lag", "this is a bell: the lag is not squared.",
                lambda lag, tau: window(lag, tau).sign() * torch.exp(-((lag / tau) ** 2))),
    ),
    trials=lags,
    hints=(
        "Two factors: one for how far apart, one for which came first.",
        "How far: exp(−|lag| / τ). Which first: +1 for lag ≥ 0, −1 for lag < 0.",
        "torch.where(lag >= 0, 1.0, -1.0) * torch.exp(-lag.abs() / tau)",
    ),
)  # fmt: skip


def causal(x: Float[Tensor, "time"], psi: Float[Tensor, "time"], decay: float) -> Float[Tensor, ""]:
    """Σ_t ψ[t] q[t] of one synapse."""
    return (psi * run_trace(x, decay)).sum()


def pairs_of_activity() -> list[tuple]:
    """Spikes and ψ: none at the end, one only, graded ones, a single step."""
    x, psi = torch.tensor([1.0, 0, 1, 0, 0, 1]), torch.tensor([0.1, 0.3, 0.0, 0.2, 0.4, 0.1])
    draw = torch.Generator().manual_seed(0)
    random = ((torch.rand(12, generator=draw) < 0.4).float(), torch.rand(12, generator=draw), 0.7)
    one = (torch.tensor([0.0, 1, 0, 0]), torch.tensor([0.0, 0, 0, 0.5]), 0.5)
    return [(x, psi, 0.5), (x.flip(0), psi, 0.8), random, one, (x[:1], psi[:1], 0.3), (x, psi.flip(0), 0.9)]


CAUSAL = Written(
    name="causal",
    notebook=2,
    title="Write the causal half",
    right=causal,
    mistakes=(
        Mistake("swapped pre and post", "pre and post are swapped: the trace belongs to the input x.",
                lambda x, psi, decay: (x * run_trace(psi, decay)).sum()),
        Mistake("forgot the trace", "there is no memory: use the trace q[t], not x[t].",
                lambda x, psi, decay: (x * psi).sum()),
        Mistake("left out the present", "the present is missing: q[t] includes x[t].",
                lambda x, psi, decay: (psi * (run_trace(x, decay) - x)).sum()),
        Mistake("was late by one step", "q is late by one step: use q[t], not q[t−1].",
                lambda x, psi, decay: (psi * later(run_trace(x, decay))).sum()),
        Mistake("counted the last step only", "only the last step is counted: sum over all steps.",
                lambda x, psi, decay: psi[-1] * run_trace(x, decay)[-1]),
        Mistake("kept the steps apart", "the steps stand side by side: sum them.",
                lambda x, psi, decay: psi * run_trace(x, decay)),
        Mistake("averaged over the steps", "this is the mean over the steps; the sum is asked for.",
                lambda x, psi, decay: causal(x, psi, decay) / len(x)),
        Mistake("multiplied the sums", "multiply step by step, then sum; you sum first.",
                lambda x, psi, decay: psi.sum() * run_trace(x, decay).sum()),
        Mistake("forgot ψ", "ψ is missing: a neuron far from its threshold takes no part.",
                lambda x, psi, decay: run_trace(x, decay).sum()),
        Mistake("forgot to forget", "the trace does not forget: multiply it by λ at each step.",
                lambda x, psi, decay: (psi * x.cumsum(0)).sum()),
        Mistake("decayed the new spike too", "λ also multiplies the new spike.",
                lambda x, psi, decay: decay * causal(x, psi, decay)),
    ),
    trials=pairs_of_activity,
    hints=(
        "First the trace of x as in notebook 1; then each step's ψ times the trace of that step.",
        "Keep q and a total, both from 0. In each step: q fades, x comes in, ψ q is added to the total.",
        "for now, activation in zip(x, psi): q = decay * q + now; total = total + activation * q",
    ),
    kept=Found("forgot the reset", "the trace goes on from the last call. Start every call at zero."),
)  # fmt: skip


def by_traces(pre: Float[Tensor, "time"], post: Float[Tensor, "time"], decay: float) -> Float[Tensor, ""]:
    """The total change of antisymmetric STDP: Σ_t post[t] q[t] − pre[t] h[t]; q with the present, h without."""
    q, h = run_trace(pre, decay), decay * later(run_trace(post, decay))
    return (post * q - pre * h).sum()


def _broken_by_traces(pre: Float[Tensor, "time"], post: Float[Tensor, "time"], decay: float) -> Float[Tensor, ""]:
    """Both traces with the present, so that spikes at the same moment cancel."""
    return (post * run_trace(pre, decay) - pre * run_trace(post, decay)).sum()


def spikes_of_two() -> list[tuple]:
    """Spikes of pre and post: together, apart, random."""
    draw = torch.Generator().manual_seed(1)
    random = [
        ((torch.rand(15, generator=draw) < 0.4).float(), (torch.rand(15, generator=draw) < 0.4).float()) for _ in "ab"
    ]
    both = torch.tensor([0.0, 1, 0, 0])
    apart = (torch.tensor([1.0, 0, 0, 0, 1]), torch.tensor([0.0, 0, 1, 0, 0]))
    return [(*apart, 0.5), (both, both, 0.8), (*random[0], 0.9), (*random[1], 0.6), (both[:2], both[:2], 0.3)]


STDP_ORDER = Written(
    name="stdp_order",
    notebook=2,
    title="Find the bug: spikes at the same moment",
    right=by_traces,
    broken=Mistake("left the bug", "the bug is still there: let both neurons fire in the same step, and no other time. "
                   "The change should be +1.", _broken_by_traces),
    mistakes=(
        Mistake("exchanged the traces", "you took the present out of the wrong trace: q keeps it, h does not.",
                lambda pre, post, decay: -by_traces(post, pre, decay)),
        Mistake("forgot one decay of h", "h is one step old when it is read, so it has faded once more: multiply by λ.",
                lambda pre, post, decay: (post * run_trace(pre, decay) - pre * later(run_trace(post, decay))).sum()),
        Mistake("strengthened both ways", "post before pre must weaken: that term has a minus.",
                lambda pre, post, decay: (post * run_trace(pre, decay)
                                          + pre * decay * later(run_trace(post, decay))).sum()),
        Mistake("got the sign wrong", "the sign is wrong: pre before post strengthens.",
                lambda pre, post, decay: -by_traces(pre, post, decay)),
        Mistake("dropped the weakening", "the weakening is gone: keep the term pre h.",
                lambda pre, post, decay: (post * run_trace(pre, decay)).sum()),
        Mistake("dropped the strengthening", "the strengthening is gone: keep the term post q.",
                lambda pre, post, decay: -(pre * decay * later(run_trace(post, decay))).sum()),
        Mistake("swapped pre and post", "pre and post are swapped.",
                lambda pre, post, decay: by_traces(post, pre, decay)),
        Mistake("kept the steps apart", "the steps stand side by side: give the sum.",
                lambda pre, post, decay: post * run_trace(pre, decay) - pre * decay * later(run_trace(post, decay))),
    ),
    trials=spikes_of_two,
    hints=(
        "Try pre and post with one spike each, in the same step. What should the change be, what is it?",
        "The same pair is counted twice: as “pre before post” and as “post before pre”. It may count once.",
        "Read h before the spike of this step is added to it: update q, take post q − pre h with h faded, then "
        "update h.",
    ),
)  # fmt: skip

SAME_MOMENT = Question(
    name="same_moment",
    notebook=2,
    title="Twice as far apart",
    text="With τ = 20 ms and pre 20 ms before post, a pair adds e⁻¹ = 0.37 to the weight. How much does a pair add "
    "whose "
    "spikes are 40 ms apart?",
    answers=(
        Option("half as much, 0.18", "that would be a line or 1 / lag; it is an exponential."),
        Option("0.14"),
        Option("0.37 as well", "the effect fades with the distance in time."),
        Option("−0.37", "pre still comes before post, so the sign stays."),
    ),
    reasons=(
        Option("every further 20 ms take away the same amount", "then 60 ms would give less than nothing."),
        Option("the sign turns when the lag grows", "the sign says who came first, not how far."),
        Option("every further 20 ms multiply by e⁻¹"),
        Option("a synapse only knows who fired first", "a trace knows how long ago, too."),
    ),
    hints=(
        "Write down exp(−lag / τ) for 20 ms and for 40 ms.",
        "exp(−2) is exp(−1) times exp(−1).",
        "0.37 × 0.37",
    ),
)

EXERCISES = (WINDOW, CAUSAL, STDP_ORDER, SAME_MOMENT)
