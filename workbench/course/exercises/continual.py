"""Exercises of notebook 12: new tasks in free directions."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.course.exercises.design import Design, Goal, Real, Whole
from workbench.course.exercises.written import Mistake, Written


def protected_step(G: Float[Tensor, "n_out d"], C: Float[Tensor, "d d"]) -> Float[Tensor, "n_out d"]:
    """What the conceptor lets through of a step: G − G C."""
    return G - G @ C


def steps_and_claims() -> list[tuple]:
    """Square and other steps, with conceptors of graded, full and empty claims."""
    draw = torch.Generator().manual_seed(0)
    trials = []
    many = ([0.9, 0.5, 0.0, 0.0], [1.0, 1.0, 0.2, 0.0], [0.7, 0.3, 0.1], [0.0, 0.0, 0.0], [1.0, 0.4])
    for rows, values in zip((4, 4, 2, 3, 1), many, strict=True):
        d = len(values)
        Q = torch.linalg.qr(torch.randn(d, d, generator=draw)).Q
        trials.append((torch.randn(rows, d, generator=draw), (Q * torch.tensor(values)) @ Q.T))
    return trials


def _all_or_nothing(G: Tensor, C: Tensor) -> Tensor:
    values, directions = torch.linalg.eigh(C)
    claimed = directions[:, values > 1e-3]
    return G - G @ claimed @ claimed.T


PROJECTED_STEP = Written(
    name="projected_step",
    notebook=12,
    title="Write the protected step",
    right=protected_step,
    mistakes=(
        Mistake("kept what C holds back", "this is the part that C holds back; the step is what remains, G − G C.",
                lambda G, C: G @ C),
        Mistake("multiplied from the left", "C acts on the inputs, the columns of G: multiply from the right.",
                lambda G, C: G - C @ G),
        Mistake("got the sign wrong", "the sign is wrong: take G C away.", lambda G, C: G + G @ C),
        Mistake("protected nothing", "nothing is protected: G is as it was.", lambda G, C: G),
        Mistake("protected twice", "C is applied twice: once is enough.",
                lambda G, C: (G - G @ C) @ (torch.eye(len(C)) - C)),
        Mistake("treated C as a projector", "directions that are claimed a little are closed for good: keep the "
                                            "share 1 − s.",
                _all_or_nothing),
        Mistake("multiplied entry by entry", "this multiplies entry by entry; C is a matrix product.",
                lambda G, C: G * (1 - C.diagonal())),
        Mistake("left out the identity", "1 − C subtracts from every entry: write I − C, or G − G C.",
                lambda G, C: G @ (1 - C)),
        Mistake("gave the conceptor's complement", "this is I − C itself: multiply the step by it.",
                lambda G, C: torch.eye(len(C)) - C),
        Mistake("stopped the step", "nothing moves any more.", lambda G, C: 0 * G),
        Mistake("squared C", "C is squared in yours.", lambda G, C: G - G @ C @ C),
        Mistake("halved the protection", "only half of what C claims is taken away.", lambda G, C: G - G @ C / 2),
    ),
    trials=steps_and_claims,
    hints=(
        "Along a direction with the value s the share 1 − s of the step is left.",
        "I − C does that. G has its inputs in the columns: from which side?",
        "G - G @ C",
    ),
)  # fmt: skip


def backward_transfer(A: Float[Tensor, "tasks tasks"]) -> Float[Tensor, ""]:
    """The mean over all tasks but the last of A[T−1, i] − A[i, i]."""
    return (A[-1] - A.diagonal())[:-1].mean()


def accuracy_matrices() -> list[tuple]:
    """Accuracies of two to five tasks, forgotten and improved."""
    A = torch.tensor([[0.9, 0.1, 0.2], [0.7, 0.8, 0.3], [0.6, 0.75, 0.95]])
    random = [(torch.rand(t, t, generator=torch.Generator().manual_seed(t)),) for t in (2, 4, 5)]
    return [(A,), (A.flip(0, 1),), *random]


BACKWARD_TRANSFER = Written(
    name="backward_transfer",
    notebook=12,
    title="Write backward transfer",
    right=backward_transfer,
    mistakes=(
        Mistake("got the sign wrong", "the sign is wrong: a loss is negative, the end minus the beginning.",
                lambda A: -backward_transfer(A)),
        Mistake("counted the last task", "the last task counts too in yours: it cannot be forgotten yet, leave it out.",
                lambda A: (A[-1] - A.diagonal()).mean()),
        Mistake("gave ACC", "this is ACC, the mean of the last row.", lambda A: A[-1].mean()),
        Mistake("compared with the first row", "rows are time: compare with the diagonal A[i, i], not with the first "
                                               "row.",
                lambda A: (A[-1] - A[0])[:-1].mean()),
        Mistake("exchanged rows and columns", "rows are tasks learned: the end is the last row, not the last column.",
                lambda A: (A[:, -1] - A.diagonal())[:-1].mean()),
        Mistake("summed over the tasks", "the sum over the tasks; the mean is asked for.",
                lambda A: (A[-1] - A.diagonal())[:-1].sum()),
        Mistake("gave one number per task", "a number for each task; their mean is asked for.",
                lambda A: (A[-1] - A.diagonal())[:-1]),
        Mistake("took forgetting from the best", "this is forgetting, from the best accuracy ever; BWT takes A[i, i].",
                lambda A: (A[-1] - A.max(0).values)[:-1].mean()),
        Mistake("left out the first task", "the first task is left out; the last one should be.",
                lambda A: (A[-1] - A.diagonal())[1:].mean()),
        Mistake("looked at the first task only", "every task but the last counts, not only the first.",
                lambda A: A[-1, 0] - A[0, 0]),
        Mistake("gave percents of what was there", "the difference itself is asked for, not divided by A[i, i].",
                lambda A: ((A[-1] - A.diagonal()) / A.diagonal())[:-1].mean()),
        Mistake("took the row before the last", "the end is the last row, not the one before it.",
                lambda A: (A[-2] - A.diagonal())[:-1].mean()),
        Mistake("took the absolute value", "signs matter: a task may have become better.",
                lambda A: (A[-1] - A.diagonal()).abs()[:-1].mean()),
    ),
    trials=accuracy_matrices,
    hints=(
        "For each task: accuracy at the end, minus accuracy when it had just been learned.",
        "The end is the last row; just learned is the diagonal. The last task has had no time to be forgotten.",
        "(A[-1] - A.diagonal())[:-1].mean()",
    ),
)  # fmt: skip


def protected_weight(
    W: Float[Tensor, "n_out d"], G: Float[Tensor, "n_out d"], C: Float[Tensor, "d d"], rate: float
) -> Float[Tensor, "n_out d"]:
    """W after one protected step down the gradient G."""
    return W - rate * (G - G @ C)


def _broken_protected_weight(W: Tensor, G: Tensor, C: Tensor, rate: float) -> Tensor:
    """The projection takes what the old tasks need out of the weight itself."""
    weight = W - rate * G
    return weight - weight @ C


def weights_with_claims() -> list[tuple]:
    """Weights, gradients, conceptors and rates."""
    draw = torch.Generator().manual_seed(3)
    rates = (0.1, 0.5, 1.0, 0.01, 0.3)
    pairs = zip(steps_and_claims(), rates, strict=True)
    return [(torch.randn(G.shape, generator=draw), G, C, rate) for (G, C), rate in pairs]


WIPED_WEIGHT = Written(
    name="wiped_weight",
    notebook=12,
    title="Find the bug: a protection that wipes out",
    right=protected_weight,
    broken=Mistake("left the bug", "the bug is still there: with the gradient 0 the weight should stay as it is. "
                                   "What does C "
                   "act on?", _broken_protected_weight),
    mistakes=(
        Mistake("protected nothing", "now C is not used at all: old answers move.", lambda W, G, C, rate: W - rate * G),
        Mistake("stepped where it must not", "the step goes along what C claims; the rest is free.",
                lambda W, G, C, rate: W - rate * G @ C),
        Mistake("went up the gradient", "the step goes up: subtract.", lambda W, G, C, rate: W + rate * (G - G @ C)),
        Mistake("gave the step", "the weight itself is asked for, not its change.",
                lambda W, G, C, rate: -rate * (G - G @ C)),
        Mistake("forgot the rate", "the rate got lost.", lambda W, G, C, rate: W - (G - G @ C)),
        Mistake("took the rate for the claims only", "the rate belongs to the whole step.",
                lambda W, G, C, rate: W - G + rate * G @ C),
        Mistake("gave back the weight", "nothing moves: take the step.", lambda W, G, C, rate: W),
        Mistake("kept only the claims", "W keeps only what C claims: leave W alone.",
                lambda W, G, C, rate: W @ C - rate * (G - G @ C)),
        Mistake("added the claims", "G C is added; it is taken away.", lambda W, G, C, rate: W - rate * (G + G @ C)),
    ),
    trials=weights_with_claims,
    hints=(
        "Let G be 0. What should the new weight be, what is it?",
        "The weight holds what old tasks need. Only the step may be cut.",
        "W - rate * (G - G @ C)",
    ),
)  # fmt: skip


def free_room(aperture: float, samples: int) -> dict[str, Any]:
    """Protect old inputs by a conceptor: how much old outputs move in a step, what is free, bytes of samples."""
    draw = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(40, 40, generator=draw, dtype=torch.float64)).Q
    spread = 2.0 ** -torch.arange(40, dtype=torch.float64)
    old = basis @ (spread[:, None] * torch.randn(40, 400, generator=draw, dtype=torch.float64))
    seen = old[:, :samples]
    R = seen @ seen.T / samples
    C = torch.linalg.solve(R + aperture**-2 * torch.eye(40, dtype=torch.float64), R)
    step = torch.randn(10, 40, generator=draw, dtype=torch.float64)
    moved = ((step - step @ C) @ old).norm() / (step @ old).norm()
    free = 1 - C.trace() / 40
    return {"moved": round(float(moved), 4), "free": round(float(free), 3), "bytes": 4 * 40 * samples}


FREE_ROOM = Design(
    name="free_room",
    notebook=12,
    title="Protect enough, leave enough",
    settings={"aperture": Real(0.01, 10_000.0), "samples": Whole(1, 400)},
    measure=free_room,
    goals=(
        Goal("went over the budget", "{bytes:,} bytes of samples; the budget is 4,800.",
                lambda found: found["bytes"] <= 4800),
        Goal("protected too little", "old outputs still move by {moved:.1%} of what an unprotected step moves; at "
                                     "most 1 % is "
             "asked for. Open the aperture, or look at more samples.", lambda found: found["moved"] <= 0.01),
        Goal("left no room", "only {free:.0%} of the space is free; at least 75 % is asked for. Close the aperture a "
                             "little.",
             lambda found: found["free"] >= 0.75),
    ),
    hints=(
        "The budget allows 30 samples of 40 numbers. Then try apertures: 1, 10, 100, …",
        "A small aperture protects little, a large one leaves no room: look for the first that moves at most 1 %.",
        "30 samples, and an aperture of some hundreds at most.",
    ),
)  # fmt: skip

EXERCISES = (PROJECTED_STEP, BACKWARD_TRANSFER, WIPED_WEIGHT, FREE_ROOM)
