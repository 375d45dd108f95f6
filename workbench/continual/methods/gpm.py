"""GPM: gradient projection memory.

Source: Saha, Garg, Roy, "Gradient projection memory for continual learning", ICLR 2021, arXiv 2103.09762.

    X (d, N)      a layer's inputs in the finished task, M (d, m) orthonormal basis of the directions kept so far
    X̂ = X − M Mᵀ X;  add the leading left singular vectors of X̂ until ‖M Mᵀ X‖² + ‖X̂_k‖² ≥ ε ‖X‖²             (1)
    ΔW ← ΔW (I − M Mᵀ)                                                                                       (2)

The projector M Mᵀ is a conceptor whose values are all one, and is kept as such.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.checks import COUNT, NOT_NEGATIVE, SHARE, check_fields
from workbench.continual.conceptors import Conceptor, correlation
from workbench.continual.guard import Guard
from workbench.continual.method import backpropagation
from workbench.continual.projecting import Projecting
from workbench.continual.subspaces import ROUNDING, orthonormal
from workbench.faces import short_repr
from workbench.rule import Rule


class GPMParams(NamedTuple):
    """threshold: ε for the first task; increase: what each later task adds to it; samples: per task, for X."""

    threshold: float = 0.97
    increase: float = 0.003
    samples: int = 125

    __repr__ = short_repr


def gpm_directions(inputs: Float[Tensor, "d n"], basis: Float[Tensor, "d m"], threshold: float) -> Float[Tensor, "d k"]:
    """Equation (1): the fewest directions outside `basis` with which it holds the share ε of the energy of X.

    Rounding errors are no directions: at ε = 1 there are at most d − m, and none where `basis` holds all of X.
    """
    X, M = inputs.double(), orthonormal(basis)
    inside = M.T @ X
    residual = correlation(_outside(X - M @ inside, M))
    total, held = float(X.square().mean(1).sum()), float(inside.square().sum()) / X.shape[1]
    energies, order = residual.values.sort(descending=True)
    order, energies = order[: X.shape[0] - M.shape[1]], energies[: X.shape[0] - M.shape[1]]
    energies = energies[energies > ROUNDING * total]
    k = int((held + energies.cumsum(0) < threshold * total).sum()) + 1 if held < threshold * total else 0
    return orthonormal(_outside(residual.vectors[:, order[: min(k, len(energies))]], M))


def _outside(columns: Tensor, M: Tensor) -> Tensor:
    return columns - M @ (M.T @ columns)


class GPM(Projecting):
    """The method on a network, which is prepared in place; the bases are part of its `state_dict`."""

    def __init__(self, network: Any, params: Any = GPMParams(), rule: Rule = backpropagation):
        check_fields(params, type(params), threshold=SHARE, increase=NOT_NEGATIVE, samples=COUNT)
        super().__init__(network, params.samples, rule)
        self.params = params

    def threshold(self, task: int) -> float:
        """ε after a task."""
        return min(self.params.threshold + self.params.increase * task, 1.0)

    def basis(self, task: int, layer: Guard, inputs: Float[Tensor, "d n"]) -> Float[Tensor, "d m"]:
        """M, enlarged by equation (1)."""
        M = layer.vectors.double()
        return torch.cat([M, gpm_directions(inputs, M, self.threshold(task))], dim=1)

    def protects(self, task: int, name: str, layer: Guard, inputs: Float[Tensor, "d n"]) -> Conceptor:
        """M Mᵀ."""
        M = self.basis(task, layer, inputs)
        return Conceptor(M, M.new_ones(M.shape[1]))
