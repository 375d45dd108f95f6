"""Exercises of notebooks 13 and 14: low-rank activations, protected subspaces."""

from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.compression.tucker import expand, mode_correlation, mode_product, project, relative_error, spectrum
from workbench.continual.subspaces import learnable, protect
from workbench.course.exercises.design import Design, Goal, Real, Whole
from workbench.course.exercises.question import Option, Question
from workbench.course.exercises.written import Mistake, Written


def low_rank_gradient(
    X: Float[Tensor, "b n_in"], G: Float[Tensor, "b n_out"], U: Float[Tensor, "n_in r"]
) -> Float[Tensor, "n_out n_in"]:
    """Gᵀ X U Uᵀ, the weight gradient `(n_out, n_in)` with X cut to the features in U."""
    return G.T @ (X @ U) @ U.T


def activations() -> list[tuple]:
    """Inputs, output gradients and orthonormal columns: several sizes, one direction, all of them."""
    draw = torch.Generator().manual_seed(0)
    trials = []
    for batch, n_in, n_out, rank in ((5, 4, 3, 2), (3, 6, 2, 1), (4, 3, 3, 2), (1, 5, 2, 3), (6, 4, 4, 3)):
        X, G = torch.randn(batch, n_in, generator=draw), torch.randn(batch, n_out, generator=draw)
        trials.append((X, G, torch.linalg.qr(torch.randn(n_in, rank, generator=draw)).Q))
    return trials


LOW_RANK_GRADIENT = Written(
    name="low_rank_gradient",
    notebook=13,
    title="Which projection is safe?",
    right=low_rank_gradient,
    mistakes=(
        Mistake("cut nothing", "this is the exact gradient: X has to be replaced by X U Uᵀ.", lambda X, G, U: G.T @ X),
        Mistake("exchanged rows and columns", "it is transposed: rows are outputs, columns are inputs.",
                lambda X, G, U: low_rank_gradient(X, G, U).T),
        Mistake("got the sign wrong", "the sign is wrong: this is the gradient, not the step.",
                lambda X, G, U: -low_rank_gradient(X, G, U)),
        Mistake("did not expand the core", "the core is not expanded: multiply by Uᵀ at the end.",
                lambda X, G, U: G.T @ (X @ U)),
        Mistake("kept the part outside", "the part outside U is kept instead of the part inside.",
                lambda X, G, U: G.T @ X - low_rank_gradient(X, G, U)),
        Mistake("averaged over the batch", "the sum over the samples is asked for, not the mean.",
                lambda X, G, U: low_rank_gradient(X, G, U) / len(X)),
        Mistake("gave the input", "this is the input that is left; the weight gradient is asked for.",
                lambda X, G, U: X @ U @ U.T),
        Mistake("gave the core", "this is the core; the weight gradient is asked for.", lambda X, G, U: X @ U),
        Mistake("left out the gradient of the outputs", "G is missing: each sample's input is weighed by it.",
                lambda X, G, U: torch.ones_like(G).T @ X @ U @ U.T),
        Mistake("gave the projector", "this is U Uᵀ itself.", lambda X, G, U: U @ U.T),
        Mistake("used one direction only", "only the first column of U is used.",
                lambda X, G, U: low_rank_gradient(X, G, U[:, :1])),
        Mistake("cut the batch", "the batch is cut here: that can turn the sign. Cut the features.",
                lambda X, G, U: G.T @ X.mean(0, keepdim=True).expand_as(X)),
    ),
    trials=activations,
    hints=(
        "Without a cut it is Gᵀ X. What stands in the place of X when only its part in U is kept?",
        "X U is the small core that is kept; X U Uᵀ is what it stands for.",
        "G.T @ (X @ U) @ U.T",
    ),
)  # fmt: skip


