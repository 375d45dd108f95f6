"""Tensor tools: unfolding, mode product, projection, energy and rank.

Source: Kolda & Bader, "Tensor decompositions and applications", SIAM Review 2009, doi 10.1137/07070111X.
(Unfolding orders the remaining modes as they stand in memory, like tensorly and numpy; the paper reverses them.)

    X₍ᵢ₎        unfolding: the fibres of mode i as columns, (n_i, Πn / n_i)
    X ×ᵢ M      mode product: every fibre of mode i multiplied by M, so that (X ×ᵢ M)₍ᵢ₎ = M X₍ᵢ₎
    R_i         = X₍ᵢ₎ X₍ᵢ₎ᵀ, correlation of mode i, (n_i, n_i); its eigenvalues are the squared singular values of X₍ᵢ₎
    S           = X ×₁ U₁ᵀ ×₂ U₂ᵀ …, core of X on orthonormal bases U_i (n_i, r_i)
    X̂           = S ×₁ U₁ ×₂ U₂ …, the projection of X;  ‖X‖² = ‖S‖² + ‖X − X̂‖²

Where a basis stands for a mode that is left whole, it is `None`: the identity, never multiplied out.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.checks import SHARE, check_squares

Bases = Sequence[Tensor | None]
SMALL = 256  # pixels of a map whose two modes are multiplied at once
ROWS = 128  # of a block of X Xᵀ


class Tucker(NamedTuple):
    """A tensor as a core `(r_1, …, r_d)` and one basis `(n_i, r_i)` per mode; `None` for a mode left whole."""

    core: Float[Tensor, "..."]
    bases: tuple[Float[Tensor, "_ _"] | None, ...]


def unfold(x: Float[Tensor, "..."], mode: int) -> Float[Tensor, "size rest"]:
    """X₍ᵢ₎: the fibres of `mode` as columns.

    >>> unfold(torch.arange(6.0).reshape(1, 2, 3), mode=1)
    tensor([[0., 1., 2.],
            [3., 4., 5.]])
    """
    others = x.shape[: _check_mode(x, mode)] + x.shape[mode + 1 :]
    return x.movedim(mode, 0).reshape(x.shape[mode], torch.Size(others).numel())


def fold(matrix: Float[Tensor, "size rest"], mode: int, shape: Sequence[int]) -> Float[Tensor, "..."]:
    """The tensor of `shape` whose unfolding along `mode` is `matrix`: the inverse of `unfold`."""
    rest = [size for i, size in enumerate(shape) if i != mode]
    if not 0 <= mode < len(shape) or matrix.shape[0] != shape[mode]:
        raise ValueError(
            f"a matrix of shape {tuple(matrix.shape)} is no unfolding along mode {mode} of a tensor of shape "
            f"{tuple(shape)}; its rows must be the size of that mode"
        )
    return matrix.reshape(shape[mode], *rest).movedim(0, mode)


def mode_product(x: Float[Tensor, "..."], matrix: Float[Tensor, "rows size"], mode: int) -> Float[Tensor, "..."]:
    """X ×ᵢ M: size n_i of `mode` becomes the number of rows of `matrix`."""
    n = x.shape[_check_mode(x, mode)]
    if matrix.ndim != 2 or matrix.shape[1] != n:
        raise ValueError(
            f"mode {mode} of a tensor of shape {tuple(x.shape)} has size {n}, but the matrix of shape "
            f"{tuple(matrix.shape)} does not take so many; give a matrix with {n} columns"
        )
    shape = (*x.shape[:mode], matrix.shape[0], *x.shape[mode + 1 :])
    if mode == x.ndim - 1:
        return (x.reshape(x.shape[:-1].numel(), n) @ matrix.T).reshape(
            shape
        )  # one large product instead of many thin ones
    left, right = x.shape[:mode].numel(), x.shape[mode + 1 :].numel()
    return (matrix @ x.reshape(left, n, right)).reshape(shape)


def last_two(
    x: Float[Tensor, "*others h w"], rows: Float[Tensor, "p h"], columns: Float[Tensor, "q w"]
) -> Float[Tensor, "*others p q"]:
    """The products of the last two modes with `rows` and `columns`; of small maps as one large product with their
    Kronecker product, instead of many tiny ones."""
    (p, h), (q, w) = rows.shape, columns.shape
    if max(h * w, p * q) > SMALL:
        return mode_product(mode_product(x, columns, x.ndim - 1), rows, x.ndim - 2)
    flat = x.reshape(-1, h * w) @ torch.kron(rows.contiguous(), columns.contiguous()).T
    return flat.reshape(*x.shape[:-2], p, q)


def project(x: Float[Tensor, "..."], bases: Bases) -> Float[Tensor, "..."]:
    """Core S = X ×₁ U₁ᵀ ×₂ U₂ᵀ …; modes whose basis is `None` keep their size."""
    _check_bases(x, bases)
    *others, rows, columns = (*[None] * (2 - len(bases)), *bases)
    for mode, basis in enumerate(others):
        if basis is not None:
            x = mode_product(x, basis.T, mode)
    if rows is not None and columns is not None:
        return last_two(x, rows.T, columns.T)
    for mode, basis in ((x.ndim - 2, rows), (x.ndim - 1, columns)):
        if basis is not None:
            x = mode_product(x, basis.T, mode)
    return x


def expand(core: Float[Tensor, "..."], bases: Bases) -> Float[Tensor, "..."]:
    """X̂ = S ×₁ U₁ ×₂ U₂ …: the tensor that the core and its bases stand for."""
    _check_bases(core, bases)
    for mode, basis in enumerate(bases):
        if basis is not None:
            core = mode_product(core, basis, mode)
    return core


def mode_correlation(x: Float[Tensor, "..."], mode: int) -> Float[Tensor, "size size"]:
    """R_i = X₍ᵢ₎ X₍ᵢ₎ᵀ, in float64: sums over a whole data set must not lose the small directions."""
    check_squares(x, "x")
    return gram(unfold(x, mode).double())


def gram(X: Float[Tensor, "n m"]) -> Float[Tensor, "n n"]:
    """X Xᵀ, of which only blocks of rows up to the diagonal are multiplied out; the rest is mirrored.

    >>> gram(torch.tensor([[1.0, 2.0], [0.0, 1.0]]))
    tensor([[5., 2.],
            [2., 1.]])
    """
    products = X.new_empty(len(X), len(X))
    for start in range(0, len(X), ROWS):
        rows, before = slice(start, start + ROWS), slice(start)
        products[rows, : start + ROWS] = X[rows] @ X[: start + ROWS].T
        products[before, rows] = products[rows, before].T
    return products


def spectrum(
    correlation: Float[Tensor, "size size"],
) -> tuple[Float[Tensor, " size"], Float[Tensor, "size size"]]:
    """Energies (eigenvalues, largest first, never negative) of a correlation, and its eigenvectors as columns."""
    values, vectors = torch.linalg.eigh(correlation)
    return values.flip(0).clamp(min=0), vectors.flip(1)


def rank_for_energy(energies: Float[Tensor, " size"], energy: float) -> int:
    """Smallest r whose first r energies hold **more** than the share ε = `energy` of the sum.

    LANCE's rule. A tie (the first r hold exactly ε) keeps one direction more, where a rule "at least ε" would stop.
    ε = 1 keeps everything; no energy at all gives rank 0.

    >>> rank_for_energy(torch.tensor([6.0, 3.0, 1.0]), 0.8)
    2
    >>> rank_for_energy(torch.tensor([8.0, 2.0]), 0.8)
    2
    """
    if not SHARE.holds(energy):
        raise ValueError(f"energy is a share and must lie in [0, 1], got {energy!r}; the paper's value is 0.7")
    e = energies.double()
    total = float(e.sum())
    if total <= 0.0:
        return 0
    if energy == 1.0:
        return len(e)
    return min(int((e.cumsum(0) <= energy * total).sum()) + 1, len(e))


def relative_error(x: Float[Tensor, "*shape"], approximation: Float[Tensor, "*shape"]) -> float:
    """‖X − X̂‖ / ‖X‖ (Frobenius norms); 0 for two zero tensors."""
    distance, norm = float((x - approximation).norm()), float(x.norm())
    return distance / norm if norm > 0.0 else float(distance > 0.0)


def tucker_elements(shape: Sequence[int], ranks: Sequence[int | None]) -> int:
    """Numbers that a core and its bases hold: Π r_i + Σ n_i r_i; a rank `None` is a mode left whole, without basis.

    Storing X itself takes Π n_i, so compression pays only while this is smaller.
    """
    core, bases = 1, 0
    for n, r in zip(shape, ranks, strict=True):
        core *= n if r is None else r
        bases += 0 if r is None else n * r
    return core + bases


def _check_mode(x: Tensor, mode: int) -> int:
    if not isinstance(mode, int) or not 0 <= mode < x.ndim:
        raise ValueError(f"a tensor of shape {tuple(x.shape)} has modes 0 to {x.ndim - 1}, got mode {mode!r}")
    return mode


def _check_bases(x: Tensor, bases: Bases) -> None:
    if len(bases) != x.ndim:
        raise ValueError(
            f"a tensor of shape {tuple(x.shape)} takes {x.ndim} bases, one per mode (None leaves a mode whole), "
            f"got {len(bases)}"
        )
