"""Clouds of data and the ellipses of their matrices, small enough to look at: two or three dimensions."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.continual.conceptors import Conceptor, conceptor, conjunction, correlation, dense, disjunction, negation

FLAT = 1e-2  # a cloud is never thinner than this, as measured data hardly are


def turned(turn: float, tilt: float, d: int) -> Float[Tensor, "d d"]:
    """Directions of a cloud's axes in the columns, angles in degrees: `turn` in the plane of x and y, then, in three
    dimensions, the first axis lifted by `tilt` out of that plane.

    >>> turned(90.0, 0.0, 2).round()
    tensor([[ 0., -1.],
            [ 1.,  0.]], dtype=torch.float64)
    """
    if d not in (2, 3):
        raise ValueError(f"clouds have 2 or 3 dimensions here, got {d}")
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    plane = torch.tensor([[c, -s], [s, c]], dtype=torch.float64)
    if d == 2:
        return plane
    c, s = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    lift = torch.tensor([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]], dtype=torch.float64)
    return torch.block_diag(plane, torch.ones(1, 1, dtype=torch.float64)) @ lift


def cloud(
    axes: Float[Tensor, "d d"], deviations: Float[Tensor, " d"], n: int = 60, seed: int = 0
) -> Float[Tensor, "d n"]:
    """n random points in columns `(d, n)` whose correlation is exactly Q diag(σ²) Qᵀ, for Q = `axes`.

    The same points for the same seed, so that a picture moves smoothly with the angles and deviations.
    """
    d = len(axes)
    if n <= d:
        raise ValueError(f"a cloud in {d} dimensions needs more than {d} points, got {n}")
    raw = torch.randn(d, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    values, vectors = torch.linalg.eigh(raw @ raw.T / n)
    white = vectors @ ((vectors.T @ raw) / values.sqrt()[:, None])  # correlation I
    return axes @ (deviations.double().clamp(min=FLAT)[:, None] * white)


def outline(matrix: Float[Tensor, "d d"], view: Float[Tensor, "2 d"], points: int = 73) -> Float[Tensor, "2 points"]:
    """The edge of the ellipse, or the silhouette of the ellipsoid, {M u : ‖u‖ ≤ 1}, seen along `view`; closed.

    The picture of a ball under V M is the ellipse of the left singular vectors and singular values of V M.

    >>> outline(torch.eye(2), torch.eye(2), 5).round().int()
    tensor([[ 1,  0, -1,  0,  1],
            [ 0,  1,  0, -1,  0]], dtype=torch.int32)
    """
    shown = view.double() @ matrix.double()
    values, vectors = torch.linalg.eigh(shown @ shown.T)
    half = (vectors * values.clamp(min=0.0).sqrt()) @ vectors.T  # symmetric, so that the edge starts on the right
    angle = torch.linspace(0.0, 2 * math.pi, points, dtype=torch.float64)
    return half @ torch.stack([angle.cos(), angle.sin()])


def looking(turn: float, lift: float, d: int) -> Float[Tensor, "2 d"]:
    """Rows: the directions of space that a picture shows to the right and upwards, seen from an angle in degrees."""
    if d == 2:
        return torch.eye(2, dtype=torch.float64)
    a, b = math.radians(turn), math.radians(lift)
    right = [-math.sin(a), math.cos(a), 0.0]
    up = [-math.cos(a) * math.sin(b), -math.sin(a) * math.sin(b), math.cos(b)]
    return torch.tensor([right, up], dtype=torch.float64)


class Shape(NamedTuple):
    """A cloud by its sliders: σ of the longest axis, σ of the second and third as shares of it, and its angles."""

    spread: float
    roundness: float
    turn: float
    tilt: float = 0.0
    thickness: float = 0.3


class Pair(NamedTuple):
    """Two clouds, their standard-deviation matrices R^½, and conceptors by name: A, B, NOT A, A AND B, A OR B."""

    samples: tuple[Float[Tensor, "d n"], Float[Tensor, "d n"]]
    roots: tuple[Float[Tensor, "d d"], Float[Tensor, "d d"]]
    conceptors: dict[str, Conceptor]


def pair(a: Shape, b: Shape, aperture: float, d: int = 2) -> Pair:
    """Both clouds in d = 2 or 3 dimensions, and the conceptors of and from them."""
    samples = tuple(_samples(shape, d, seed) for seed, shape in enumerate((a, b)))
    correlations = [correlation(x) for x in samples]
    A, B = (conceptor(r, aperture) for r in correlations)
    roots = tuple((r.vectors * r.values.sqrt()) @ r.vectors.T for r in correlations)
    results = {"A": A, "B": B, "NOT A": negation(A), "A AND B": conjunction(A, B), "A OR B": disjunction(A, B)}
    return Pair((samples[0], samples[1]), (roots[0], roots[1]), results)


def _samples(shape: Shape, d: int, seed: int) -> Tensor:
    shares = torch.tensor([1.0, shape.roundness, shape.thickness][:d], dtype=torch.float64)
    return cloud(turned(shape.turn, shape.tilt, d), shape.spread * shares, seed=seed)


def singular_values(c: Conceptor) -> list[float]:
    """All d values of C, largest first, with the zeros."""
    values = c.values.sort(descending=True).values.tolist()
    return values + [0.0] * (len(c.vectors) - len(values))


def matrix(c: Conceptor) -> Float[Tensor, "d d"]:
    """C as a matrix, for `outline`."""
    return dense(c)