@cache
def _pictures() -> tuple[Tensor, tuple[Tensor, ...]]:
    """16 smooth maps of 32 channels and 8 × 8 pixels, and the directions of each mode, strongest first."""
    draw = torch.Generator().manual_seed(0)
    core = torch.randn(16, 32, 8, 8, generator=draw, dtype=torch.float64)
    for mode, slope in ((1, 0.75), (2, 0.5), (3, 0.5)):
        shape = [1, 1, 1, 1]
        shape[mode] = -1
        core = core * (slope ** torch.arange(core.shape[mode], dtype=torch.float64)).view(shape)
    for mode in (1, 2, 3):
        turn = torch.linalg.qr(torch.randn(core.shape[mode], core.shape[mode], generator=draw, dtype=torch.float64)).Q
        core = mode_product(core, turn, mode)
    return core, tuple(spectrum(mode_correlation(core, mode))[1] for mode in (1, 2, 3))


def cut_pictures(channels: int, rows: int, columns: int) -> dict[str, Any]:
    """What is left of 16 maps when each mode keeps its strongest directions: error and bytes in float32."""
    x, directions = _pictures()
    kept = (channels, rows, columns)
    bases = (None, *(vectors[:, :rank] for vectors, rank in zip(directions, kept, strict=True)))
    core = project(x, bases)
    error = relative_error(x, expand(core, bases))
    return {"error": round(error, 3), "bytes": 4 * core.numel(), "squares": rows == columns == 8}


RANKS = Design(
    name="ranks",
    notebook=13,
    title="Where to cut",
    settings={"channels": Whole(1, 32), "rows": Whole(1, 8), "columns": Whole(1, 8)},
    measure=cut_pictures,
    goals=(
        Goal("left the pixels whole", "{bytes:,} bytes with rows and columns whole; the budget is 8,000. Cut the "
                                      "space too.",
             lambda found: not (found["squares"] and found["bytes"] > 8000)),
        Goal("went over the budget", "{bytes:,} bytes; the budget is 8,000.", lambda found: found["bytes"] <= 8000),
        Goal("cut nearly everything", "{error:.0%} of the input is lost: nearly all of it. Keep more directions.",
             lambda found: found["error"] <= 0.6),
        Goal("lost too much", "{error:.0%} of the input is lost; at most 25 % is asked for. Spread the directions: "
             "which mode has strong ones left?", lambda found: found["error"] <= 0.25),
    ),
    hints=(
        "16 × channels × rows × columns numbers of 4 bytes: the product may be 125.",
        "Each mode that is cut to little limits the rest. Try three of each of the space modes, and what is left for "
        "channels.",
        "About 13 channels, 3 rows, 3 columns.",
    ),
)  # fmt: skip

UNSAFE_MODE = Question(
    name="unsafe_mode",
    notebook=13,
    title="An unsafe cut",
    text="The input of a linear layer is kept only in part. Cut along which mode can the weight gradient turn round, "
    "so that "
    "a step makes the loss larger?",
    answers=(
        Option("the features", "this projects the gradient itself, which never turns it by more than 90°."),
        Option("the batch"),
        Option("both", "the features are safe: gᵀ P g is never negative."),
        Option("neither", "look at the two numbers at the beginning of notebook 13."),
    ),
    reasons=(
        Option("the batch is larger than the number of features", "sizes do not matter here."),
        Option("a projection always makes things smaller", "it does, in both modes."),
        Option("the gradient sums over the samples: what is left of one sample leaks into the others"),
        Option("the samples are not normalised", "normalising would not help."),
    ),
    hints=(
        "ΔW = Gᵀ X. Put a projector between G and X, and one behind X.",
        "Gᵀ X P is the gradient projected. Gᵀ P X is another sum over samples.",
        "Two samples with opposite gradients: what happens when both inputs are replaced by their mean?",
    ),
)


def protected_gradient(G: Float[Tensor, "n_out n_in"], P: Float[Tensor, "n_in p"]) -> Float[Tensor, "n_out n_in"]:
    """G (I − P Pᵀ): nothing along the columns of P moves."""
    return G - G @ P @ P.T


def gradients_with_subspaces() -> list[tuple]:
    """Gradients with protected columns: none, some, all but one, square ones."""
    draw = torch.Generator().manual_seed(0)
    trials = []
    for rows, d, p in ((3, 4, 2), (4, 4, 1), (2, 5, 4), (5, 3, 2), (3, 3, 0)):
        G = torch.randn(rows, d, generator=draw)
        trials.append((G, torch.linalg.qr(torch.randn(d, max(p, 1), generator=draw)).Q[:, :p]))
    return trials


