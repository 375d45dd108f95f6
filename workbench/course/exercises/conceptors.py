"""Exercises of notebook 11: conceptors."""

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.course.exercises.question import Option, Question
from workbench.course.exercises.written import Mistake, Written


def conceptor(X: Float[Tensor, "d N"], aperture: float) -> Float[Tensor, "d d"]:
    """R (R + α⁻² I)⁻¹ with R = X Xᵀ / N, for samples in columns."""
    return _of(X @ X.T / X.shape[1], aperture**-2)


def _of(R: Tensor, ridge: float) -> Tensor:
    return torch.linalg.solve(R + ridge * torch.eye(len(R)), R)


def clouds() -> list[tuple]:
    """Samples of several sizes and apertures; fewer samples than dimensions; as many."""
    draw = torch.Generator().manual_seed(0)
    sizes = ((3, 8, 2.0), (2, 5, 0.5), (4, 3, 1.5), (3, 3, 4.0), (1, 6, 0.7))
    return [(torch.randn(d, n, generator=draw), aperture) for d, n, aperture in sizes]


CONCEPTOR = Written(
    name="conceptor",
    notebook=11,
    title="Write the conceptor",
    right=conceptor,
    mistakes=(
        Mistake("forgot the mean over samples", "R is a mean over samples: divide X Xᵀ by N.",
                lambda X, aperture: _of(X @ X.T, aperture**-2)),
        Mistake("took α² for α⁻²", "the ridge is α to the power −2, yours is α².",
                lambda X, aperture: _of(X @ X.T / X.shape[1], aperture**2)),
        Mistake("took 1/α for α⁻²", "the ridge is α to the power −2, yours is 1/α.",
                lambda X, aperture: _of(X @ X.T / X.shape[1], 1 / aperture)),
        Mistake("gave NOT C", "this is NOT C = I − C.", lambda X, aperture: torch.eye(len(X)) - conceptor(X, aperture)),
        Mistake("took samples for rows", "samples are the columns of X: R is (d, d).",
                lambda X, aperture: _of(X.T @ X / X.shape[0], aperture**-2)),
        Mistake("divided by d", "R is a mean over samples: divide by N, the number of columns, not by d.",
                lambda X, aperture: _of(X @ X.T / X.shape[0], aperture**-2)),
        Mistake("took away the mean", "nothing is centred: R is X Xᵀ / N, not a covariance.",
                lambda X, aperture: conceptor(X - X.mean(1, keepdim=True), aperture)),
        Mistake("gave the correlation", "this is R; the conceptor is R (R + α⁻² I)⁻¹.",
                lambda X, aperture: X @ X.T / X.shape[1]),
        Mistake("gave the inverse only", "R is missing in front of the inverse.",
                lambda X, aperture: torch.linalg.inv(X @ X.T / X.shape[1] + aperture**-2 * torch.eye(len(X)))),
        Mistake("added the ridge to every entry", "α⁻² belongs on the diagonal only: times the identity.",
                lambda X, aperture: torch.linalg.solve(X @ X.T / X.shape[1] + aperture**-2, X @ X.T / X.shape[1])),
        Mistake("kept the diagonal only", "directions are not the axes: keep the whole matrix.",
                lambda X, aperture: conceptor(X, aperture).diag().diag()),
        Mistake("divided by N − 1", "divide by N, not by N − 1.",
                lambda X, aperture: _of(X @ X.T / max(X.shape[1] - 1, 1), aperture**-2)),
        Mistake("divided entry by entry", "this divides entry by entry; a matrix is inverted as a whole.",
                lambda X, aperture: (X @ X.T / X.shape[1]) / (X @ X.T / X.shape[1] + aperture**-2)),
    ),
    trials=clouds,
    hints=(
        "First R, the mean of x xᵀ over the columns; then the formula.",
        "R + α⁻² I needs torch.eye(len(R)); α⁻² is aperture**-2.",
        "torch.linalg.solve(R + aperture**-2 * torch.eye(len(R)), R)",
    ),
)  # fmt: skip


def quota(C: Float[Tensor, "d d"]) -> Float[Tensor, ""]:
    """Θ(C) = tr(C) / d."""
    return C.trace() / len(C)


def claims() -> list[tuple]:
    """Conceptors with chosen values along random directions."""
    draw = torch.Generator().manual_seed(1)
    trials = []
    for values in ([0.9, 0.5, 0.0, 0.0], [1.0, 0.2], [0.3, 0.3, 0.3], [0.0, 0.0], [0.8, 0.6, 0.4, 0.2, 0.1]):
        Q = torch.linalg.qr(torch.randn(len(values), len(values), generator=draw)).Q
        trials.append(((Q * torch.tensor(values)) @ Q.T,))
    return trials


QUOTA = Written(
    name="quota",
    notebook=11,
    title="How much is claimed?",
    right=quota,
    mistakes=(
        Mistake("forgot to divide by d", "the share is asked for: divide by d.", lambda C: C.trace()),
        Mistake("averaged all entries", "the mean of all entries; the trace is the sum of the diagonal.",
                lambda C: C.mean()),
        Mistake("gave what is free", "this is what is free; what is claimed is asked for.", lambda C: 1 - quota(C)),
        Mistake("took the rank", "this counts directions whole; each counts by its value.",
                lambda C: torch.linalg.matrix_rank(C, atol=1e-5) / len(C)),
        Mistake("took the norm", "this is a norm: squares are not asked for.", lambda C: C.norm() / len(C)),
        Mistake("took the largest value", "this is the largest value; the mean of all is asked for.",
                lambda C: torch.linalg.eigvalsh(C).max()),
        Mistake("divided by d²", "divide by d, not by the number of entries.", lambda C: C.trace() / C.numel()),
        Mistake("counted directions above one half", "each direction counts by its value, not as yes or no.",
                lambda C: (torch.linalg.eigvalsh(C) > 0.5).float().mean()),
        Mistake("multiplied the values", "this is the determinant; the values are added.",
                lambda C: torch.linalg.det(C)),
        Mistake("summed all entries", "the sum of all entries; only the diagonal counts.", lambda C: C.sum() / len(C)),
        Mistake("gave the diagonal", "the diagonal itself; its mean is asked for.", lambda C: C.diagonal()),
        Mistake("squared the values", "values are not squared.", lambda C: (C @ C).trace() / len(C)),
    ),
    trials=claims,
    hints=(
        "The values of C say for each direction how much it is claimed. Their mean is asked for.",
        "The sum of the values of a symmetric matrix stands on its diagonal.",
        "C.trace() / len(C)",
    ),
)  # fmt: skip


