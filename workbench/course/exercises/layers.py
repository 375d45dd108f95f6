"""Exercises of notebooks 09 and 10: TESS, and whether a rule is local."""

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.course.exercises.question import Option, Question
from workbench.course.exercises.spikes import later
from workbench.course.exercises.usual import Found
from workbench.course.exercises.written import Mistake, Written
from workbench.neurons.traces import run_trace


def tess_update(
    x: Float[Tensor, "steps inputs"], psi: Float[Tensor, "steps n"], m: Float[Tensor, "steps n"], decay: float
) -> Float[Tensor, "n inputs"]:
    """Σ_t (m[t] ψ[t]) ⊗ q[t]."""
    return (m * psi).T @ run_trace(x, decay)


def layers_in_time() -> list[tuple]:
    """Inputs, ψ and m of a layer: more and fewer inputs than neurons, as many, one step."""
    draw = torch.Generator().manual_seed(0)
    sizes = ((4, 3, 2, 0.5), (6, 2, 5, 0.5), (5, 3, 3, 0.9), (1, 2, 3, 0.7), (8, 4, 2, 0.0))
    return [
        ((torch.rand(t, n, generator=draw) < 0.5).float(), torch.rand(t, k, generator=draw),
         torch.randn(t, k, generator=draw), decay)
        for t, n, k, decay in sizes
    ]  # fmt: skip


TESS_UPDATE = Written(
    name="tess_update",
    notebook=9,
    title="Write the update of a layer",
    right=tess_update,
    mistakes=(
        Mistake("forgot ψ", "ψ is missing: a neuron far from its threshold cannot be changed.",
                lambda x, psi, m, decay: m.T @ run_trace(x, decay)),
        Mistake("forgot the trace", "the trace is missing: q[t] = λ q[t−1] + x[t], not x[t].",
                lambda x, psi, m, decay: (m * psi).T @ x),
        Mistake("left out the present", "the present is missing from the trace.",
                lambda x, psi, m, decay: (m * psi).T @ (run_trace(x, decay) - x)),
        Mistake("counted the last step only", "only the last step counts: add up all steps.",
                lambda x, psi, m, decay: torch.outer(m[-1] * psi[-1], run_trace(x, decay)[-1])),
        Mistake("got the sign wrong", "the sign: m is the sign of a gradient already.",
                lambda *trial: -tess_update(*trial)),
        Mistake("exchanged rows and columns", "rows and columns are exchanged: the result is (neurons, inputs).",
                lambda *trial: tess_update(*trial).T),
        Mistake("averaged over the steps", "this is the mean over the steps; the sum is asked for.",
                lambda x, psi, m, decay: tess_update(x, psi, m, decay) / len(x)),
        Mistake("forgot m", "m is missing: nothing says what was wrong.",
                lambda x, psi, m, decay: psi.T @ run_trace(x, decay)),
        Mistake("multiplied the sums", "multiply step by step, then sum; you sum first.",
                lambda x, psi, m, decay: torch.outer((m * psi).sum(0), run_trace(x, decay).sum(0))),
        Mistake("put the trace on ψ", "the trace belongs to the input, not to ψ.",
                lambda x, psi, m, decay: (m * run_trace(psi, decay)).T @ x),
        Mistake("forgot to forget", "the trace does not forget.", lambda x, psi, m, decay: (m * psi).T @ x.cumsum(0)),
    ),
    trials=layers_in_time,
    hints=(
        "One step first: an outer product of a number per neuron and a number per input.",
        "Per neuron m[t] ψ[t], per input the trace q[t]; add the outer products of all steps.",
        "q = decay * q + x[t]; total += torch.outer(m[t] * psi[t], q)",
    ),
    kept=Found("forgot the reset", "the trace goes on from the last call. Start every call at zero."),
)  # fmt: skip


def own_signal(
    spikes: Float[Tensor, "neurons"], waves: Float[Tensor, "classes neurons"], label: int
) -> Float[Tensor, "neurons"]:
    """m = Bᵀ (softmax(B s) − y)."""
    error = (waves @ spikes).softmax(0)
    error[label] -= 1
    return waves.T @ error