PROTECTED_GRADIENT = Written(
    name="protected_gradient",
    notebook=14,
    title="Protect",
    right=protected_gradient,
    mistakes=(
        Mistake("kept the protected part", "only the protected part is left: take it away from G instead.",
                lambda G, P: G @ P @ P.T),
        Mistake("protected nothing", "nothing is protected: G is as it was.", lambda G, P: G),
        Mistake("got the sign wrong", "the sign is wrong: take the protected part away, do not add it.",
                lambda G, P: G + G @ P @ P.T),
        Mistake("reflected", "this reflects at P: the part is taken away twice. Once is enough.",
                lambda G, P: G - 2 * G @ P @ P.T),
        Mistake("gave the projector", "this is I − P Pᵀ itself: multiply G by it.",
                lambda G, P: torch.eye(len(P)) - P @ P.T),
        Mistake("protected the first column only", "only the first column of P is protected.",
                lambda G, P: protected_gradient(G, P[:, :1])),
        Mistake("gave the coordinates", "these are coordinates along P: multiply by Pᵀ again, and take it away.",
                lambda G, P: G @ P),
        Mistake("used the sum of the columns", "each column counts by itself: P Pᵀ, not the sum of the columns.",
                lambda G, P: G - torch.outer(G @ P.sum(1), P.sum(1))),
        Mistake("halved the protection", "only half is taken away.", lambda G, P: G - G @ P @ P.T / 2),
        Mistake("stopped everything", "nothing moves any more: only what lies along P must stay.", lambda G, P: 0 * G),
        Mistake("exchanged rows and columns", "it is transposed: rows are outputs.",
                lambda G, P: protected_gradient(G, P).T),
        Mistake("left out the identity", "1 − P Pᵀ subtracts from every entry: write G − G P Pᵀ.",
                lambda G, P: G @ (1 - P @ P.T)),
    ),
    trials=gradients_with_subspaces,
    hints=(
        "Which part of each row of G lies along the columns of P?",
        "The coordinates are G P, the part itself G P Pᵀ.",
        "G - (G @ P) @ P.T",
    ),
)  # fmt: skip


def wider(P: Float[Tensor, "d p"], V: Float[Tensor, "d k"]) -> Float[Tensor, "d d"]:
    """The projector onto all columns of P and of V: P Pᵀ + Q Qᵀ with Q an orthonormal basis of what V adds."""
    rest = V - P @ (P.T @ V)
    Q, values, _ = torch.linalg.svd(rest, full_matrices=False)
    Q = Q[:, values > 1e-5]
    return P @ P.T + Q @ Q.T


def _broken_wider(P: Tensor, V: Tensor) -> Tensor:
    """New directions are joined without taking away what P holds of them."""
    joined = torch.cat([P, V], dim=1)
    return joined @ joined.T


def growing_subspaces() -> list[tuple]:
    """Orthonormal columns with new ones that overlap them, lie inside, or are new altogether."""
    draw = torch.Generator().manual_seed(8)
    trials = []
    for d, p, k in ((5, 2, 2), (4, 1, 2), (6, 3, 1), (4, 2, 1)):
        P = torch.linalg.qr(torch.randn(d, p, generator=draw)).Q
        trials.append((P, torch.linalg.qr(torch.randn(d, k, generator=draw)).Q))
    P = torch.linalg.qr(torch.randn(5, 3, generator=draw)).Q
    inside = P @ torch.tensor([[0.6], [0.8], [0.0]])
    return [*trials, (P, inside), (P, P[:, :2])]


