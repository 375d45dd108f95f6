"""Checks of notebooks 13 and 14: low-rank activations, protected subspaces."""

import torch
from torch import Tensor

from workbench.course.exercises.diagnosis import Answer, diagnose


def check_low_rank_gradient(answer: Answer) -> str:
    """Exercise: `gradient(X, G, U)` is Gᵀ X U Uᵀ, the weight gradient `(out, in)` with X cut to the features in U."""

    def right(X: Tensor, G: Tensor, U: Tensor) -> Tensor:
        return G.T @ (X @ U) @ U.T

    mistakes = {
        "this is the exact gradient: X has to be replaced by X U Uᵀ.": lambda X, G, U: G.T @ X,
        "it is transposed: rows are outputs, columns are inputs.": lambda X, G, U: right(X, G, U).T,
        "the sign is wrong: this is the gradient, not the step.": lambda X, G, U: -right(X, G, U),
        "the core is not expanded: multiply by Uᵀ at the end.": lambda X, G, U: G.T @ (X @ U),
        "the part outside U is kept instead of the part inside.": lambda X, G, U: G.T @ X - right(X, G, U),
    }
    generator = torch.Generator().manual_seed(0)
    X, G, U = (torch.randn(*shape, generator=generator) for shape in ((5, 4), (5, 3), (4, 2)))
    return diagnose(answer, right, mistakes, [(X, G, torch.linalg.qr(U).Q)])


def check_protected_gradient(answer: Answer) -> str:
    """Exercise: `gradient(G, P)` is G (I − P Pᵀ): nothing along the columns of P, `(in, p)`, moves."""

    def right(G: Tensor, P: Tensor) -> Tensor:
        return G - G @ P @ P.T

    mistakes = {
        "only the protected part is left: take it away from G instead.": lambda G, P: G @ P @ P.T,
        "nothing is protected: G is as it was.": lambda G, P: G,
        "the sign is wrong: take the protected part away, do not add it.": lambda G, P: G + G @ P @ P.T,
    }
    generator = torch.Generator().manual_seed(0)
    G, P = torch.randn(3, 4, generator=generator), torch.randn(4, 2, generator=generator)
    return diagnose(answer, right, mistakes, [(G, torch.linalg.qr(P).Q)])
