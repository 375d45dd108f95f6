"""Exercises of notebook 16: a rule of one's own, held against autograd and against the audit."""

import contextlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import torch
from jaxtyping import Float, Float64, Int64, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.audit import time_dependence, updates_by_step
from workbench.course.exercises.proved import Law, Proved
from workbench.course.exercises.question import Option, Question
from workbench.course.exercises.spikes import later
from workbench.course.exercises.written import Mistake, Written
from workbench.credit import Ran, Step, Stepwise, attach, stepwise
from workbench.meters import untouched
from workbench.networks import SpikingLayer, SpikingMLP, advance, seeded, spiking_logits
from workbench.neurons import Neuron, run_trace
from workbench.rule import StepReport

RunStep = Callable[[Step], Ran]
Spikes = Float64[Tensor, "time batch 4"]
Classes = Int64[Tensor, " batch"]
Traces = Float[Tensor, "time inputs"]
STEPS, LONG = 4, 16  # of a short sequence, and of one after which a trace has faded


def slow_and_fast(step: Step) -> Ran:
    """A rule that learns from what is new: a fast trace minus a slow one."""
    gamma, rho = step.layer.neuron.decay, 0.9
    neurons, q, r, (one, slow) = step.state or (None, 0.0, 0.0, (0.0, 0.0))
    ran = advance(step.layer, step.x, step.weights, neurons)
    x = step.x[0].detach()
    q, r = gamma * q + x, rho * r + (1 - rho) * x
    one, slow = gamma * one + 1, rho * slow + 1 - rho
    return Ran(attach(step, ran, q - r, one=one - slow), (ran.neurons, q, r, (one, slow)))


def of_one_step(step: Step) -> Ran:
    """A rule without any memory: p = x."""
    ran = advance(step.layer, step.x, step.weights, step.state)
    return Ran(attach(step, ran, step.x[0].detach()), ran.neurons)


@cache
def network() -> SpikingMLP:
    """Two hidden layers in float64 that both fire and learn; the same weights every time, and no bias."""
    with seeded(0):
        made = SpikingMLP([4, 3, 3], 2, Neuron(0.7, 0.6), standardize=False).double()
    draw = torch.Generator().manual_seed(48)
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(0.7 * torch.randn(weight.shape, generator=draw) if weight.ndim > 1 else weight * 0)
    return made


@cache
def batch(steps: int = STEPS) -> tuple[Spikes, Classes]:
    """Spikes of two samples, the first input at every step, and their classes."""
    x = (torch.rand(steps, 2, 4, generator=torch.Generator().manual_seed(0)) < 0.6).double()
    x[..., 0] = 1
    return x, torch.tensor([0, 1])


def layers() -> list[SpikingLayer]:
    """Its hidden layers."""
    return [layer for layer in network().hidden if isinstance(layer, SpikingLayer)]


@contextlib.contextmanager
def learned(run_step: RunStep, x: Spikes, y: Classes, last_steps: int | None = None) -> Iterator[StepReport]:
    """Inside, the small network holds the gradients of a rule, and afterwards nothing of it."""
    with untouched(network()):
        yield stepwise.gradients(network(), x, y, Stepwise(run_step, last_steps))


def updates(run_step: RunStep, x: Spikes, y: Classes, last_steps: int | None = None) -> list[Float64[Tensor, "_ _"]]:
    """What a rule makes of each hidden layer, its bias in the last column."""
    with learned(run_step, x, y, last_steps):
        return [_gradient(layer.connection) for layer in layers()]


def _gradient(connection: nn.Module) -> Tensor:
    weight, bias = (p.grad if p.grad is not None else torch.zeros_like(p) for p in connection.parameters())
    return torch.cat([weight, bias[:, None]], 1).detach().clone()


def by_autograd(x: Float64[Tensor, "batch 4"], y: Classes) -> list[Float64[Tensor, "_ _"]]:
    """Backpropagation through one step, written out, ψ in place of a spike's slope; without biases."""
    weights = [layer.connection.weight.detach().clone().requires_grad_() for layer in layers()]
    for layer, weight in zip(layers(), weights, strict=True):
        u = x @ weight.T
        psi = layer.psi(u.detach() - layer.neuron.threshold)
        x = (u.detach() > layer.neuron.threshold).double() + psi * (u - u.detach())
    loss = F.cross_entropy(network().readout.connection(x), y)
    return list(torch.autograd.grad(loss, weights))


