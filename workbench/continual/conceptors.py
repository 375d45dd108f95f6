"""Conceptors: soft projectors on the directions that a set of data uses, and their logic.

Source: Jaeger, "Controlling recurrent neural networks by conceptors", arXiv 1403.3369, sections 3.8–3.9; as CODE-CL
uses them (Apolinario et al., ICCV 2025, arXiv 2411.15235).

    X (d, N)                samples in columns;  R = X Xᵀ / N                                  their correlation
    C = R (R + α⁻² I)⁻¹     conceptor: the same eigenvectors, values s = λ / (λ + α⁻²) in [0, 1], α the aperture
    ¬C     = I − C                                                                             (NOT)
    C ∧ B  = W (Wᵀ (C⁺ + B⁺ − I) W)⁻¹ Wᵀ,  W a basis of range(C) ∩ range(B)                    (AND)
    C ∨ B  = ¬(¬C ∧ ¬B)                                                                        (OR)
    φ(C,γ) = C (C + γ⁻² (I − C))⁻¹;  φ(C(R,α),γ) = C(R,γα)                                     (aperture adaptation)
    Θ(C)   = tr(C) / d                                                                         (capacity, or quota)

A conceptor is kept as the eigenvectors of its range and their values, so d may be large while the rank is small, and
directions that were never seen keep the value zero exactly. AND and OR need one small matrix and no inverse:

    the rank-one conceptors s_i v_i v_iᵀ joined by OR are  Z K⁺ Zᵀ,  Z = V √s,  K = diag(1 − s) + Zᵀ Z         (*)

(C = λ/(λ+1) turns OR into a sum of correlations Σ s_i/(1−s_i) v_i v_iᵀ; (*) is that sum carried back by Woodbury's
identity, with every entry bounded by one also where s_i = 1.) All decompositions are in float64, and begin by making
vectors that were stored in float32 orthonormal again: what is orthonormal to 1e-7 only has no range to 1e-10.
"""

import functools
from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.checks import check_finite, check_squares
from workbench.compression.tucker import gram
from workbench.continual.subspaces import complement, orthonormal

LEAST = 1e-100  # aperture


class Correlation(NamedTuple):
    """R by its range: orthonormal eigenvectors `(d, k)` and eigenvalues λ > 0 `(k,)`."""

    vectors: Float[Tensor, "d k"]
    values: Float[Tensor, " k"]


class Conceptor(NamedTuple):
    """C by its range: orthonormal eigenvectors `(d, k)` and values s in (0, 1] `(k,)`. A projector has all s = 1."""

    vectors: Float[Tensor, "d k"]
    values: Float[Tensor, " k"]


def correlation(samples: Float[Tensor, "d n"]) -> Correlation:
    """R = X Xᵀ / N by its range, without directions that hold rounding errors only, be it those of float32 inputs."""
    d, n = samples.shape
    if n == 0 or d == 0:
        raise ValueError(f"a correlation needs at least one sample in the columns, got shape {(d, n)}")
    check_finite(samples, "samples", ("direction", "sample"))
    check_squares(samples, "samples")
    X = samples.double()
    if n < d:  # the thin side: R itself, (d, d), is never formed
        vectors, lengths, _ = torch.linalg.svd(X, full_matrices=False)
        values, smallest = lengths.square() / n, (d * torch.finfo(X.dtype).eps) ** 2
    else:
        values, vectors = torch.linalg.eigh(gram(X).div_(n))
        smallest = d * torch.finfo(X.dtype).eps
    smallest = max(smallest, d * torch.finfo(samples.dtype).eps ** 2)  # the energy of errors of the size eps
    return Correlation(*_nonzero(vectors, values, smallest * float(values.max())))


def conceptor(r: Correlation, aperture: float) -> Conceptor:
    """C(R,α) = R (R + α⁻² I)⁻¹; α = ∞ gives the projector on the range of R.

    >>> dense(conceptor(correlation(torch.eye(2) * 2), aperture=1.0))[0, 0]      # λ = 2: 2 / (2 + 1)
    tensor(0.6667, dtype=torch.float64)
    """
    _check_positive("aperture", aperture)
    return Conceptor(r.vectors, r.values / (r.values + aperture**-2))


