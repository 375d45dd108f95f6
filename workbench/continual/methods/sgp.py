"""SGP: scaled gradient projection, GPM with an importance per direction.

Source: Saha, Roy, "Continual learning with scaled gradient projection", AAAI 2023, arXiv 2302.01386.

    M   as in GPM; σ_i singular values of the inputs along the directions of M (old ones) and of X̂ (new ones)
    λ_i = (α + 1) σ_i / (α σ_i + max σ)                importance of a direction in the finished task, in [0, 1]
    λ   ← min(λ_before + λ, 1)                         for directions that M held before
    ΔW  ← ΔW (I − M Λ Mᵀ)

M Λ Mᵀ is a conceptor with other values than λ/(λ + α⁻²), and added up instead of joined by OR.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from workbench.continual.conceptors import Conceptor
from workbench.continual.methods.gpm import gpm_directions
from workbench.continual.multihead import MultiHead
from workbench.continual.projected_step import descend, layer_inputs
from workbench.continual.protected import freeze_rest, kept_bytes, prepare, protected_layers
from workbench.faces import short_repr


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
    return (scale + 1) * sigma / (scale * sigma + sigma.max()).clamp(min=torch.finfo(sigma.dtype).tiny)


class SGP:
    """The method on a network, which is prepared in place; bases and importances are part of its `state_dict`."""

    def __init__(self, network: MultiHead, params: SGPParams = SGPParams()):
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
        """Enlarge the bases and add importances; biases and normalisation stay as the first task left them."""
        threshold = min(self.params.threshold + self.params.increase * task, 1.0)
        inputs = layer_inputs(self.network, lambda: self.network(x[: self.params.samples], task))
        for name, layer in protected_layers(self.network).items():
            M, before = layer.vectors.double(), layer.values.double()
            M = torch.cat([M, gpm_directions(inputs[name], M, threshold)], dim=1)
            importances = importance(inputs[name], M, self.params.scale)
            importances[: len(before)] += before
            layer.protect(Conceptor(M, importances.clamp(max=1.0)))
        freeze_rest(self.network, self.network.free())

    def kept_bytes(self) -> int:
        """Bytes of bases and importances."""
        return kept_bytes(self.network)