def cosine(first: list[Float[Tensor, "_ _"]], second: list[Float[Tensor, "_ _"]]) -> list[float]:
    """Of the angle between two updates, layer by layer."""
    return [float(F.cosine_similarity(a.flatten(), b.flatten(), 0)) for a, b in zip(first, second, strict=True)]


class _Seen(Exception):
    """Ends a run in which enough was seen."""


def returned(run_step: RunStep, calls: int) -> list[Any]:
    """What the first calls return, the layers of one step after one another."""
    found: list[Any] = []

    def watched(step: Step) -> Ran:
        if len(found) == calls:
            raise _Seen
        found.append(run_step(step))
        return found[-1]

    with contextlib.suppress(_Seen), learned(watched, *batch()):
        pass
    return found


def first(run_step: RunStep) -> Any:
    """What the first call returns, whatever it is."""
    found: list[Any] = []

    def watched(step: Step) -> Ran:
        found.append(run_step(step))
        raise _Seen

    with contextlib.suppress(_Seen), learned(watched, *batch()):
        pass
    return found[0]


def tensors(state: Any) -> Iterator[Shaped[Tensor, "..."]]:
    """All tensors of a state, in whatever it keeps them."""
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, dict):
        yield from tensors(list(state.values()))
    elif isinstance(state, tuple | list):
        for part in state:
            yield from tensors(part)


def in_one_step(run_step: RunStep) -> list[float]:
    """Cosines to backpropagation where there is no past."""
    x, y = batch(1)
    return cosine([update[:, :-1] for update in updates(run_step, x, y)], by_autograd(x[0], y))


def kept_size(run_step: RunStep, steps: int) -> int:
    """Numbers in the state of the first layer when it has run."""
    states = [ran[1] for ran in returned(run_step, 2 * steps)]
    return sum(each.numel() for each in tensors(states[-2]))


def fires_alike(run_step: RunStep, steps: int) -> bool:
    """Whether the network answers as it does without a rule."""
    x, y = batch(steps)
    with learned(run_step, x, y) as report:
        return torch.allclose(report.logits, spiking_logits(network(), x), atol=1e-9)


def keeps_samples_apart(run_step: RunStep) -> bool:
    """Whether a batch learns the mean of what its samples do."""
    x, y = batch()
    singles = [updates(run_step, x[:, n : n + 1], y[n : n + 1]) for n in range(len(y))]
    means = [torch.stack(each).mean(0) for each in zip(*singles, strict=True)]
    return all(map(torch.allclose, updates(run_step, x, y), means))


def treats_the_bias_as_a_weight(run_step: RunStep) -> bool:
    """Whether a bias learns as the weight of an input does that is always 1."""
    update = updates(run_step, *batch())[0]
    return torch.allclose(update[:, 0], update[:, -1])


def gives_the_same_again(run_step: RunStep) -> bool:
    """Whether a second run is the first once more."""
    return all(map(torch.equal, updates(run_step, *batch()), updates(run_step, *batch())))


def knows_nothing_later(run_step: RunStep) -> bool:
    """The audit: no step's update changes with the input of a later one."""
    by_step = partial(stepwise.online, rule=Stepwise(run_step))
    return time_dependence(network(), *batch(), updates_by_step(by_step)).later == 0


@cache
def without_memory() -> list[Float64[Tensor, "_ _"]]:
    """What the rule makes of the batch that knows the present only."""
    return updates(of_one_step, *batch())


def remembers(run_step: RunStep) -> bool:
    """Whether it is another rule than the one without memory."""
    return min(cosine(updates(run_step, *batch()), without_memory())) < 1 - 1e-9


def forgets(run_step: RunStep) -> bool:
    """Whether a step counts less after many silent ones."""
    x, y = torch.zeros(LONG, 1, 4, dtype=torch.float64), batch()[1][:1]
    x[0] = 1e-3  # so little that no membrane notices: only p tells the two apart
    new, old = (updates(run_step, x[:steps], y, last_steps=1)[0][:, :-1] for steps in (1, LONG))
    return bool(old.norm() < 0.9 * new.norm())


