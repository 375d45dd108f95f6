"""The direction z / ‖z‖ of a layer's activity, which a silent layer does not have.

    ẑ = w(r) u,   u = z / ‖z‖,   r = ‖z‖ / ε,   w = 1 for r ≥ 1, below r² (3 − 2r)
    ∂L/∂z = w/‖z‖ (v − (u · v) u) + dw/d‖z‖ (u · v) u,        v = ∂L/∂ẑ                                        (*)

From the length ε on this is the direction itself, whose derivative grows as 1 / ‖z‖. Below, both fade out smoothly: a
silent layer gives exactly 0 and is taught nothing, and no layer is taught more than 9/8 of what the length ε allows.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Fading(NamedTuple):
    """Of each vector: w, and the factors of the parts of v across z, w / ‖z‖, and along it, dw/d‖z‖."""

    weight: Float[Tensor, "*batch 1"]
    across: Float[Tensor, "*batch 1"]
    along: Float[Tensor, "*batch 1"]


def fading(length: Float[Tensor, "*batch 1"], least: float) -> Fading:
    """The factors of (*) for vectors of these lengths; `least` is ε, above 0."""
    r = (length / least).clamp(max=1.0)
    across = torch.where(length < least, r * (3.0 - 2.0 * r) / least, 1.0 / length.clamp(min=least))
    return Fading(r.square() * (3.0 - 2.0 * r), across, 6.0 * r * (1.0 - r) / least)


def direction(z: Float[Tensor, "*batch n"], least: float) -> Float[Tensor, "*batch n"]:
    """ẑ of (*), differentiable; `least` is ε, the length below which a vector counts as silent.

    >>> direction(torch.tensor([[3.0, 4.0], [0.0, 0.0]]), least=1e-5)
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    return z * fading(torch.linalg.vector_norm(z, dim=-1, keepdim=True), least).across
