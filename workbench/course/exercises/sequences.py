"""Exercises of notebooks 04 and 06: sound, and credit in time."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.course.exercises.design import Design, Goal, OneOf, Real, Whole
from workbench.course.exercises.question import Option, Question
from workbench.course.exercises.spikes import later, trains_of_spikes
from workbench.course.exercises.usual import Found
from workbench.course.exercises.written import Mistake, Written
from workbench.neurons.traces import run_trace


def recurrent_trace(z: Float[Tensor, "time"], decay: float) -> Float[Tensor, "time"]:
    """q[t] = λ q[t−1] + z[t−1] of a layer's own spikes."""
    return run_trace(later(z), decay)


RECURRENT_TRACE = Written(
    name="recurrent_trace",
    notebook=4,
    title="Write the trace of the recurrent weight",
    right=recurrent_trace,
    mistakes=(
        Mistake("heard the present", "the neurons hear each other one step late: use z[t−1], not z[t].", run_trace),
        Mistake("was late by two steps", "it is late by two steps: the trace at step t holds z[t−1].",
                lambda z, decay: later(recurrent_trace(z, decay))),
        Mistake("decayed the new spike too", "λ also multiplies the new spike: q[t] = λ q[t−1] + z[t−1].",
                lambda z, decay: decay * recurrent_trace(z, decay)),
        Mistake("forgot to forget", "it does not forget: q[t−1] has to be multiplied by λ.",
                lambda z, decay: later(z).cumsum(0)),
        Mistake("wrapped around", "at step 0 you read z[−1], which in Python is the last spike: nothing came before.",
                lambda z, decay: run_trace(torch.roll(z, 1), decay)),
        Mistake("took 1 − λ for λ", "λ is the share that stays; you multiply by 1 − λ.",
                lambda z, decay: recurrent_trace(z, 1 - decay)),
        Mistake("only shifted", "this is z one step late: the trace also keeps what came before.",
                lambda z, decay: later(z)),
        Mistake("remembered one step only", "only one step more is remembered: multiply q[t−1], not z[t−2].",
                lambda z, decay: later(z) + decay * later(later(z))),
        Mistake("averaged instead of adding", "this is a running mean: the new spike counts 1.",
                lambda z, decay: (1 - decay) * recurrent_trace(z, decay)),
    ),
    trials=trains_of_spikes,
    hints=(
        "The trace of notebook 1, of a sequence that is one step late.",
        "At step 0 nothing has been heard: the first number is 0. At step t the spike of t − 1 comes in.",
        "q = 0; values = [q]; for spike in z[:-1]: q = decay * q + spike; values.append(q)",
    ),
    kept=Found("forgot the reset", "the trace goes on from the last call. Start every sequence at zero."),
)  # fmt: skip

ALPHA_ZERO = Question(
    name="alpha_zero",
    notebook=4,
    title="Without the non-causal term",
    text="S-TLLR with α_post = 0 has no non-causal term. What need not be carried from step to step any more?",
    answers=(
        Option("the membrane", "the neuron itself needs it, whatever is learned."),
        Option("the trace of ψ, one number per neuron"),
        Option("the trace of the input", "the causal term reads it at every step."),
        Option("a number for every synapse", "S-TLLR never carries one; e-prop does."),
    ),
    reasons=(
        Option("only “post before pre” reads it"),
        Option("α_post multiplies the learning signal", "it multiplies one term of the eligibility."),
        Option("neurons that do not fire need no memory", "ψ is about how close they are, spike or not."),
        Option("its decay is 0 as well", "the decay λ_post is another number; it may be anything here."),
    ),
    hints=(
        "Write down the two terms of the eligibility and what each of them reads.",
        "e = α_pre ψ q + α_post x h. Which letter is left over when α_post = 0?",
        "h, the trace of ψ.",
    ),
)


def carried(neurons: int, rule: str, alpha_post: float) -> dict[str, Any]:
    """Bytes carried from step to step for one recording: 128 inputs, a recurrent layer, 5 outputs, float32."""
    numbers = 2 * neurons + 5
    if rule == "bptt":
        numbers = 60 * 2 * (neurons + 5)
    elif rule == "eprop":
        numbers += (neurons + 1) * (128 + 1 + neurons)
    else:
        numbers += 128 + 2 * neurons + (neurons if alpha_post else 0)
    return {"neurons": neurons, "bytes": 4 * numbers}