OWN_RULE = Proved(
    name="own_rule",
    notebook=16,
    title="A rule of your own",
    right=slow_and_fast,
    laws=(
        Law("returned nothing", "your step returns nothing: it gives Ran(spikes, state).",
            lambda step: first(step) is not None),
        Law("gave no spikes and state", "your step gives Ran(spikes, state), the state a tuple for the next step.",
            lambda step: isinstance(first(step), tuple) and len(first(step)) in (2, 3)
            and isinstance(first(step)[0], Tensor) and isinstance(first(step)[1], tuple)),
        Law("changed the spikes", "the network fires otherwise than without your rule: give the spikes that attach "
                                  "gives, as they are.",
            lambda step: fires_alike(step, 1)),
        Law("kept the graph", "your state hangs on the graph of this step, so that errors would go back in time: "
                              "detach what you carry on, step.x[0].detach().",
            lambda step: not any(each.requires_grad for ran in returned(step, 2) for each in tensors(ran[1]))),
        Law("forgot the membranes", "in the second step the membranes are gone: hand ran.neurons on in the state, and "
                                    "give it to advance.",
            lambda step: fires_alike(step, STEPS)),
        Law("learned nothing", "the update is 0: what a layer learns from must be hung on its spikes, by attach.",
            lambda step: all(float(update.norm()) > 1e-9 for update in updates(step, *batch()))),
        Law("kept something between two calls", "a second run gives another update: what is carried from step to step "
                                                "belongs into the state, which is None at the start.",
            gives_the_same_again),
        Law("got the sign wrong", "the sign is wrong: in a single step your update points away from backpropagation's. "
                                  "It is a gradient; the optimiser goes against it.",
            lambda step: max(in_one_step(step)) > 1e-9 - 1),
        Law("left backpropagation in a single step", "in a single step there is no past, p can only be the input times "
                                                     "a number, and the update must point where backpropagation "
                                                     "points; yours does not.",
            lambda step: min(in_one_step(step)) > 1 - 1e-9),
        Law("mixed the samples", "the samples of a batch learn from each other: a batch must learn the mean of what "
                                 "each of its samples learns alone.", keeps_samples_apart),
        Law("forgot the past", "nothing is remembered: your p is the input of this step alone. Read step.state, and "
                               "hand your trace on in it.", remembers),
        Law("forgot the bias", "a bias is the weight of an input that is always 1: make the trace of that 1 as well, "
                               "and give it to attach, one=….", treats_the_bias_as_a_weight),
        Law("kept every step", "your state grows with the number of steps; a trace is one number for each input.",
            lambda step: kept_size(step, 2) == kept_size(step, STEPS)),
        Law("never forgot", "after many silent steps the first one counts as much as ever: let the trace fade.",
            forgets),
        Law("learned from later steps", "the audit finds that a step's update depends on later inputs.",
            knows_nothing_later),
    ),
    hints=(
        "Begin with run_step of this notebook and change what is carried on: which past should count?",
        "Read the state (None at the start), advance the layer, renew your trace from step.x[0].detach() and that of "
        "the bias's 1, attach, and return spikes and the new state.",
        "The slow trace alone: q = 0.9 * q + 0.1 * x, one = 0.9 * one + 0.1, attach(step, ran, q, one=one), and "
        "Ran(spikes, (ran.neurons, q, one)).",
    ),
    told="In a single step it is backpropagation, it remembers and forgets, and the audit finds no later step in it.",
)  # fmt: skip


def new_part(x: Traces, gamma: float, rho: float) -> Traces:
    """p = q − r at every step: a fast trace minus an average that forgets slowly."""
    return run_trace(x, gamma) - (1 - rho) * run_trace(x, rho)


def both(x: Traces, gamma: float, rho: float) -> tuple[Traces, Traces]:
    """The two traces."""
    return run_trace(x, gamma), (1 - rho) * run_trace(x, rho)


def trains() -> list[tuple]:
    """Spikes of a few inputs and several decays: one spike, many, none at the start, a single step, graded ones."""
    draw = torch.Generator().manual_seed(0)
    spikes = [(torch.rand(steps, inputs, generator=draw) < 0.5).float() for steps, inputs in ((7, 3), (12, 1), (5, 2))]
    one = torch.zeros(6, 2)
    one[1, 0] = 1
    decays = ((0.7, 0.9), (0.5, 0.8), (0.9, 0.5), (0.6, 0.95))
    calls = [(x, *pair) for x, pair in zip([one, *spikes], decays, strict=True)]
    return [*calls, (torch.ones(1, 2), 0.5, 0.75), (torch.rand(8, 2, generator=draw), 0.3, 0.6)]