DOUBLED = Written(
    name="doubled",
    notebook=14,
    title="Find the bug: protected twice",
    right=wider,
    broken=Mistake("left the bug", "the bug is still there: where V lies inside P already, the result must be P Pᵀ. "
                                   "A direction "
                   "that counts twice turns the step round.", _broken_wider),
    mistakes=(
        Mistake("gave the columns", "the projector (d, d) is asked for, not its columns.",
                lambda P, V: torch.cat([P, V], 1)),
        Mistake("forgot the old directions", "the old directions have got lost.", lambda P, V: V @ V.T),
        Mistake("forgot the new directions", "the new directions have got lost.", lambda P, V: P @ P.T),
        Mistake("averaged", "do not average: each direction is protected whole.", lambda P, V: _broken_wider(P, V) / 2),
        Mistake("did not normalise what is new", "what V adds has no length 1 any more: orthonormalise it.",
                lambda P, V: P @ P.T + (V - P @ (P.T @ V)) @ (V - P @ (P.T @ V)).T),
        Mistake("took what both hold", "this is what both hold; all that either holds is asked for.",
                lambda P, V: P @ P.T @ V @ V.T),
        Mistake("gave what is free", "this is what is free: I minus what is asked for.",
                lambda P, V: torch.eye(len(P)) - wider(P, V)),
        Mistake("gave what is new only", "this is what V adds; P belongs to it.", lambda P, V: wider(P, V) - P @ P.T),
        Mistake("counted rounding as a direction", "where V lies inside P nothing new is left, and what rounding "
                                                   "leaves is no "
                "direction.", lambda P, V: _joined_by_qr(P, V)),
        Mistake("cut entries at 1", "entries are no measure: cut directions, not numbers.",
                lambda P, V: _broken_wider(P, V).clamp(max=1)),
        Mistake("joined as chances", "P Pᵀ + V Vᵀ − P Pᵀ V Vᵀ is right only where the two commute.",
                lambda P, V: P @ P.T + V @ V.T - P @ P.T @ V @ V.T),
    ),
    trials=growing_subspaces,
    hints=(
        "Let V be one of the columns of P. What should change?",
        "First take away from V what P holds: V − P (Pᵀ V). Then orthonormalise what is left, if anything is.",
        "Q, values, _ = torch.linalg.svd(rest, full_matrices=False); keep columns whose value is not 0.",
    ),
)  # fmt: skip


def _joined_by_qr(P: Tensor, V: Tensor) -> Tensor:
    rest = V - P @ (P.T @ V)
    Q = torch.linalg.qr(rest).Q
    return P @ P.T + Q @ Q.T


def three_tasks(energy: float) -> dict[str, Any]:
    """Protect 24 inputs of three tasks one after the other: what is left, what is lost, and bytes of P in float32."""
    draw = torch.Generator().manual_seed(0)
    P, first = torch.zeros(24, 0, dtype=torch.float64), torch.zeros(0)
    learnt = []
    for task in range(3):
        spread = 0.6 ** torch.arange(24, dtype=torch.float64)
        turn = torch.linalg.qr(torch.randn(24, 24, generator=draw, dtype=torch.float64)).Q
        X = turn @ (spread[:, None] * torch.randn(24, 200, generator=draw, dtype=torch.float64))
        first = X if task == 0 else first
        learnt.append(learnable(P, X @ X.T, 0.97).shape[1])
        P = protect(P, X @ X.T, energy)
    lost = (first - P @ (P.T @ first)).norm() / first.norm()
    return {"lost": round(float(lost), 3), "left": 24 - P.shape[1], "bytes": 4 * P.numel(), "learnt": learnt}


ENERGY = Design(
    name="energy",
    notebook=14,
    title="Three tasks, one layer",
    settings={"energy": Real(0.0, 1.0)},
    measure=three_tasks,
    goals=(
        Goal("protected everything", "no direction is left: a fourth task can learn nothing. Protect less.",
             lambda found: found["left"] > 0),
        Goal("went over the budget", "P takes {bytes:,} bytes; the budget is 1,250. Protect less.",
             lambda found: found["bytes"] <= 1250),
        Goal("protected nothing", "P holds next to nothing of the first task ({lost:.0%} is outside it). Protect more.",
             lambda found: found["lost"] <= 0.5),
        Goal("protected too little", "{lost:.0%} of the first task's inputs lie outside P; at most 25 % is asked for.",
             lambda found: found["lost"] <= 0.25),
    ),
    hints=(
        "The energy is the share of the squares that P holds after each task.",
        "24 × 4 bytes for each direction: 13 directions fit into the budget.",
        "Between 0.9 and 0.97.",
    ),
)  # fmt: skip

EXERCISES = (LOW_RANK_GRADIENT, RANKS, UNSAFE_MODE, PROTECTED_GRADIENT, DOUBLED, ENERGY)