REMEMBER = Design(
    name="remember",
    notebook=4,
    title="Five kilobytes",
    settings={"neurons": Whole(1, 1000), "rule": OneOf(("bptt", "eprop", "stllr")), "alpha_post": Real(-1.0, 1.0)},
    measure=carried,
    goals=(
        Goal("made the network too small", "{neurons} neurons are too few: at least 280 are asked for.",
             lambda found: found["neurons"] >= 280),
        Goal("kept every step or every synapse", "this rule carries {bytes:,} bytes; the budget is 5,120. "
             "What does it keep: steps, synapses or neurons?", lambda found: found["bytes"] <= 16_000),
        Goal("went over the budget", "{bytes:,} bytes are carried; the budget is 5,120. Is there a trace that you "
                                     "can drop?",
             lambda found: found["bytes"] <= 5120),
    ),
    hints=(
        "Count what each rule carries for 280 neurons: per step, per synapse, per neuron.",
        "Only S-TLLR comes near. It carries u, z and traces of x, z and ψ.",
        "One of the traces serves the non-causal term only; see the question before this one.",
    ),
)  # fmt: skip


def step(weight: Float[Tensor, ""], delta: Float[Tensor, ""], e: Float[Tensor, ""], rate: float) -> Float[Tensor, ""]:
    """The weight after one step down the gradient δ e."""
    return weight - rate * delta * e


def numbers() -> list[tuple]:
    """Weights, signals, eligibilities and rates of all signs; a signal of 0."""
    rows = [
        (0.5, -1.0, 0.3, 0.1),
        (0.2, 0.7, -0.4, 1.0),
        (-1.5, 2.0, 0.5, 0.01),
        (0.3, 0.0, 0.9, 0.5),
        (0.0, 0.4, 0.6, 2.0),
    ]
    return [(*map(torch.tensor, row[:3]), row[3]) for row in rows]


SIGN = Written(
    name="sign",
    notebook=6,
    title="One step in the right direction",
    right=step,
    mistakes=(
        Mistake("went up the gradient", "the sign is wrong: δ = ∂L/∂z, and the weight goes against the gradient.",
                lambda weight, delta, e, rate: weight + rate * delta * e),
        Mistake("forgot the learning signal", "the learning signal is missing: multiply the eligibility by δ.",
                lambda weight, delta, e, rate: weight - rate * e),
        Mistake("forgot the eligibility", "the eligibility is missing: only synapses that took part may change.",
                lambda weight, delta, e, rate: weight - rate * delta),
        Mistake("gave the change", "the old weight is missing: return the new weight, not the change.",
                lambda weight, delta, e, rate: -rate * delta * e),
        Mistake("gave the gradient", "you give δ e, the gradient; the new weight is asked for.",
                lambda weight, delta, e, rate: delta * e),
        Mistake("forgot the rate", "the learning rate is missing.", lambda weight, delta, e, rate: weight - delta * e),
        Mistake("divided by the rate", "the rate multiplies: a larger rate makes a larger step.",
                lambda weight, delta, e, rate: weight - delta * e / rate),
        Mistake("shrank the weight", "the step does not depend on the weight itself.",
                lambda weight, delta, e, rate: weight - rate * delta * e * weight),
        Mistake("added δ and e", "δ and e are multiplied: a synapse that took no part must not move.",
                lambda weight, delta, e, rate: weight - rate * (delta + e)),
        Mistake("took the absolute value", "signs matter: no absolute value.",
                lambda weight, delta, e, rate: weight - rate * (delta * e).abs()),
        Mistake("took the sign only", "the size of the gradient matters: no sign().",
                lambda weight, delta, e, rate: weight - rate * (delta * e).sign()),
        Mistake("gave back the weight", "nothing has changed: take the step.", lambda weight, delta, e, rate: weight),
    ),
    trials=numbers,
    hints=(
        "Gradient descent: new = old − rate × gradient.",
        "The gradient of this weight is the learning signal times the eligibility.",
        "weight - rate * delta * e",
    ),
)  # fmt: skip


def both_batches(
    first: Float[Tensor, "time"], second: Float[Tensor, "time"], psi: Float[Tensor, "time"], decay: float
) -> Float[Tensor, "2"]:
    """Σ_t ψ[t] q[t] of two recordings, each from an empty trace."""
    return torch.stack([(psi * run_trace(x, decay)).sum() for x in (first, second)])


def _broken_both_batches(first: Tensor, second: Tensor, psi: Tensor, decay: float) -> Tensor:
    """The second recording begins with the trace of the first."""
    q, totals = torch.tensor(0.0), []
    for x in (first, second):
        total = torch.tensor(0.0)
        for t in range(len(x)):
            q = decay * q + x[t]
            total = total + psi[t] * q
        totals.append(total)
    return torch.stack(totals)