NEW_PART = Written(
    name="new_part",
    notebook=16,
    title="Find the bug in the traces",
    right=new_part,
    broken=Mistake("left the bug", "the difference is not yet what the definition says: try one spike. What should p "
                                   "be in its step, what is it?",
                   lambda x, gamma, rho: both(x, gamma, rho)[0] - later(both(x, gamma, rho)[1])),
    mistakes=(
        Mistake("read both traces too early", "p comes one step late: both traces are read before this step's input "
                                              "has come in.",
                lambda x, gamma, rho: later(new_part(x, gamma, rho))),
        Mistake("read the fast trace too early", "now the fast trace is read before this step's input has come in.",
                lambda x, gamma, rho: later(both(x, gamma, rho)[0]) - both(x, gamma, rho)[1]),
        Mistake("gave the slow trace the whole input", "the slow trace is an average: its input counts 1 − ρ.",
                lambda x, gamma, rho: run_trace(x, gamma) - run_trace(x, rho)),
        Mistake("averaged the fast trace too", "only the slow trace is an average: the fast one takes the whole input.",
                lambda x, gamma, rho: (1 - gamma) * run_trace(x, gamma) - (1 - rho) * run_trace(x, rho)),
        Mistake("swapped the decays", "γ and ρ are swapped: the fast trace fades with γ.",
                lambda x, gamma, rho: new_part(x, rho, gamma)),
        Mistake("added the traces", "p is what the fast trace has beyond the slow one: a difference.",
                lambda x, gamma, rho: sum(both(x, gamma, rho))),
        Mistake("gave the fast trace only", "the slow trace is missing.", lambda x, gamma, rho: run_trace(x, gamma)),
        Mistake("gave the slow trace only", "the fast trace is missing.",
                lambda x, gamma, rho: (1 - rho) * run_trace(x, rho)),
        Mistake("took one decay for both", "both traces fade with γ; the slow one fades with ρ.",
                lambda x, gamma, rho: rho * run_trace(x, gamma)),
        Mistake("averaged the fast trace in place of the input", "the slow trace averages the input, not the fast one.",
                lambda x, gamma, rho: run_trace(x, gamma) - (1 - rho) * run_trace(run_trace(x, gamma), rho)),
        Mistake("took the slow trace from the input", "take away the average of the past, not this step's input.",
                lambda x, gamma, rho: run_trace(x, gamma) - (1 - rho) * x),
        Mistake("forgot to forget", "the fast trace does not forget: multiply it by γ at each step.",
                lambda x, gamma, rho: new_part(x, 1.0, rho)),
    ),
    trials=trains,
    hints=(
        "Try one spike in step 0. By the definition p[0] = 1 − (1 − ρ) = ρ. What comes here?",
        "Both traces hold this step's input when they are read: q does, does r?",
        "Renew q and r, both, before p takes their difference.",
    ),
)  # fmt: skip

PROOF_AND_AUDIT = Question(
    name="proof_and_audit",
    notebook=16,
    title="The proof holds, the audit does not",
    text="You write a rule and its definition. Both give the same numbers to twelve digits. The audit finds that the "
    "update of step 3 changes with the input of step 5. Where is the fault?",
    answers=(
        Option("in the audit", "it changes an input and looks whether the update has the same bits; it cannot err so."),
        Option("in the fast form only", "then the two would not agree."),
        Option("in the idea: the definition itself looks ahead"),
        Option("nowhere: twelve digits are a proof", "of the two being equal, and of nothing else."),
    ),
    reasons=(
        Option("equal forms share what is wrong with both: a proof of equality says nothing of locality"),
        Option("float64 is not precise enough", "a dependence on later steps is no matter of digits."),
        Option("a fast form must always look ahead", "a trace never does."),
        Option("the audit replaces weights, too", "in time it replaces inputs only."),
    ),
    hints=(
        "What did the proof compare, and what did it not look at?",
        "Both forms agree, so both depend on step 5. Which of them came first?",
        "Write the sum of the definition down: over which k does it go, up to t or to the end?",
    ),
)

EXERCISES = (OWN_RULE, NEW_PART, PROOF_AND_AUDIT)
