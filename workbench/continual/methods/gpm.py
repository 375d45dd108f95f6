"""GPM: gradient projection memory.

Source: Saha, Garg, Roy, "Gradient projection memory for continual learning", ICLR 2021, arXiv 2103.09762.

    X (d, N)      a layer's inputs in the finished task, M (d, m) orthonormal basis of the directions kept so far
    X̂ = X − M Mᵀ X;  add the leading left singular vectors of X̂ until ‖M Mᵀ X‖² + ‖X̂_k‖² ≥ ε ‖X‖²             (1)
    ΔW ← ΔW (I − M Mᵀ)                                                                                       (2)

The projector M Mᵀ is a conceptor whose values are all one, and is kept as such.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from workbench.continual.conceptors import Conceptor, correlation
from workbench.continual.multihead import MultiHead
from workbench.continual.projected_step import descend, layer_inputs
from workbench.continual.protected import freeze_rest, kept_bytes, prepare, protected_layers
from workbench.continual.subspaces import ROUNDING, orthonormal
from workbench.faces import short_repr


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


class GPM:
    """The method on a network, which is prepared in place; the bases are part of its `state_dict`."""

    def __init__(self, network: MultiHead, params: GPMParams = GPMParams()):
        self.network, self.params = network, params
        prepare(network, network.free())

    def before_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Nothing to prepare."""

    def learn(
        self, optimizer: torch.optim.Optimizer, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int
    ) -> float:
        """One batch, with any optimiser; returns the loss."""
        return descend(self.network, optimizer, lambda: F.cross_entropy(self.network(x, task), y))

    def after_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Enlarge the bases; from now on, biases and normalisation stay as the first task left them."""
        threshold = min(self.params.threshold + self.params.increase * task, 1.0)
        inputs = layer_inputs(self.network, lambda: self.network(x[: self.params.samples], task))
        for name, layer in protected_layers(self.network).items():
            M = layer.vectors.double()
            M = torch.cat([M, gpm_directions(inputs[name], M, threshold)], dim=1)
            layer.protect(Conceptor(M, M.new_ones(M.shape[1])))
        freeze_rest(self.network, self.network.free())

    def kept_bytes(self) -> int:
        """Bytes of the bases."""
        return kept_bytes(self.network)
