"""Periodic basis vectors: the fixed directions that LLS pulls a layer's activity towards, one per class.

Apolinario & Roy, WACV 2025, arXiv 2405.15868. Row c of a basis B `(classes, latents)` is a wave over the latents k:

    B_ck = sin(f_c (k + φ))        or cos, or the sign of the sine (square wave)

Symbols: f_c frequency of class c in radians per latent, k = 0..n−1 the latent, φ phase in latents. The released code
takes f = linspace(50, 512, C), φ = 0, and calls the sine "cosine". As k is an integer only f_c modulo 2π counts
(aliasing): for unlucky numbers of classes two rows coincide, which `check_rows` refuses. At φ = 0 the column k = 0 of
sine and square is 0, so the first latent never learns its class; φ = ½ repairs that. Rows are not normalised: all
waves have a squared norm near n / 2 (square: n − 1).

A basis is a function `(classes, latents) -> B`; `functools.partial` sets its options. All are computed in float64 on
the CPU (in float32 the phase f_c k is wrong by up to 0.06 radians at k = 2000) and are the same on every device.
"""

import math
import warnings
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from workbench.checks import COUNT, FINITE, check_finite, check_number, is_finite
from workbench.language import say

Basis = Callable[[int, int], Tensor]  # (classes, latents) → one row per class


class CloseRowsWarning(UserWarning):
    """Two classes have nearly the same basis vector and will be told apart badly."""


class Closest(NamedTuple):
    """The two rows with the largest |cosine| between them."""

    cosine: float
    first: int
    second: int


class Verdict(NamedTuple):
    """What `check_rows` holds of a basis: the closest pair, whether it is refused, and words (none if all is well)."""

    closest: Closest
    refused: bool
    words: str


def released_frequencies(classes: int, dtype: torch.dtype = torch.float64) -> Float[Tensor, "classes"]:
    """f_c of the released code, in radians per latent: `classes` equal steps from 50 to 512."""
    return torch.linspace(50.0, 512.0, classes, dtype=dtype)


def aliased(frequencies: Float[Tensor, "classes"]) -> Float[Tensor, "classes"]:
    """The frequency in [−π, π) that gives the same wave at integer latents: f modulo 2π.

    >>> aliased(released_frequencies(3)[:1])
    tensor([-0.2655], dtype=torch.float64)
    """
    return torch.remainder(frequencies + math.pi, 2.0 * math.pi) - math.pi


def sine(
    classes: int,
    latents: int,
    frequencies: Float[Tensor, "classes"] | None = None,
    phase: float = 0.0,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "classes latents"]:
    """B_ck = sin(f_c (k + φ)), the released "cosine". `dtype` float32 repeats the rounding of the released code."""
    return _angles(classes, latents, frequencies, phase, dtype).sin()


def cosine(
    classes: int,
    latents: int,
    frequencies: Float[Tensor, "classes"] | None = None,
    phase: float = 0.0,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "classes latents"]:
    """B_ck = cos(f_c (k + φ))."""
    return _angles(classes, latents, frequencies, phase, dtype).cos()


def square(
    classes: int,
    latents: int,
    frequencies: Float[Tensor, "classes"] | None = None,
    phase: float = 0.0,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "classes latents"]:
    """B_ck = sign(sin(f_c (k + φ))): −1 or 1, and 0 where the sine is 0. The wave of the paper's tables 2 and 3."""
    return sine(classes, latents, frequencies, phase, dtype).sign()


def dct(classes: int, latents: int, first: int = 1) -> Float64[Tensor, "classes latents"]:
    """B_ck = cos(π (first + c)(k + ½) / n): rows of the discrete cosine transform, orthogonal, of norm √(n/2).

    Raises ValueError when there are not `classes` different frequencies below n.
    """
    return cosine(classes, latents, dct_frequencies(classes, latents, first), phase=0.5)


def dct_frequencies(classes: int, latents: int, first: int = 1) -> Float64[Tensor, "classes"]:
    """π (first + c) / n, in radians per latent. Raises ValueError when fewer than `classes` of them are below π."""
    _check_sizes(classes, latents)
    check_number(first, "first", COUNT)
    if first + classes > latents:
        told = say(
            "{latents} latents have the frequencies 1..{last}, but {classes} were asked for from {first} on; use more "
            "latents or fewer classes",
            latents=latents,
            last=latents - 1,
            classes=classes,
            first=first,
        )
        raise ValueError(told)
    return torch.arange(first, first + classes, dtype=torch.float64) * (math.pi / latents)


def orthonormal(classes: int, latents: int, first: int = 1) -> Float64[Tensor, "classes latents"]:
    """`dct` with rows of norm 1: B Bᵀ is the identity. The temperature must be √(n/2) smaller for the same logits."""
    return dct(classes, latents, first) * math.sqrt(2.0 / latents)