def _broken_own_signal(spikes: Tensor, waves: Tensor, label: int) -> Tensor:
    """The softmax is taken of the spikes' own waves without the spikes, so that the layer has no say."""
    error = waves.sum(1).softmax(0)
    error[label] -= 1
    return waves.T @ error


def _error(spikes: Tensor, waves: Tensor, label: int) -> Tensor:
    error = (waves @ spikes).softmax(0)
    error[label] -= 1
    return error


def _hot(waves: Tensor, label: int) -> Tensor:
    return torch.nn.functional.one_hot(torch.tensor(label), len(waves)).to(waves)


def layers_of_spikes() -> list[tuple]:
    """Spikes of a layer, square waves, each label; a silent layer, one where all fire."""
    draw = torch.Generator().manual_seed(6)
    trials = []
    for neurons, classes, share, label in (
        (6, 3, 0.5, 0),
        (5, 4, 0.4, 2),
        (8, 2, 0.7, 1),
        (4, 3, 0.0, 1),
        (4, 3, 1.0, 2),
    ):
        waves = torch.randn(classes, neurons, generator=draw)
        trials.append(((torch.rand(neurons, generator=draw) < share).float(), waves, label))
    return trials


DEAF_LAYER = Written(
    name="deaf_layer",
    notebook=9,
    title="Find the bug: a layer without a say",
    right=own_signal,
    broken=Mistake("left the bug", "the bug is still there: the signal is the same whatever the layer does. Where do "
                                   "its "
                   "spikes come in?", _broken_own_signal),
    mistakes=(
        Mistake("asked for the class only", "the spikes still have no say: probabilities come from waves times spikes.",
                lambda spikes, waves, label: -waves[label]),
        Mistake("got the sign wrong", "the sign is wrong: m is softmax − y, sent back.",
                lambda *trial: -own_signal(*trial)),
        Mistake("forgot the label", "the label got lost.",
                lambda spikes, waves, label: waves.T @ (waves @ spikes).softmax(0)),
        Mistake("forgot the softmax", "the softmax got lost: similarities are no probabilities.",
                lambda spikes, waves, label: waves.T @ (waves @ spikes - _hot(waves, label))),
        Mistake("gave the error of the classes", "this is one number per class; send it back through the "
                                                 "waves.", _error),
        Mistake("silenced the silent", "neurons that did not fire get a signal too: they may be told to fire.",
                lambda spikes, waves, label: own_signal(spikes, waves, label) * spikes),
        Mistake("averaged the similarities", "divide nothing here: the waves are used as they are.",
                lambda spikes, waves, label: own_signal(spikes / len(spikes), waves, label)),
        Mistake("normalised the spikes", "divide nothing here: the spikes are used as they are.",
                lambda spikes, waves, label: own_signal(spikes / spikes.norm().clamp(min=1e-9), waves, label)),
        Mistake("used sigmoids", "classes exclude each other: softmax.",
                lambda spikes, waves, label: waves.T @ ((waves @ spikes).sigmoid() - _hot(waves, label))),
        Mistake("took the negative spikes", "the similarity has the wrong sign: waves times spikes.",
                lambda spikes, waves, label: own_signal(-spikes, waves, label)),
        Mistake("counted silence as −1", "a silent neuron is 0, not −1.",
                lambda spikes, waves, label: own_signal(2 * spikes - 1, waves, label)),
    ),
    trials=layers_of_spikes,
    hints=(
        "Call it with two different lists of spikes. What changes?",
        "Probabilities come from how much the spikes look like each wave.",
        "error = (waves @ spikes).softmax(0)",
    ),
)  # fmt: skip

TESS_ABOVE = Question(
    name="tess_above",
    notebook=9,
    title="Whom does a layer ask?",
    text="A network learns by TESS. We replace the readout by random weights. What happens to the updates of the two "
    "hidden "
    "layers?",
    answers=(
        Option("both change", "that is S-TLLR, whose errors come from the readout."),
        Option("only the last hidden layer's changes", "it hears from its own waves, not from the readout."),
        Option("only the first one's changes", "nothing comes from above to either."),
        Option("neither changes"),
    ),
    reasons=(
        Option("each layer is taught by its own waves and the label"),
        Option("the readout does not learn in TESS", "it does; but it tells nobody else."),
        Option("the error of the readout gets smaller on its way down", "none is sent down."),
        Option("random weights send no error", "they would send one, as in feedback alignment."),
    ),
    hints=(
        "List what the update of a layer is made of.",
        "q, ψ and m. Where does m come from?",
        "m = Bᵀ(softmax(B s) − y): the layer's own spikes, its own waves, the label.",
    ),
)


