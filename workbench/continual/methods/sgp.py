"""SGP: scaled gradient projection, GPM with an importance per direction.

Source: Saha, Roy, "Continual learning with scaled gradient projection", AAAI 2023, arXiv 2302.01386.

    M   as in GPM; σ_i singular values of the inputs along the directions of M (old ones) and of X̂ (new ones)
    λ_i = (α + 1) σ_i / (α σ_i + max σ)                importance of a direction in the finished task, in [0, 1]
    λ   ← min(λ_before + λ, 1)                         for directions that M held before
    ΔW  ← ΔW (I − M Λ Mᵀ)

M Λ Mᵀ is a conceptor with other values than λ/(λ + α⁻²), and added up instead of joined by OR.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.checks import NOT_NEGATIVE, check_fields
from workbench.continual.conceptors import Conceptor
from workbench.continual.guard import Guard
from workbench.continual.method import backpropagation
from workbench.continual.methods.gpm import GPM
from workbench.faces import short_repr
from workbench.rule import Rule


class SGPParams(NamedTuple):
    """scale: α, large values tend to GPM; threshold, increase, samples as in `GPMParams`."""

    scale: float = 10.0
    threshold: float = 0.97
    increase: float = 0.003
    samples: int = 125

    __repr__ = short_repr


def importance(inputs: Float[Tensor, "d n"], basis: Float[Tensor, "d m"], scale: float) -> Float[Tensor, " m"]:
    """λ for the columns of an orthonormal basis, from the energy of the inputs along each."""
    sigma = (basis.double().T @ inputs.double()).norm(dim=1)
    if not len(sigma):  # of a silent layer
        return sigma
    return (scale + 1) * sigma / (scale * sigma + sigma.max()).clamp(min=torch.finfo(sigma.dtype).tiny)


class SGP(GPM):
    """The method on a network, which is prepared in place; bases and importances are part of its `state_dict`."""

    def __init__(self, network: Any, params: SGPParams = SGPParams(), rule: Rule = backpropagation):
        check_fields(params, SGPParams, scale=NOT_NEGATIVE)
        super().__init__(network, params, rule)

    def protects(self, task: int, name: str, layer: Guard, inputs: Float[Tensor, "d n"]) -> Conceptor:
        """M Λ Mᵀ."""
        before, M = layer.values.double(), self.basis(task, layer, inputs)
        importances = importance(inputs, M, self.params.scale)
        importances[: len(before)] += before
        return Conceptor(M, importances.clamp(max=1.0))
