"""Checks of the exercises on continual learning; see `workbench.course.exercises`."""

import torch
from torch import Tensor

from workbench.course.exercises.diagnosis import Answer, diagnose


def check_conceptor(answer: Answer) -> str:
    """Exercise: `conceptor(X, aperture)` is R (R + α⁻² I)⁻¹ with R = X Xᵀ / N, for samples in columns `(d, N)`."""

    def of(R: Tensor, ridge: float) -> Tensor:
        return torch.linalg.solve(R + ridge * torch.eye(len(R)), R)

    def right(X: Tensor, aperture: float) -> Tensor:
        return of(X @ X.T / X.shape[1], aperture**-2)

    mistakes = {
        "R is a mean over samples: divide X Xᵀ by N.": lambda X, a: of(X @ X.T, a**-2),
        "the ridge is α to the power −2, yours is α².": lambda X, a: of(X @ X.T / X.shape[1], a**2),
        "the ridge is α to the power −2, yours is 1/α.": lambda X, a: of(X @ X.T / X.shape[1], 1 / a),
        "this is NOT C = I − C.": lambda X, a: torch.eye(len(X)) - right(X, a),
        "samples are the columns of X: R is (d, d).": lambda X, a: of(X.T @ X / X.shape[0], a**-2),
    }
    generator = torch.Generator().manual_seed(0)
    trials = [(torch.randn(3, 8, generator=generator), 2.0), (torch.randn(2, 5, generator=generator), 0.5)]
    return diagnose(answer, right, mistakes, trials)


def check_projected_step(answer: Answer) -> str:
    """Exercise: `protect(G, C)` is the part of a step G `(n_out, d)` that the conceptor C `(d, d)` lets through."""

    def right(G: Tensor, C: Tensor) -> Tensor:
        return G - G @ C

    mistakes = {
        "this is the part that C holds back; the step is what remains, G − G C.": lambda G, C: G @ C,
        "C acts on the inputs, the columns of G: multiply from the right.": lambda G, C: G - C @ G,
        "the sign is wrong: take G C away.": lambda G, C: G + G @ C,
    }
    generator = torch.Generator().manual_seed(0)
    trials = []
    for values in ([0.9, 0.5, 0.0, 0.0], [1.0, 1.0, 0.2, 0.0]):
        Q = torch.linalg.qr(torch.randn(4, 4, generator=generator)).Q
        trials.append((torch.randn(4, 4, generator=generator), (Q * torch.tensor(values)) @ Q.T))
    return diagnose(answer, right, mistakes, trials)


def check_backward_transfer(answer: Answer) -> str:
    """Exercise: `bwt(A)` is the mean over all tasks but the last of A[T−1, i] − A[i, i]."""

    def right(A: Tensor) -> Tensor:
        return (A[-1] - A.diagonal())[:-1].mean()

    mistakes = {
        "the sign is wrong: a loss is negative, the end minus the beginning.": lambda A: -right(A),
        "the last task counts too in yours: it cannot be forgotten yet, leave it out.": lambda A: (
            A[-1] - A.diagonal()
        ).mean(),
        "this is ACC, the mean of the last row.": lambda A: A[-1].mean(),
        "rows are time: compare with the diagonal A[i, i], not with the first row.": lambda A: (A[-1] - A[0])[
            :-1
        ].mean(),
    }
    A = torch.tensor([[0.9, 0.1, 0.2], [0.7, 0.8, 0.3], [0.6, 0.75, 0.95]])
    return diagnose(answer, right, mistakes, [(A,), (A.flip(0, 1),)])