def recordings() -> list[tuple]:
    """Two recordings of one length with ψ and a decay."""
    draw = torch.Generator().manual_seed(4)
    sizes = ((6, 0.9), (4, 0.5), (10, 0.8), (3, 0.95), (1, 0.7))
    return [(*(torch.rand(2, t, generator=draw) < 0.6).float(), torch.rand(t, generator=draw), d) for t, d in sizes]


KEPT_TRACE = Written(
    name="kept_trace",
    notebook=6,
    title="Find the bug: blamed for the recording before",
    right=both_batches,
    broken=Mistake("left the bug", "the bug is still there: the first number is right, the second is not. What does "
                                   "q hold "
                   "when the second recording begins?", _broken_both_batches),
    mistakes=(
        Mistake("emptied the trace at every step", "now q is emptied at every step: it must live through one "
                                                   "recording.",
                lambda first, second, psi, decay: torch.stack([(psi * x).sum() for x in (first, second)])),
        Mistake("kept the sum too", "the sums add up: the total begins at 0 for each recording.",
                lambda first, second, psi, decay: both_batches(first, second, psi, decay).cumsum(0)),
        Mistake("gave one number", "one number for each recording is asked for.",
                lambda first, second, psi, decay: both_batches(first, second, psi, decay).sum()),
        Mistake("used the first recording twice", "both numbers are those of the first recording.",
                lambda first, second, psi, decay: both_batches(first, first, psi, decay)),
        Mistake("exchanged the recordings", "the two numbers are exchanged.",
                lambda first, second, psi, decay: both_batches(second, first, psi, decay)),
        Mistake("read the trace late", "now q is read before the present came in.",
                lambda first, second, psi, decay: torch.stack([(psi * later(run_trace(x, decay))).sum()
                                                               for x in (first, second)])),
        Mistake("forgot to forget", "λ got lost.", lambda first, second, psi, decay: torch.stack(
            [(psi * x.cumsum(0)).sum() for x in (first, second)])),
        Mistake("forgot ψ", "ψ got lost.", lambda first, second, psi, decay: torch.stack(
            [run_trace(x, decay).sum() for x in (first, second)])),
        Mistake("counted the last step only", "only the last step is left: add up all steps.",
                lambda first, second, psi, decay: torch.stack([psi[-1] * run_trace(x, decay)[-1]
                                                               for x in (first, second)])),
        Mistake("halved the trace", "q is only made smaller between the recordings; it must be 0.",
                lambda first, second, psi, decay: _faded(first, second, psi, decay)),
    ),
    trials=recordings,
    hints=(
        "Let the first recording be full of spikes and the second one empty. What should come out, what does?",
        "Each recording has its own past. Which line makes q empty, and how often does it run?",
        "Move q = 0 into the outer loop, beside total = 0.",
    ),
)  # fmt: skip


def _faded(first: Tensor, second: Tensor, psi: Tensor, decay: float) -> Tensor:
    left = run_trace(first, decay)[-1]
    return torch.stack(
        [(psi * run_trace(first, decay)).sum(), (psi * run_trace(second, decay, start=decay * left)).sum()]
    )


EPROP_EXACT = Question(
    name="eprop_exact",
    notebook=6,
    title="Where e-prop is exact",
    text="A network of two hidden layers without recurrent weights and a readout that remembers. In which layers does "
    "e-prop give the gradient of backpropagation through time?",
    answers=(
        Option("in both hidden layers", "the first layer also acts through spikes of the second that come later."),
        Option("in the first only", "it is the other way round: what lies above a layer makes the difference."),
        Option("in the last hidden layer only"),
        Option("in none", "measure it: one of the two cosines is 1."),
    ),
    reasons=(
        Option("its eligibility is filtered by the decay of the readout", "true, but it holds for both layers."),
        Option("it leaves out paths through later spikes of a layer above, and there is none above the last"),
        Option("the first layer sees the input itself", "the input decides nothing here: paths to the loss do."),
        Option("a memory of one number per synapse is never exact", "for one layer it is exact."),
    ),
    hints=(
        "By which ways does a spike of each layer reach the loss?",
        "A spike of the first layer changes the membrane of the second, which may fire steps later.",
        "Those later spikes are what e-prop leaves out. The last hidden layer has nobody above it.",
    ),
)

EXERCISES = (RECURRENT_TRACE, ALPHA_ZERO, REMEMBER, SIGN, KEPT_TRACE, EPROP_EXACT)