def local_in_time(D: Float[Tensor, "steps steps"]) -> bool:
    """Whether no step's update depends on a later step."""
    return not bool((D.triu(1) != 0).any())


def dependences() -> list[tuple]:
    """The past only, the present only, nothing; one look ahead of every distance, tiny, or negative."""
    past = torch.ones(4, 4).tril()
    ahead = []
    for t, s, size in ((1, 2, 1e-9), (0, 3, 1.0), (0, 2, 0.5), (2, 3, -0.5), (1, 3, 2.0)):
        table = past.clone()
        table[t, s] = size
        ahead.append((table,))
    cancelling = torch.zeros(3, 3)
    cancelling[0, 1], cancelling[0, 2] = 1.0, -1.0
    past_only = torch.ones(5, 5).tril(-1)
    return [(past,), *ahead, (torch.eye(4),), (torch.zeros(3, 3),), (cancelling,), (past_only,), (torch.ones(2, 2),),
            (torch.ones(1, 1),)]  # fmt: skip


LOCAL_IN_TIME = Written(
    name="local_in_time",
    notebook=10,
    title="Write a detector",
    right=local_in_time,
    mistakes=(
        Mistake("counted the present", "the present is no later step: leave the diagonal out.",
                lambda D: not bool(D.triu().any())),
        Mistake("looked at the past", "that is the past: D[t, s] with s > t lies above the diagonal.",
                lambda D: not bool(D.tril(-1).any())),
        Mistake("turned it round", "the other way round: say True when nothing is found.",
                lambda D: bool(D.triu(1).any())),
        Mistake("looked one step ahead only", "a step may look further ahead than one: take all that is above the "
                                              "diagonal.",
                lambda D: not bool(D.diagonal(1).any())),
        Mistake("left out the next step", "the next step counts too: the diagonal beside the main one.",
                lambda D: not bool(D.triu(2).any())),
        Mistake("looked at the corner only", "every pair counts, not only the first and the last step.",
                lambda D: D[0, -1] == 0 if len(D) > 1 else True),
        Mistake("let changes cancel", "changes of opposite sign cancel in a sum: ask whether any is not 0.",
                lambda D: bool(D.triu(1).sum() == 0)),
        Mistake("missed negative changes", "a change may be negative: ask whether it is 0.",
                lambda D: not bool((D.triu(1) > 0).any())),
        Mistake("let small changes pass", "a tiny change is a change: not one bit may differ.",
                lambda D: bool(D.triu(1).abs().max() < 1e-6)),
        Mistake("asked for nothing at all", "the past may count: only later steps may not.",
                lambda D: not bool(D.any())),
        Mistake("always said yes", "you always say True: look at D.", lambda D: True),
        Mistake("always said no", "you always say False: look at D.", lambda D: False),
        Mistake("asked whether all depend", "one later step is too many: any, not all.",
                lambda D: not bool((D.triu(1) != 0)[torch.ones_like(D).triu(1) > 0].all())),
        Mistake("asked for symmetry", "D need not be symmetric.", lambda D: bool(torch.equal(D, D.T))),
        Mistake("looked at the first step only", "every step counts, not only the first row.",
                lambda D: not bool(D[0, 1:].any())),
        Mistake("looked at the last step only", "every step counts, not only the last row or column.",
                lambda D: not bool(D[:-1, -1].any())),
    ),
    trials=dependences,
    hints=(
        "Where in the table are the pairs with s > t: a later input, an earlier update?",
        "Above the diagonal. The diagonal itself is the present and is allowed.",
        "not bool(D.triu(1).any())",
    ),
)  # fmt: skip


