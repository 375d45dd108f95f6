"""Higher-order singular value decomposition (HOSVD), whole and truncated by energy; subspace iteration.

Sources: De Lathauwer, De Moor & Vandewalle, SIAM J. Matrix Anal. Appl. 2000, doi 10.1137/S0895479896305696 (HOSVD);
Nguyen et al., "Activation map compression through tensor decomposition for deep learning", arXiv 2411.06346
(HOSVD of the activations at every step); Nguyen et al., "Beyond low-rank decomposition: a shortcut approach for
efficient on-device learning", arXiv 2505.05086 (ASI: one warm step of subspace iteration instead).

    U_i  = first r_i left singular vectors of X₍ᵢ₎
    S    = X ×₁ U₁ᵀ ×₂ U₂ᵀ …
    ‖X − X̂‖² ≤ Σ_i Σ_{k>r_i} σ²_k(X₍ᵢ₎) ≤ Σ_i (1 − ε) ‖X‖²
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.checks import SHARE, check_finite, check_number
from workbench.compression.tucker import Tucker, mode_correlation, project, rank_for_energy, spectrum, unfold

LeftVectors = Callable[[Tensor, int], tuple[Tensor, Tensor]]


def by_svd(x: Float[Tensor, "..."], mode: int) -> tuple[Float[Tensor, " k"], Float[Tensor, "size k"]]:
    """Energies σ² and left singular vectors of X₍ᵢ₎, by SVD of the unfolding itself, as the published baseline does."""
    U, singular, _ = torch.linalg.svd(unfold(x, mode), full_matrices=False)
    return singular.square(), U


def by_correlation(x: Float[Tensor, "..."], mode: int) -> tuple[Float[Tensor, " size"], Float[Tensor, "size size"]]:
    """The same from the eigenvectors of X₍ᵢ₎ X₍ᵢ₎ᵀ: much faster for long unfoldings, σ exact to √eps only."""
    energies, vectors = spectrum(mode_correlation(x, mode))
    return energies.to(x.dtype), vectors.to(x.dtype)


def hosvd(
    x: Float[Tensor, "..."],
    energy: float = 1.0,
    modes: Sequence[int] | None = None,
    left_vectors: LeftVectors = by_correlation,
) -> Tucker:
    """HOSVD of x, each mode cut to the smallest rank that holds more than `energy` (at least rank 1).

    `modes` lists the modes to decompose, by default all; the others stay whole (basis `None`).

    >>> hosvd(torch.ones(4, 3, 2), energy=0.7).core.shape
    torch.Size([1, 1, 1])
    """
    check_finite(x, "x")
    check_number(energy, "energy", SHARE)
    if not x.numel():
        raise ValueError(f"x holds no numbers to decompose, got shape {tuple(x.shape)}")
    chosen = range(x.ndim) if modes is None else modes
    bases: list[Tensor | None] = [None] * x.ndim
    for mode in chosen:
        energies, U = left_vectors(x, mode)
        bases[mode] = U[:, : max(rank_for_energy(energies, energy), 1)].clone()
    return Tucker(project(x, bases), tuple(bases))


def subspace_step(x: Float[Tensor, "..."], basis: Float[Tensor, "size rank"], mode: int) -> Float[Tensor, "size rank"]:
    """One step of subspace iteration for mode i: orthonormal basis of X₍ᵢ₎ (X₍ᵢ₎ᵀ U), from the last step's U.

    Repeated on one x it converges to the leading left singular vectors; ASI takes a single step per training step.
    """
    X = unfold(x, mode)
    return torch.linalg.qr(X @ (X.T @ basis)).Q