def empty(d: int) -> Conceptor:
    """C = 0 in d dimensions: nothing seen yet."""
    return Conceptor(torch.zeros(d, 0, dtype=torch.float64), torch.zeros(0, dtype=torch.float64))


def dense(c: Conceptor | Correlation) -> Float[Tensor, "d d"]:
    """The matrix V diag(s) Vᵀ."""
    return (c.vectors * c.values) @ c.vectors.T


def from_dense(matrix: Float[Tensor, "d d"]) -> Conceptor:
    """A conceptor from its symmetric matrix. Raises ValueError unless its eigenvalues lie in [0, 1]."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.numel():
        raise ValueError(f"the matrix of a conceptor is (d, d) with d at least 1, got shape {tuple(matrix.shape)}")
    check_finite(matrix, "the matrix", ("row", "column"))
    C = matrix.double()
    if not torch.allclose(C, C.T, rtol=0.0, atol=1e-6):
        raise ValueError(
            f"a conceptor is symmetric; this matrix differs from its transpose by {(C - C.T).abs().max():.3g}"
        )
    values, vectors = torch.linalg.eigh((C + C.T) / 2)
    if not -1e-6 <= float(values.min()) <= float(values.max()) <= 1 + 1e-6:
        raise ValueError(
            f"a conceptor's eigenvalues lie in [0, 1], got {float(values.min()):.3g} to {float(values.max()):.3g}; "
            "for a correlation use conceptor(correlation(samples), aperture)"
        )
    return Conceptor(*_nonzero(vectors, values.clamp(0.0, 1.0), len(C) * torch.finfo(C.dtype).eps))


def capacity(c: Conceptor) -> float:
    """Θ(C) = tr(C) / d, the mean value: the share of the space that is claimed. Also called quota."""
    return float(c.values.sum()) / len(c.vectors)


def adapt(c: Conceptor, gamma: float) -> Conceptor:
    """φ(C,γ) = C (C + γ⁻² (I − C))⁻¹: the conceptor that an aperture γ times as large would have given."""
    _check_positive("gamma", gamma)
    s = c.values
    return Conceptor(c.vectors, s / (s + gamma**-2 * (1 - s)))


def cut(c: Conceptor, floor: float) -> Conceptor:
    """C without the directions whose value is below `floor`."""
    keep = c.values >= floor
    return Conceptor(c.vectors[:, keep], c.values[keep])


def negation(c: Conceptor) -> Conceptor:
    """¬C = I − C. Its range is nearly the whole space: d vectors are kept, so use it where d is small."""
    V, outside = orthonormal(c.vectors), complement(c.vectors)
    values = torch.cat([outside.new_ones(outside.shape[1]), 1 - c.values.double()])
    return Conceptor(*_nonzero(torch.cat([outside, V], dim=1), values, 0.0))


def disjunction(c: Conceptor, *others: Conceptor) -> Conceptor:
    """C ∨ B (∨ …), the conceptor of all data together: C(R₁,α) ∨ C(R₂,α) = C(R₁ + R₂, α). Equation (*).

    Costs O(d k²) with k the sum of the ranks.
    """
    vectors, values = _columns(c, *others)
    Y = _joined(vectors, values)
    nu, q = torch.linalg.eigh(Y.T @ Y)
    nu, keep = nu.clamp(max=1.0), nu > len(nu) * torch.finfo(nu.dtype).eps
    return Conceptor(Y @ (q[:, keep] / nu[keep].sqrt()), nu[keep])


def conjunction(c: Conceptor, b: Conceptor, tolerance: float = 1e-10) -> Conceptor:
    """C ∧ B, what both claim. Two ranges that meet in the origin only give the zero conceptor.

    Stored in float32 or in float64, C and B share the same directions.
    `tolerance`: directions of the two ranges count as shared where the sin² of their angle is at most this.
    """
    W = intersection(c, b, tolerance)
    vectors, values = _columns(c, b)
    Y = _joined(W.T @ vectors, 1 - values)  # Y Yᵀ = ¬(C ∧ B) inside the intersection, by de Morgan and (*)
    s, q = torch.linalg.eigh(torch.eye(len(Y), dtype=Y.dtype, device=Y.device) - Y @ Y.T)
    return Conceptor(W @ q, s.clamp(0.0, 1.0))


def intersection(c: Conceptor, b: Conceptor, tolerance: float = 1e-10) -> Float[Tensor, "d m"]:
    """W, an orthonormal basis of range(C) ∩ range(B): the principal directions with cos² ≥ 1 − tolerance."""
    _check_same_space(c, b)
    V = orthonormal(c.vectors)
    overlap = V.T @ orthonormal(b.vectors)
    cos2, q = torch.linalg.eigh(overlap @ overlap.T)
    return V @ q[:, cos2 >= 1 - tolerance]


def similarity(c: Conceptor, b: Conceptor) -> float:
    """‖S_c^½ U_cᵀ U_b S_b^½‖²_F / (‖S_c‖ ‖S_b‖): 1 for equal conceptors, 0 for orthogonal ranges; tr(CB)/(‖C‖‖B‖)."""
    _check_same_space(c, b)
    shared = (orthonormal(c.vectors).T @ orthonormal(b.vectors)).square()
    norms = float(c.values.double().norm() * b.values.double().norm())
    return float(c.values.double() @ shared @ b.values.double()) / norms if norms else 0.0


def outside(rows: Float[Tensor, "n d"], c: Conceptor) -> Float[Tensor, "n d"]:
    """G (I − C), low-rank: 2ndk multiplications instead of nd². Along an eigenvector the row keeps the share 1 − s."""
    return _outside(rows, c.vectors * c.values, c.vectors.T)


def projection(c: Conceptor) -> Callable[[Tensor], Tensor]:
    """The function G ↦ G (I − C) in its cheaper form: low-rank below k = d/2, else one dense product."""
    d, k = c.vectors.shape
    if 2 * k < d:
        return functools.partial(_outside, scaled=c.vectors * c.values, back=c.vectors.T)
    V = orthonormal(c.vectors)  # where s = 1 nothing may be left, in float32 too
    remaining = torch.eye(d, dtype=V.dtype, device=V.device) - (V * c.values.double()) @ V.T
    return functools.partial(torch.mm, mat2=remaining.to(c.vectors))


def _outside(rows: Tensor, scaled: Tensor, back: Tensor) -> Tensor:
    return torch.addmm(rows, rows @ scaled, back, alpha=-1)  # one pass: the difference costs nothing more


def _joined(vectors: Float[Tensor, "d k"], values: Float[Tensor, " k"]) -> Float[Tensor, "d m"]:
    """Y with Y Yᵀ = Z K⁺ Zᵀ of (*): the OR of the rank-one conceptors s_i v_i v_iᵀ, v_i of length ≤ 1."""
    Z, rest = vectors * values.sqrt(), 1 - values
    _, n = torch.linalg.eigh(Z.T @ Z + torch.diag(rest))
    Y = Z @ n
    kappa = Y.square().sum(0) + rest @ n.square()  # nᵀ K n as a sum of squares: precise also near zero
    keep = kappa > 1e-12  # below, two directions of value 1 are the same to within an angle of 1e-6
    return Y[:, keep] / kappa[keep].sqrt()


def _columns(*conceptors: Conceptor) -> tuple[Float[Tensor, "d k"], Float[Tensor, " k"]]:
    for other in conceptors[1:]:
        _check_same_space(conceptors[0], other)
    vectors = torch.cat([orthonormal(c.vectors) for c in conceptors], dim=1)
    return vectors, torch.cat([c.values.double() for c in conceptors])


def _nonzero(vectors: Tensor, values: Tensor, smallest: float) -> tuple[Tensor, Tensor]:
    keep = values > smallest
    return vectors[:, keep], values[keep]


def _check_same_space(c: Conceptor, b: Conceptor) -> None:
    if len(c.vectors) != len(b.vectors):
        raise ValueError(
            f"two conceptors can be joined only in the same space; got dimensions {len(c.vectors)} and {len(b.vectors)}"
        )


def _check_positive(name: str, value: float) -> None:
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not (number and value >= LEAST):  # NaN too; 1 / value² is still a number
        raise ValueError(f"{name} must be above 0, got {value!r}; CODE-CL uses apertures of 4 to 8 and γ = 1.1")
