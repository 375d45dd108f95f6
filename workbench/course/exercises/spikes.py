"""Exercises of notebook 01: a neuron that leaks, and a trace that forgets."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from workbench.course.exercises.design import Design, Goal, Real, Whole
from workbench.course.exercises.question import Option, Question
from workbench.course.exercises.usual import Found
from workbench.course.exercises.written import Mistake, Written
from workbench.neurons.lif import Neuron, hard_reset, no_reset, run_lif, unit_reset
from workbench.neurons.traces import run_trace


def later(x: Shaped[Tensor, "time *rest"]) -> Shaped[Tensor, "time *rest"]:
    """The same one step late, with zeros first."""
    return torch.cat([torch.zeros_like(x[:1]), x[:-1]])


def trace(x: Float[Tensor, "time"], decay: float) -> Float[Tensor, "time"]:
    """q[t] = λ q[t−1] + x[t] of every step."""
    return run_trace(x, decay)


def trains_of_spikes() -> list[tuple]:
    """Spikes with a decay: the ends silent and not, decays from 0 to nearly 1, graded inputs."""
    rows = [[1, 0, 0, 1, 1, 0], [0, 1, 1, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0, 0, 0, 1], [0.5, 2, -1, 0.25], [1]]
    decays = [0.5, 0.9, 0.25, 0.8, 0.6, 0.3]
    trials = [(torch.tensor(row, dtype=torch.float32), decay) for row, decay in zip(rows, decays, strict=True)]
    return [*trials, (torch.tensor([1.0, 0, 1]), 0.0)]


TRACE = Written(
    name="trace",
    notebook=1,
    title="Write the trace",
    right=trace,
    mistakes=(
        Mistake("left out the present", "the present is missing: add x[t] before you store q[t].",
                lambda x, decay: run_trace(x, decay) - x),
        Mistake("decayed the new spike too", "λ also multiplies the new spike: q[t] = λ q[t−1] + x[t].",
                lambda x, decay: decay * run_trace(x, decay)),
        Mistake("forgot to forget", "it does not forget: q[t−1] has to be multiplied by λ.",
                lambda x, decay: x.cumsum(0)),
        Mistake("took 1 − λ for λ", "λ is the share that stays; you multiply by 1 − λ.",
                lambda x, decay: run_trace(x, 1 - decay)),
        Mistake("averaged instead of adding", "this is a running mean: the new spike counts 1, not 1 − λ.",
                lambda x, decay: (1 - decay) * run_trace(x, decay)),
        Mistake("remembered one step only", "only the last step is remembered: multiply q[t−1] by λ, not x[t−1].",
                lambda x, decay: x + decay * later(x)),
        Mistake("subtracted the past", "the past is subtracted: λ q[t−1] is added.",
                lambda x, decay: run_trace(x * (-1.0) ** torch.arange(len(x)), decay) * (-1.0) ** torch.arange(len(x))),
        Mistake("cut the trace at 1", "the trace is cut at 1: spikes add up.", lambda x, decay: _saturated(x, decay)),
    ),
    trials=trains_of_spikes,
    hints=(
        "Keep one number q, which begins at 0, and go through x step by step.",
        "In each step: let q fade, add what comes in, then store q in a list.",
        "q = decay * q + now, for now in x; at the end torch.stack of the list.",
    ),
    kept=Found("forgot the reset", "the trace is not reset: it goes on from the last call. Start every sequence at "
                                   "zero."),
)  # fmt: skip


def _saturated(x: Tensor, decay: float) -> Tensor:
    q, values = x.new_zeros(()), []
    for now in x:
        q = (decay * q + now).clamp(max=1)
        values.append(q)
    return torch.stack(values)


def lif(current: Float[Tensor, "time"], decay: float, threshold: float) -> Float[Tensor, "time"]:
    """Spikes of one neuron with soft reset."""
    return run_lif(current, Neuron(decay, threshold)).spikes


def _with_reset(reset: Callable[[Tensor, Tensor, float], Tensor]) -> Callable[..., Tensor]:
    return lambda current, decay, threshold: run_lif(current, Neuron(decay, threshold), reset=reset).spikes


def _by_hand(current: Tensor, decay: float, threshold: float, **other: Any) -> Tensor:
    """The neuron step by step, with one thing done otherwise."""
    u, z, spikes = torch.tensor(0.0), torch.tensor(0.0), []
    for now in current:
        u = decay * u + now
        z = (u >= threshold if other.get("reached") else u > threshold).float()
        spikes.append(u if other.get("potential") else z)
        u = u - threshold * z
        if other.get("clamped"):
            u = u.clamp(min=0, max=0.0 if other["clamped"] == "all" else None)
    return torch.stack(spikes)


def currents() -> list[tuple]:
    """Currents that tell resets and thresholds apart; one reaches the threshold exactly and must not fire."""
    once = torch.tensor([0.9, 0, 0, 0, 0, 0.4])
    random = torch.rand(24, generator=torch.Generator().manual_seed(0))
    trials = [(current, 0.8, 0.6) for current in (torch.full((9,), 0.2), torch.full((9,), 0.5), once)]
    edge = torch.tensor([0.5, 0.25, 0.5, 0.0, 0.75])  # with λ = ½ the potentials are 0.5, 0.5, 0.75: exact in binary
    return [
        *trials,
        (edge, 0.5, 0.5),
        (random, 0.9, 1.25),
        (2 * random - 0.5, 0.7, 0.8),
        (torch.full((8,), 1.5), 0.5, 0.75),
    ]


LIF = Written(
    name="lif",
    notebook=1,
    title="Write the neuron",
    right=lif,
    mistakes=(
        Mistake("reset to zero", "the reset goes to zero. A soft reset takes away v_th and keeps the rest.",
                _with_reset(hard_reset)),
        Mistake("forgot the reset", "there is no reset: subtract v_th after a spike.", _with_reset(no_reset)),
        Mistake("took away 1 instead of v_th", "the reset takes away 1 instead of v_th.", _with_reset(unit_reset)),
        Mistake("added the threshold", "the sign of the reset is wrong: take v_th away.",
                _with_reset(lambda u, z, threshold: u + threshold * z)),
        Mistake("fired at the threshold", "it fires when u reaches v_th; it must exceed it: write >, not >=.",
                lambda current, decay, threshold: _by_hand(current, decay, threshold, reached=True)),
        Mistake("forgot the membrane", "nothing is remembered: u[t] has γ times what was left of u[t−1].",
                lambda current, decay, threshold: (current > threshold).float()),
        Mistake("did not leak", "it does not leak: multiply what is left by γ.",
                lambda current, decay, threshold: lif(current, 1.0, threshold)),
        Mistake("leaked the input", "γ also multiplies the input: u[t] = γ u⁺[t−1] + I[t].",
                lambda current, decay, threshold: lif(decay * current, decay, threshold)),
        Mistake("gave the potential", "you give the membrane potential; the spikes are asked for.",
                lambda current, decay, threshold: run_lif(current, Neuron(decay, threshold)).potential),
        Mistake("gave what is left", "you give what is left after the reset; the spikes are asked for.",
                lambda current, decay, threshold: _rest(current, decay, threshold)),
        Mistake("cut the potential at zero", "what is left is cut at zero; it may be negative.",
                lambda current, decay, threshold: _by_hand(current, decay, threshold, clamped="below")),
    ),
    trials=currents,
    hints=(
        "Three lines for each step: the potential, the spike, what is left after it.",
        "u = decay * rest + now; the spike is 1 where u exceeds the threshold; rest is u without the threshold it "
        "spent.",
        "z = (u > threshold).float(); rest = u - threshold * z; begin with rest = 0 and stack the z.",
    ),
    kept=Found("kept the membrane", "the membrane goes on from the last call. Start every call at zero."),
)  # fmt: skip


def _rest(current: Tensor, decay: float, threshold: float) -> Tensor:
    found = run_lif(current, Neuron(decay, threshold))
    return found.potential - threshold * found.spikes


BELOW_THRESHOLD = Question(
    name="below_threshold",
    notebook=1,
    title="A weak input",
    text="A neuron with γ = 0.5 and threshold 0.6 gets the current 0.28 at every step, for ever. When does it fire?",
    answers=(
        Option("at the third step", "add up 0.28 + 0.14 + 0.07 + … : where does the sum end?"),
        Option(
            "after a long time, then regularly", "the sum 0.28 + 0.14 + 0.07 + … stops growing before it gets there."
        ),
        Option("never"),
        Option("at every step from the first", "the first potential is 0.28, which is below 0.6."),
    ),
    reasons=(
        Option("the reset takes it down again", "there is no reset before the first spike."),
        Option("the potential approaches 0.28 / (1 − 0.5) = 0.56, which is below the threshold"),
        Option("the potential grows by 0.28 at every step", "half of it is lost at every step."),
        Option("0.28 is below 0.6", "a current of 0.35 is below 0.6 too, and it fires: the past adds to it."),
    ),
    hints=(
        "What does the membrane hold after many steps without a spike?",
        "A sum whose parts halve has an end: I / (1 − γ).",
        "Compare I / (1 − γ) with the threshold.",
    ),
    afterwards="The smallest current that ever fires is v_th (1 − γ) = 0.3.",
)


def fourth(decay: float, threshold: float, bits: int) -> dict[str, Any]:
    """Steps between spikes of a neuron at current 0.5 whose membrane is rounded to 2^bits values from 0 to 2."""
    step, rest, times = 2.0 / 2**bits, 0.0, []
    for t in range(60):
        u = round((decay * rest + 0.5) / step) * step
        if u > threshold:
            times.append(t)
        rest = u - threshold * (u > threshold)
    gaps = sorted({b - a for a, b in pairwise(times)})
    return {"spikes": len(times), "gaps": gaps, "bytes": 1000 * bits // 8}


EVERY_FOURTH = Design(
    name="every_fourth",
    notebook=1,
    title="A clock of neurons",
    settings={"decay": Real(0.0, 1.0), "threshold": Real(0.1, 3.0), "bits": Whole(1, 32)},
    measure=fourth,
    goals=(
        Goal("went over the budget", "1,000 membranes take {bytes} bytes; the budget is 500. Use fewer bits.",
             lambda found: found["bytes"] <= 500),
        Goal("made the neuron silent", "the neuron never fires: lower the threshold, or let it forget less.",
             lambda found: found["spikes"] > 0),
        Goal("made it fire at every step", "it fires at every step: raise the threshold.",
             lambda found: found["gaps"] != [1]),
        Goal("made it fire too often", "the steps between two spikes are {gaps}: too few. Raise the threshold.",
             lambda found: not found["gaps"] or max(found["gaps"]) >= 4),
        Goal("made it fire too rarely", "the steps between two spikes are {gaps}: too many. Lower the threshold.",
             lambda found: found["gaps"] and min(found["gaps"]) <= 4),
        Goal("made it irregular", "the steps between two spikes are {gaps}; always 4 is asked for.",
             lambda found: found["gaps"] == [4]),
    ),
    hints=(
        "The bits decide the bytes alone: settle them first, then look for decay and threshold.",
        "4 bits are 500 bytes. Without a leak, 0.5 a step comes to 2 after four steps; with a leak, to less.",
        "With decay 0.9 the potentials are about 0.5, 1.0, 1.4, 1.75: put the threshold between the last two.",
    ),
)  # fmt: skip

EXERCISES = (TRACE, LIF, BELOW_THRESHOLD, EVERY_FOURTH)
