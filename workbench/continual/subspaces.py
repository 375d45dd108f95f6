"""Protected and learnable subspaces of a layer's inputs, for LANCE's continual learning.

    P (D, p)   orthonormal basis of the directions that are protected;  R (D, D) correlation of new inputs
    E = (I − PPᵀ) R (I − PPᵀ)                      what P does not hold of R, from both sides                  (1)
    U = the fewest leading eigenvectors of E with which P holds more than the share ε of tr R                  (2)

The published code measures the residual from one side, (I − PPᵀ) R, whose nuclear norm exceeds what is really left, and
may take more directions than are left, which then overlap P. Here U never exceeds the rank of E, so UᵀP = 0 always.

Layers store their bases in the type of their weights. In float32 the columns are orthonormal to 1e-7 only, so every
decomposition begins with `orthonormal`, in float64.
"""

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
    """E by its eigenvectors `(D, k)` and energies `(k,)`, rounding errors left out; energy held by P, and in all."""

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


def new_directions(
    protected: Float[Tensor, "d p"], correlation: Float[Tensor, "d d"], energy: float
) -> Float[Tensor, "d k"]:
    """The fewest directions orthogonal to P with which it holds more than the share `energy` of R (eq. 2, 3).

    None (k = 0) where P holds as much already; never more than R has outside P.

    >>> P, R = torch.eye(3)[:, :1], torch.diag(torch.tensor([6.0, 3.0, 1.0]))
    >>> new_directions(P, R, 0.8).shape, new_directions(P, R, 0.5).shape
    (torch.Size([3, 1]), torch.Size([3, 0]))
    """
    E = residual(protected, correlation)
    shares = torch.cat([torch.tensor([max(E.held, 0.0)]).double(), E.energies])
    return E.vectors[:, : max(rank_for_energy(shares, energy) - 1, 0)]


def protect(
    protected: Float[Tensor, "d p"], correlation: Float[Tensor, "d d"], energy: float
) -> Float[Tensor, "d p_new"]:
    """P ← [P, U], orthonormal (eq. 2)."""
    P = orthonormal(protected)
    return torch.cat([P, new_directions(P, correlation, energy)], dim=1)


def learnable(
    protected: Float[Tensor, "d p"], correlation: Float[Tensor, "d d"], energy: float
) -> Float[Tensor, "d r"]:
    """U₁: the directions that a task with inputs of correlation R may learn (eq. 3).

    At least one, even if P holds the share `energy` already, unless nothing of R is left outside P: then none.
    """
    U = new_directions(protected, correlation, energy)
    return U if U.shape[1] else residual(protected, correlation).vectors[:, :1]