def either(A: Float[Tensor, "d d"], B: Float[Tensor, "d d"]) -> Float[Tensor, "d d"]:
    """A OR B = NOT (NOT A AND NOT B): the conceptor of R_A + R_B with aperture 1, for values below 1."""
    return _of(_correlation(A) + _correlation(B), 1.0)


def _correlation(C: Tensor) -> Tensor:
    """R = C (I − C)⁻¹."""
    return torch.linalg.solve(torch.eye(len(C)) - C, C)


def _nearly_not(C: Tensor) -> Tensor:
    """NOT C with values below 1, so that it has a correlation."""
    return 0.999 * torch.eye(len(C)) - 0.998 * C


def _broken_either(A: Tensor, B: Tensor) -> Tensor:
    """The mean of the two correlations instead of their sum."""
    return _of((_correlation(A) + _correlation(B)) / 2, 1.0)


def two_claims() -> list[tuple]:
    """Pairs of conceptors with values below 1."""
    draw = torch.Generator().manual_seed(2)

    def made(values: list[float]) -> Tensor:
        Q = torch.linalg.qr(torch.randn(len(values), len(values), generator=draw)).Q
        return (Q * torch.tensor(values)) @ Q.T

    pairs = (([0.9, 0.5, 0.0], [0.1, 0.7, 0.3]), ([0.8, 0.2], [0.8, 0.2]), ([0.6, 0.0, 0.0, 0.3], [0.5, 0.5, 0.0, 0.0]))
    same = made([0.7, 0.4, 0.1])
    return [*((made(a), made(b)) for a, b in pairs), (same, same), (same, torch.zeros(3, 3))]


EITHER = Written(
    name="either",
    notebook=11,
    title="Find the bug: an OR that forgets",
    right=either,
    broken=Mistake("left the bug", "the bug is still there: A OR nothing should be A, yours is less. What happens to "
                                   "the two "
                   "correlations?", _broken_either),
    mistakes=(
        Mistake("added the conceptors", "values above 1 come out: add correlations, not conceptors.",
                lambda A, B: A + B),
        Mistake("averaged the conceptors", "add correlations, do not average conceptors.", lambda A, B: (A + B) / 2),
        Mistake("gave AND", "this is closer to AND: it is smaller than both.",
                lambda A, B: torch.eye(len(A)) - either(_nearly_not(A), _nearly_not(B))),
        Mistake("gave the sum of correlations", "this is R_A + R_B; make a conceptor of it.",
                lambda A, B: _correlation(A) + _correlation(B)),
        Mistake("gave back A", "B has got lost.", lambda A, B: A),
        Mistake("gave back B", "A has got lost.", lambda A, B: B),
        Mistake("gave NOT OR", "this is NOT (A OR B).", lambda A, B: torch.eye(len(A)) - either(A, B)),
        Mistake("doubled the sum", "the sum is doubled: R_A + R_B, no factor.",
                lambda A, B: _of(2 * (_correlation(A) + _correlation(B)), 1.0)),
        Mistake("multiplied", "this multiplies the claims; OR is larger than each.", lambda A, B: A @ B),
        Mistake("took the larger entry", "the larger of two entries is no conceptor: add correlations.",
                lambda A, B: torch.maximum(A, B)),
        Mistake("treated claims as chances", "A + B − A B is right for chances only, not for matrices.",
                lambda A, B: A + B - A @ B),
        Mistake("skipped the correlation", "first turn each conceptor back into its correlation: R = C (I − C)⁻¹.",
                lambda A, B: _of(A + B, 1.0)),
    ),
    trials=two_claims,
    hints=(
        "Try B = 0: no data at all. What should A OR B be?",
        "OR is the conceptor of both data sets together. Data that come in addition add to the correlation.",
        "R_A + R_B, without the division by 2",
    ),
)  # fmt: skip

OR_TWICE = Question(
    name="or_twice",
    notebook=11,
    title="The same data twice",
    text="C is the conceptor of some data and claims one direction with the value 0.5. What does C OR C claim there?",
    answers=(
        Option("0.5, as with sets", "one law of sets does not hold here: look at NOT, AND, OR in notebook 11."),
        Option("1", "1 is reached in the limit of endless data only."),
        Option("0.67"),
        Option("0.25", "that is smaller than C; OR is never smaller."),
    ),
    reasons=(
        Option("OR takes the larger of two values", "then C OR C would be C."),
        Option("the values are added", "then 0.7 OR 0.7 would be 1.4."),
        Option("the correlations are added: the same data twice count as more data"),
        Option("a direction is claimed or it is not", "conceptors are soft."),
    ),
    hints=(
        "Go back to R: which R has the value 0.5 at aperture 1?",
        "s = R / (R + 1) = 0.5 gives R = 1. OR adds the two R.",
        "2 / (2 + 1)",
    ),
)


EXERCISES = (CONCEPTOR, QUOTA, EITHER, OR_TWICE)