def online_rate(z: Float[Tensor, "steps"]) -> Float[Tensor, "steps"]:
    """The mean of the spikes so far, at every step."""
    return z.cumsum(0) / torch.arange(1, len(z) + 1)


def _broken_online_rate(z: Float[Tensor, "steps"]) -> Float[Tensor, "steps"]:
    """The mean of the whole recording at every step."""
    return z.mean().expand(len(z))


def spike_counts() -> list[tuple]:
    """Spikes of recordings of several lengths; graded ones; a silent one."""
    draw = torch.Generator().manual_seed(7)
    random = [((torch.rand(t, generator=draw) < 0.5).float(),) for t in (6, 10, 3)]
    return [*random, (torch.tensor([0.0, 0, 1, 1]),), (torch.tensor([0.5, 2.0, -1.0]),), (torch.tensor([1.0]),)]


LOOKS_AHEAD = Written(
    name="looks_ahead",
    notebook=10,
    title="Find the bug: a rate that knows the end",
    right=online_rate,
    broken=Mistake("left the bug", "the bug is still there: the number of step 0 changes when a later spike does. "
                                   "What may "
                   "step t know?", _broken_online_rate),
    mistakes=(
        Mistake("left out the present", "the present is missing: step t knows z[t].",
                lambda z: later(z).cumsum(0) / torch.arange(len(z)).clamp(min=1)),
        Mistake("divided by all steps", "divide by the number of steps so far, not of all.",
                lambda z: z.cumsum(0) / len(z)),
        Mistake("divided by the number of the step", "at step t there are t + 1 steps so far.",
                lambda z: z.cumsum(0) / torch.arange(len(z)).clamp(min=1)),
        Mistake("gave the sum", "this is the sum so far; the mean is asked for.", lambda z: z.cumsum(0)),
        Mistake("counted from the end", "this is the mean of what is still to come.",
                lambda z: z.flip(0).cumsum(0).flip(0) / torch.arange(len(z), 0, -1)),
        Mistake("took the last two steps", "this is the mean of the last two steps; all so far count.",
                lambda z: (z + later(z)) / 2),
        Mistake("used a trace", "this is a trace, which forgets; all steps so far count the same.",
                lambda z: run_trace(z, 0.5) / 2),
        Mistake("gave back the input", "this is z itself.", lambda z: z),
        Mistake("divided by one too many", "at step t there are t + 1 steps so far, not t + 2.",
                lambda z: z.cumsum(0) / torch.arange(2, len(z) + 2)),
        Mistake("gave one number", "a number for every step is asked for.", lambda z: z.mean()),
    ),
    trials=spike_counts,
    hints=(
        "Change the last spike and look which numbers change.",
        "Step t may use z[0] … z[t]: a running sum, divided by how many there are.",
        "z.cumsum(0) / torch.arange(1, len(z) + 1)",
    ),
)  # fmt: skip

AUDIT_BIT = Question(
    name="audit_bit",
    notebook=10,
    title="A tiny change",
    text="In an audit the update of the first layer changes by 0.0000001 of its size when the weights of the readout "
    "are "
    "replaced. What follows?",
    answers=(
        Option(
            "the rule is local in space: that is nothing", "a rule that does not see the readout changes by nothing."
        ),
        Option("the rule is not local in space"),
        Option("nothing: it may be rounding", "the same computation on the same numbers rounds the same way."),
        Option("the rule is not local in time", "the readout was replaced, not a later input."),
    ),
    reasons=(
        Option("with the same inputs the same operations give the same bits; so something that was replaced took part"),
        Option("7 digits are all that float32 has", "equal operations give equal bits in any format."),
        Option("readouts always matter", "not to a rule with a signal of its own."),
        Option("small errors grow from layer to layer", "that would matter if one came down at all."),
    ),
    hints=(
        "What does a local rule compute with, and was any of it replaced?",
        "If nothing of it was replaced, how many bits may differ?",
        "None. So one that differs is a proof.",
    ),
)

EXERCISES = (TESS_UPDATE, DEAF_LAYER, TESS_ABOVE, LOCAL_IN_TIME, LOOKS_AHEAD, AUDIT_BIT)
