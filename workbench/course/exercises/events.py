"""Exercises of notebooks 03 and 05: S-TLLR on events and on motion."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from workbench.course.exercises.question import Option, Question
from workbench.course.exercises.spikes import later
from workbench.course.exercises.usual import Found
from workbench.course.exercises.written import Mistake, Written
from workbench.neurons.traces import run_trace


def readout_signal(
    logits: Float[Tensor, "batch classes"], labels: Int[Tensor, "batch"]
) -> Float[Tensor, "batch classes"]:
    """∂L/∂o of the mean cross-entropy: (softmax(o) − onehot(y)) / B."""
    return (logits.softmax(1) - F.one_hot(labels, logits.shape[1])) / len(logits)


def outputs_with_labels() -> list[tuple]:
    """Outputs of a batch with its labels: more and fewer samples than classes, one sample, large numbers."""
    draw = torch.Generator().manual_seed(0)
    sizes = ((4, 3), (2, 5), (1, 4), (6, 2), (3, 3))
    trials = [(torch.randn(*size, generator=draw), torch.randint(size[1], size[:1], generator=draw)) for size in sizes]
    return [*trials, (20 * trials[0][0], trials[0][1])]


def _one_hot(o: Tensor, y: Tensor) -> Tensor:
    return F.one_hot(y, o.shape[1]).to(o)


READOUT_SIGNAL = Written(
    name="readout_signal",
    notebook=3,
    title="Derive the learning signal",
    right=readout_signal,
    mistakes=(
        Mistake("got the sign wrong", "the sign is wrong: ∂L/∂o is p − y, not y − p.",
                lambda o, y: -readout_signal(o, y)),
        Mistake("forgot the mean over the batch", "L is the mean over the batch: divide by the number of samples.",
                lambda o, y: len(o) * readout_signal(o, y)),
        Mistake("divided by the classes", "divide by the number of samples, not of classes.",
                lambda o, y: (o.softmax(1) - _one_hot(o, y)) / o.shape[1]),
        Mistake("took the softmax over the batch", "softmax goes over the classes, dimension 1, not over the samples.",
                lambda o, y: (o.softmax(0) - _one_hot(o, y)) / len(o)),
        Mistake("forgot the softmax", "outputs are no probabilities: take the softmax first.",
                lambda o, y: (o - _one_hot(o, y)) / len(o)),
        Mistake("forgot the label", "the label is missing: subtract 1 at the right class.",
                lambda o, y: o.softmax(1) / len(o)),
        Mistake("gave the loss", "you give −log p, the loss; its derivative is asked for.",
                lambda o, y: -o.log_softmax(1) * _one_hot(o, y) / len(o)),
        Mistake("kept the right class only", "the other classes count too: their probability should fall.",
                lambda o, y: readout_signal(o, y) * _one_hot(o, y)),
        Mistake("used sigmoids", "classes exclude each other: softmax, not a sigmoid for each.",
                lambda o, y: (o.sigmoid() - _one_hot(o, y)) / len(o)),
        Mistake("squared the error", "this is the derivative of a squared error of p; cross-entropy gives p − y alone.",
                lambda o, y: 2 * readout_signal(o, y)),
        Mistake("summed over the batch", "each sample keeps its own row.", lambda o, y: readout_signal(o, y).sum(0)),
    ),
    trials=outputs_with_labels,
    hints=(
        "One sample first: L = −log p_y with p = softmax(o). What is ∂L/∂o_c for c = y, and for the others?",
        "For the right class it is p_c − 1, for the others p_c. Then the mean over the batch.",
        "(logits.softmax(1) - torch.nn.functional.one_hot(labels, classes)) / len(logits)",
    ),
)  # fmt: skip


def update(
    x: Float[Tensor, "time"], psi: Float[Tensor, "time"], delta: Float[Tensor, "time"], decay: float
) -> Float[Tensor, ""]:
    """Σ_t δ[t] ψ[t] q[t] of one synapse, q with the present."""
    return (delta * psi * run_trace(x, decay)).sum()


def _broken_update(
    x: Float[Tensor, "time"], psi: Float[Tensor, "time"], delta: Float[Tensor, "time"], decay: float
) -> Tensor:
    """The trace is read before the present came in."""
    q, total = torch.tensor(0.0), torch.tensor(0.0)
    for t in range(len(x)):
        total = total + delta[t] * psi[t] * q
        q = decay * q + x[t]
    return total


def signals() -> list[tuple]:
    """Input, ψ and δ of both signs; the first step alone; random ones."""
    draw = torch.Generator().manual_seed(2)
    random = [
        (
            (torch.rand(t, generator=draw) < 0.5).float(),
            torch.rand(t, generator=draw),
            torch.randn(t, generator=draw),
            d,
        )
        for t, d in ((8, 0.5), (12, 0.9), (5, 0.0), (20, 0.75))
    ]
    one = torch.ones(1)
    return [*random, (one, 0.5 * one, -one, 0.5)]


LATE_TRACE = Written(
    name="late_trace",
    notebook=3,
    title="Find the bug: a rule that trains, but late",
    right=update,
    broken=Mistake("left the bug", "the bug is still there: with an input at step 0 and a signal at step 0 nothing is "
                   "learned. Which of the two lines of the loop comes first?", _broken_update),
    mistakes=(
        Mistake("left out the decay", "λ got lost: q[t] = λ q[t−1] + x[t].",
                lambda x, psi, delta, decay: (delta * psi * x.cumsum(0)).sum()),
        Mistake("forgot the trace", "the trace got lost: only the present input is left.",
                lambda x, psi, delta, decay: (delta * psi * x).sum()),
        Mistake("forgot ψ", "ψ got lost.", lambda x, psi, delta, decay: (delta * run_trace(x, decay)).sum()),
        Mistake("forgot the signal", "δ got lost: without it nobody says what was wrong.",
                lambda x, psi, delta, decay: (psi * run_trace(x, decay)).sum()),
        Mistake("put the signal late", "now δ and ψ are late; they belong to the same step as q.",
                lambda x, psi, delta, decay: (later(delta * psi) * run_trace(x, decay)).sum()),
        Mistake("decayed the new spike too", "λ also multiplies the new spike.",
                lambda x, psi, delta, decay: decay * update(x, psi, delta, decay)),
        Mistake("got the sign wrong", "the sign turned: δ is ∂L/∂z, and the sum is a gradient.",
                lambda x, psi, delta, decay: -update(x, psi, delta, decay)),
        Mistake("counted the last step only", "only the last step is left: add up all steps.",
                lambda x, psi, delta, decay: delta[-1] * psi[-1] * run_trace(x, decay)[-1]),
        Mistake("counted the present twice", "the present counts twice: x[t] is in q already.",
                lambda x, psi, delta, decay: (delta * psi * (run_trace(x, decay) + x)).sum()),
        Mistake("put the trace on ψ", "the trace belongs to the input x, not to ψ.",
                lambda x, psi, delta, decay: (delta * x * run_trace(psi, decay)).sum()),
    ),
    trials=signals,
    hints=(
        "Follow one input at step 0: when is it first used?",
        "q must hold x[t] when δ[t] ψ[t] q[t] is taken.",
        "Exchange the two lines of the loop.",
    ),
    kept=Found("forgot the reset", "the trace goes on from the last call. Start every call at zero."),
)  # fmt: skip

MEMORY_GROWTH = Question(
    name="memory_growth",
    notebook=3,
    title="Twice as long",
    text="Recordings become twice as long: 40 steps instead of 20. S-TLLR runs as before, 4 steps at once. How many "
    "bytes "
    "does it hold now?",
    answers=(
        Option("twice as many", "that is BPTT, which keeps every step until the end."),
        Option("four times as many", "nothing here grows faster than the recording."),
        Option("as many as before"),
        Option("half as many", "nothing gets smaller when there is more to read."),
    ),
    reasons=(
        Option("a trace is one number per neuron, however long the past is"),
        Option("each step's input is kept for the weight gradient", "only those of the steps that run at once are."),
        Option("the recording is cut in the middle", "the traces go on through the whole recording."),
        Option("most spikes are 0", "they are stored like the others here."),
    ),
    hints=(
        "What does a synapse need of the steps that are over?",
        "Count the numbers in q and h: do they depend on the number of steps?",
        "q[t] replaces q[t−1]; nothing else of the past is kept.",
    ),
    afterwards="Notebook 3 measures it.",
)


def endpoint_error(flow: Float[Tensor, "2 rows columns"], truth: Float[Tensor, "2 rows columns"]) -> Float[Tensor, ""]:
    """The mean over pixels of the distance of two flows."""
    return (flow - truth).square().sum(0).sqrt().mean()


def flows() -> list[tuple]:
    """Two flows of several sizes; equal ones, one pixel."""
    draw = torch.Generator().manual_seed(0)
    flow = torch.arange(12.0).view(2, 2, 3)
    random = [(torch.randn(2, r, c, generator=draw), torch.randn(2, r, c, generator=draw)) for r, c in ((3, 4), (1, 5))]
    pixel = (torch.tensor([3.0, 4.0]).view(2, 1, 1), torch.zeros(2, 1, 1))
    return [(flow, flow.flip(0)), (flow.square() / 10, torch.ones(2, 2, 3)), *random, pixel, (flow, flow)]


ENDPOINT_ERROR = Written(
    name="endpoint_error",
    notebook=5,
    title="Write the end-point error",
    right=endpoint_error,
    mistakes=(
        Mistake("left out the root", "the root is missing: the distance is √(Δx² + Δy²).",
                lambda flow, truth: (flow - truth).square().sum(0).mean()),
        Mistake("added Δx and Δy", "this is |Δx| + |Δy|, as in a city of blocks: use √(Δx² + Δy²).",
                lambda flow, truth: (flow - truth).abs().sum(0).mean()),
        Mistake("averaged x and y", "x and y are averaged as if they were pixels: add their squares first.",
                lambda flow, truth: (flow - truth).abs().mean()),
        Mistake("took one root of all", "one root of all pixels together: first the distance at each pixel, then the "
                                        "mean.",
                lambda flow, truth: (flow - truth).square().sum(0).mean().sqrt()),
        Mistake("took the mean square", "this is the mean square of all numbers; first a distance at each pixel.",
                lambda flow, truth: (flow - truth).square().mean()),
        Mistake("took the root mean square", "this is the root of the mean square of all numbers.",
                lambda flow, truth: (flow - truth).square().mean().sqrt()),
        Mistake("summed over the pixels", "the sum over pixels; the mean is asked for.",
                lambda flow, truth: (flow - truth).norm(dim=0).sum()),
        Mistake("gave a map", "you give a map; the mean over its pixels is asked for.",
                lambda flow, truth: (flow - truth).norm(dim=0)),
        Mistake("took one norm of all", "this is one length for the whole picture: one for each pixel, then the mean.",
                lambda flow, truth: (flow - truth).norm()),
        Mistake("compared lengths", "only the lengths are compared; two arrows of one length may point apart.",
                lambda flow, truth: (flow.norm(dim=0) - truth.norm(dim=0)).abs().mean()),
        Mistake("forgot the truth", "this is the length of the flow itself: subtract the truth.",
                lambda flow, truth: flow.norm(dim=0).mean()),
        Mistake("took the largest", "this is the worst pixel; the mean is asked for.",
                lambda flow, truth: (flow - truth).norm(dim=0).max()),
        Mistake("summed along the wrong axis", "the two components are the first dimension.",
                lambda flow, truth: (flow - truth).square().sum(-1).sqrt().mean()),
    ),
    trials=flows,
    hints=(
        "Three things, from inside out: difference, length at each pixel, mean.",
        "The length is taken over the first dimension, which has size 2: square, sum(0), root.",
        "(flow - truth).square().sum(0).sqrt().mean()",
    ),
)  # fmt: skip


def masked_error(
    flow: Float[Tensor, "2 rows columns"], truth: Float[Tensor, "2 rows columns"], events: Float[Tensor, "rows columns"]
) -> Float[Tensor, ""]:
    """The end-point error where there were events, 0 where there were none anywhere."""
    distance, seen = (flow - truth).norm(dim=0), events > 0
    return distance[seen].mean() if seen.any() else torch.zeros(())


def _broken_masked_error(flow: Tensor, truth: Tensor, events: Tensor) -> Tensor:
    """Pixels without events count as hits."""
    return ((flow - truth).norm(dim=0) * (events > 0)).mean()


def flows_with_events() -> list[tuple]:
    """Flows with counts of events: some, everywhere, nowhere."""
    draw = torch.Generator().manual_seed(3)
    trials = []
    for rows, columns, share in ((3, 4, 0.5), (2, 2, 1.0), (2, 3, 0.0), (4, 4, 0.3), (1, 6, 0.6)):
        flow, truth = torch.randn(2, 2, rows, columns, generator=draw)
        events = (torch.rand(rows, columns, generator=draw) < share) * torch.randint(
            1, 4, (rows, columns), generator=draw
        )
        trials.append((flow, truth, events.float()))
    return trials


EVENTS_ONLY = Written(
    name="events_only",
    notebook=5,
    title="Find the bug: an error that is too good",
    right=masked_error,
    broken=Mistake("left the bug", "the bug is still there: with events at half of the pixels the error is half of "
                                   "what "
                   "it should be. By how many pixels is the sum divided?", _broken_masked_error),
    mistakes=(
        Mistake("counted all pixels", "all pixels count in yours: only those with events may.",
                lambda flow, truth, events: (flow - truth).norm(dim=0).mean()),
        Mistake("weighed by the number of events", "a pixel counts once, however many events it had.",
                lambda flow, truth, events: ((flow - truth).norm(dim=0) * events).sum() / events.sum().clamp(min=1)),
        Mistake("took the pixels without events", "you take the pixels without events.",
                lambda flow, truth, events: _where(flow, truth, events == 0)),
        Mistake("divided by the number of events", "divide by the number of pixels that had events, not by the events.",
                lambda flow, truth, events: (flow - truth).norm(dim=0)[events > 0].sum() / events.sum().clamp(min=1)),
        Mistake("summed over the pixels", "this is the sum; divide by the number of pixels with events.",
                lambda flow, truth, events: ((flow - truth).norm(dim=0) * (events > 0)).sum()),
        Mistake("wanted more than one event", "one event is enough: > 0.",
                lambda flow, truth, events: _where(flow, truth, events > 1)),
        Mistake("masked the flow only", "only the flow is masked: the truth still counts where nothing was seen.",
                lambda flow, truth, events: (flow * (events > 0) - truth).norm(dim=0).mean()),
        Mistake("left out the root", "the root is missing.",
                lambda flow, truth, events: _where(flow, truth, events > 0, squared=True)),
        Mistake("averaged x and y", "x and y are averaged as if they were pixels.",
                lambda flow, truth, events: (flow - truth).abs().mean(0)[events > 0].nanmean().nan_to_num()),
    ),
    trials=flows_with_events,
    hints=(
        "Let only one pixel of four have events, with an error of 1. What comes out?",
        "The mean divides by all pixels. Take the mean over those that had events, and mind the case that none had.",
        "seen = events > 0; distance[seen].mean() if seen.any() else 0",
    ),
)  # fmt: skip


def _where(flow: Tensor, truth: Tensor, seen: Tensor, squared: bool = False) -> Tensor:
    distance = (flow - truth).square().sum(0) if squared else (flow - truth).norm(dim=0)
    return distance[seen].mean() if seen.any() else torch.zeros(())


EXERCISES = (READOUT_SIGNAL, LATE_TRACE, MEMORY_GROWTH, ENDPOINT_ERROR, EVENTS_ONLY)