def random(
    classes: int, latents: int, seed: int = 0, hidden: int | None = None, scale: float = 0.1
) -> Float64[Tensor, "classes latents"]:
    """Normal numbers of standard deviation `scale`, from `seed`.

    The released code draws `(classes, hidden)` and averages neighbours down to the latents; None draws no more than
    needed.
    """
    _check_sizes(classes, latents)
    generator = torch.Generator().manual_seed(seed)
    draws = scale * torch.randn(classes, hidden or latents, generator=generator, dtype=torch.float64)
    return draws if hidden is None else torch.nn.functional.adaptive_avg_pool1d(draws, latents)


def row_cosines(basis: Float[Tensor, "classes latents"]) -> Float64[Tensor, "classes classes"]:
    """Cosine of the angle between every two rows; a row of zeros gives 0."""
    unit = torch.nn.functional.normalize(basis.double(), dim=1)
    return unit @ unit.T


def closest_rows(basis: Float[Tensor, "classes latents"]) -> Closest:
    """The pair of rows with the largest |cosine|; (0, 0, 0) when there is one row.

    >>> closest_rows(torch.tensor([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]]))
    Closest(cosine=1.0, first=0, second=2)
    """
    similarity = row_cosines(basis).abs().triu(diagonal=1)
    first, second = divmod(int(similarity.argmax()), len(basis))
    return Closest(float(similarity[first, second]), first, second)


def judge_rows(basis: Float[Tensor, "classes latents"], refuse: float = 0.99, warn: float = 0.5) -> Verdict:
    """The closest pair of rows, refused above `refuse`, and said in words above `warn`; ValueError for rows that are no
    numbers."""
    if basis.ndim != 2 or not basis.numel():
        raise ValueError(f"the basis must have a row for each class, (classes, latents), got {tuple(basis.shape)}")
    check_finite(basis, "the basis", ("row", "latent"))
    closest = closest_rows(basis)
    value, first, second = closest
    found = {"first": first, "second": second, "value": value, "limit": refuse if value > refuse else warn}
    pair = say("|cosine| between the basis rows of classes {first} and {second} is {value:.3f}, above {limit}", **found)
    advice = say(
        "take other frequencies or another basis, for instance dct ({rows} rows, {latents} latents)",
        rows=len(basis),
        latents=basis.shape[1],
    )
    if value > refuse:
        return Verdict(closest, True, f"{pair}: {say('they cannot be told apart')}; {advice}")
    return Verdict(closest, False, f"{pair}; {advice}" if value > warn else "")


def check_rows(
    basis: Float[Tensor, "classes latents"], refuse: float = 0.99, warn: float = 0.5
) -> Float[Tensor, "classes latents"]:
    """Return `basis`; raise ValueError when two rows nearly coincide, warn (`CloseRowsWarning`) when they are close."""
    verdict = judge_rows(basis, refuse, warn)
    if verdict.refused:
        raise ValueError(verdict.words)
    if verdict.words:
        warnings.warn(verdict.words, CloseRowsWarning, stacklevel=2)
    return basis


def build(basis: Basis, rows: int, latents: int) -> Float[Tensor, "rows latents"]:
    """The basis for one layer: computed in float64, its rows checked, then rounded to torch's default type."""
    return check_rows(basis(rows, latents)).to(torch.get_default_dtype())


def synchrony(
    latents: Float[Tensor, "batch latents"], basis: Float[Tensor, "classes latents"]
) -> Float[Tensor, "batch classes"]:
    """Cosine between each sample's latent vector and each row: 1 when the layer is in step with that class."""
    return torch.nn.functional.normalize(latents, dim=1) @ torch.nn.functional.normalize(basis, dim=1).T


def _angles(
    classes: int, latents: int, frequencies: Tensor | None, phase: float, dtype: torch.dtype
) -> Float[Tensor, "classes latents"]:
    _check_sizes(classes, latents)
    f = released_frequencies(classes, dtype) if frequencies is None else frequencies.to("cpu", dtype)
    if f.shape != (classes,):
        raise ValueError(f"{classes} classes need {classes} frequencies, got {f.numel()} of shape {tuple(f.shape)}")
    check_finite(f, "frequencies", ("class",))
    check_number(phase, "phase", FINITE)
    angles = f[:, None] * (torch.arange(latents, dtype=dtype) + phase)
    if not is_finite(angles):
        largest = float(f.abs().max())
        raise ValueError(
            f"frequencies up to {largest} times a phase of {phase} latents are no angles; choose smaller ones"
        )
    return angles


def _check_sizes(classes: int, latents: int) -> None:
    if not (COUNT.holds(classes) and COUNT.holds(latents)):
        raise ValueError(f"a basis needs at least one class and one latent, got {classes} classes, {latents} latents")
