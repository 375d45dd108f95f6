"""TRGP: trust region gradient projection, GPM that may rescale the weights inside the subspaces of related old tasks.

Source: Lin, Yang, Fan, Zhang, "TRGP: Trust region gradient projection for continual learning", ICLR 2022,
arXiv 2202.02931.

    before   G gradient of a layer in the new task; an old task j is related where ‖G S_j S_jᵀ‖ / ‖G‖ ≥ ε            (1)
    during   W_eff = W + Σ_j W S_j (Q_j − I) S_jᵀ over the most related tasks j, Q_j trainable, from the identity    (2)
             ΔW ← ΔW (I − M Mᵀ)
    after    S_t basis of the inputs of the finished task, M basis of all, as in GPM

CODE-CL takes one set of directions, the strongest that the new task shares with all the past together, instead.
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
from workbench.continual.protected import Mixing, freeze_rest, kept_bytes, prepare, protected_layers
from workbench.faces import short_repr


class TRGPParams(NamedTuple):
    """relation: ε; most_related: tasks taken at most; samples: for subspaces and relations; rest as in `GPMParams`."""

    relation: float = 0.5
    most_related: int = 2
    threshold: float = 0.97
    increase: float = 0.003
    samples: int = 125

    __repr__ = short_repr


def related_tasks(
    gradient: Float[Tensor, "n d"], subspaces: list[Float[Tensor, "d _"]], params: TRGPParams
) -> list[int]:
    """Equation (1): the tasks whose subspaces hold most of the gradient, at most `most_related`, most related first."""
    length = max(float(gradient.norm()), torch.finfo(gradient.dtype).tiny)
    shares = [float((gradient @ S).norm()) / length for S in subspaces]
    ranking = sorted(range(len(shares)), key=lambda j: -shares[j])
    return [j for j in ranking[: params.most_related] if shares[j] >= params.relation]


class TRGP:
    """The method on a network, which is prepared in place. The tasks' own subspaces are kept here, M in the network."""

    def __init__(self, network: MultiHead, params: TRGPParams = TRGPParams()):
        self.network, self.params = network, params
        prepare(network, network.free())
        self.subspaces: dict[str, list[Tensor]] = {name: [] for name in protected_layers(network)}

    def before_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Find the related old tasks of each layer and make room for rescaling inside their subspaces."""
        few = slice(self.params.samples)
        F.cross_entropy(self.network(x[few], task), y[few]).backward()
        for name, layer in protected_layers(self.network).items():
            gradient = layer.layer.weight.grad.flatten(1)  # pyright: ignore[reportOptionalMemberAccess]
            related = related_tasks(gradient, self.subspaces[name], self.params)
            if related:
                bases = [self.subspaces[name][j] for j in related]
                layer.mix(task, [Mixing(S, torch.eye(S.shape[1])) for S in bases])

    def learn(
        self, optimizer: torch.optim.Optimizer, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int
    ) -> float:
        """One batch, with any optimiser; returns the loss."""
        return descend(self.network, optimizer, lambda: F.cross_entropy(self.network(x, task), y))

    def after_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Keep the task's own subspace and enlarge the basis of all."""
        threshold = min(self.params.threshold + self.params.increase * task, 1.0)
        inputs = layer_inputs(self.network, lambda: self.network(x[: self.params.samples], task))
        for name, layer in protected_layers(self.network).items():
            M = layer.vectors.double()
            own = gpm_directions(inputs[name], M[:, :0], threshold)
            self.subspaces[name].append(own.to(layer.layer.weight))
            M = torch.cat([M, gpm_directions(inputs[name], M, threshold)], dim=1)
            layer.protect(Conceptor(M, M.new_ones(M.shape[1])))
        freeze_rest(self.network, self.network.free())

    def kept_bytes(self) -> int:
        """Bytes of M, of the subspaces and of the rescalings."""
        return kept_bytes(self.network, *(S for subspaces in self.subspaces.values() for S in subspaces))
