"""Protected and learnable subspaces of a layer's inputs, for LANCE's continual learning.

    P (D, p)   orthonormal basis of the directions that are protected;  R (D, D) correlation of new inputs
    E = (I − PPᵀ) R (I − PPᵀ)                      what P does not hold of R, from both sides                  (1)
    U = the fewest leading eigenvectors of E with which P holds more than the share ε of tr R                  (2)

The published code measures the residual from one side, (I − PPᵀ) R, whose singular values exceed what is really left,
so that with the same ε it takes more directions (`one_sided`). It may take more than are left, which then overlap P.
Here U is chosen among what is orthogonal to P, so UᵀP = 0 by either measure.

Layers store their bases in the type of their weights. In float32 the columns are orthonormal to 1e-7 only, so every
decomposition begins with `orthonormal`, in float64.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.compression.tucker import rank_for_energy, spectrum

ROUNDING = 1e-12  # a direction with a smaller share of the energy is a rounding error, not a direction


def orthonormal(basis: Float[Tensor, "d k"]) -> Float[Tensor, "d k"]:
    """The nearly orthonormal columns of a stored basis made orthonormal to 1e-16, in float64; each stays in its place.

    >>> V = orthonormal(torch.tensor([[0.6], [0.8]]))
    >>> bool((V.T @ V - 1).abs() < 1e-15)
    True
    """
    Q, R = torch.linalg.qr(basis.double())
    return Q * torch.where(R.diagonal() < 0, -1.0, 1.0)


def complement(basis: Float[Tensor, "d k"]) -> Float[Tensor, "d rest"]:
    """An orthonormal basis, in float64, of all that is orthogonal to the columns of `basis`: d − k columns."""
    return torch.linalg.qr(basis.double(), mode="complete").Q[:, basis.shape[1] :]


class UnheldEnergy(NamedTuple):
    """What P does not hold: directions `(D, k)` and energies `(k,)`, rounding errors left out; energy held, and in all.

    By `residual` these are eigenvectors and eigenvalues of E, by `one_sided` singular ones.
    """

    vectors: Float[Tensor, "d k"]
    energies: Float[Tensor, " k"]
    held: float
    total: float


def residual(protected: Float[Tensor, "d p"], correlation: Float[Tensor, "d d"]) -> UnheldEnergy:
    """What the protected directions do not hold of R, from both sides (eq. 1)."""
    R = correlation.double()
    outside = complement(protected)  # E in these coordinates: its eigenvectors cannot lean towards P
    energies, vectors = spectrum(outside.T @ R @ outside)
    total, left = float(R.trace()), float(energies.sum())
    rank = int((energies > ROUNDING * total).sum())
    return UnheldEnergy(outside @ vectors[:, :rank], energies[:rank], total - left, total)


def one_sided(protected: Float[Tensor, "d p"], correlation: Float[Tensor, "d d"]) -> UnheldEnergy:
    """The published measure of the same: left singular vectors and singular values of (I − PPᵀ) R.

    Their sum is at least the trace of E, so that P seems to hold less of R.

    >>> P, R = torch.eye(2)[:, :1], torch.tensor([[2.0, 1.0], [1.0, 2.0]])
    >>> round(residual(P, R).held, 2), round(one_sided(P, R).held, 2)
    (2.0, 1.76)
    """
    R = correlation.double()
    outside, total = complement(protected), float(R.trace())
    values, inputs = spectrum(R)
    used = int((values > ROUNDING * total).sum())  # R may be of low rank, and a thin matrix is soon decomposed
    vectors, energies, _ = torch.linalg.svd((outside.T @ inputs[:, :used]) * values[:used], full_matrices=False)
    left, rank = float(energies.sum()), int((energies > ROUNDING * total).sum())
    return UnheldEnergy(outside @ vectors[:, :rank], energies[:rank], total - left, total)


Measure = Callable[[Tensor, Tensor], UnheldEnergy]  # (P, R) → what P does not hold of R


def new_directions(
    protected: Float[Tensor, "d p"], correlation: Float[Tensor, "d d"], energy: float, measure: Measure = residual
) -> Float[Tensor, "d k"]:
    """The fewest directions orthogonal to P with which it holds more than the share `energy` of R (eq. 2, 3).

    None (k = 0) where P holds as much already; never more than R has outside P.

    >>> P, R = torch.eye(3)[:, :1], torch.diag(torch.tensor([6.0, 3.0, 1.0]))
    >>> new_directions(P, R, 0.8).shape, new_directions(P, R, 0.5).shape
    (torch.Size([3, 1]), torch.Size([3, 0]))
    """
    E = measure(protected, correlation)
    shares = torch.cat([E.energies.new_tensor([max(E.held, 0.0)]), E.energies])
    return E.vectors[:, : max(rank_for_energy(shares, energy) - 1, 0)]


def protect(
    protected: Float[Tensor, "d p"], correlation: Float[Tensor, "d d"], energy: float, measure: Measure = residual
) -> Float[Tensor, "d p_new"]:
    """P ← [P, U], orthonormal (eq. 2)."""
    P = orthonormal(protected)
    return torch.cat([P, new_directions(P, correlation, energy, measure)], dim=1)


def learnable(
    protected: Float[Tensor, "d p"],
    correlation: Float[Tensor, "d d"],
    energy: float,
    measure: Measure = residual,
    small: int = 0,
) -> Float[Tensor, "d r"]:
    """U₁: the directions that a task with inputs of correlation R may learn (eq. 3).

    At least one, even if P holds the share `energy` already, unless nothing of R is left outside P: then none. Where
    there are at most `small` input directions in all, every one that R has outside P.
    """
    if len(correlation) <= small:
        return measure(protected, correlation).vectors
    U = new_directions(protected, correlation, energy, measure)
    return U if U.shape[1] else measure(protected, correlation).vectors[:, :1]
