"""TRGP: trust region gradient projection, GPM that may rescale the weights inside the subspaces of related old tasks.

Source: Lin, Yang, Fan, Zhang, "TRGP: Trust region gradient projection for continual learning", ICLR 2022,
arXiv 2202.02931.

    before   G gradient of a layer in the new task; an old task j is related where ‖G S_j S_jᵀ‖ / ‖G‖ ≥ ε            (1)
    during   W_eff = W + Σ_j W S_j (Q_j − I) S_jᵀ over the most related tasks j, Q_j trainable, from the identity    (2)
             ΔW ← ΔW (I − M Mᵀ)
    after    S_t basis of the inputs of the finished task, M basis of all, as in GPM

CODE-CL takes one set of directions, the strongest that the new task shares with all the past together, instead.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from workbench.checks import COUNT_OR_ZERO, SHARE, check_fields
from workbench.continual.conceptors import Conceptor
from workbench.continual.guard import Guard, Mixing
from workbench.continual.method import backpropagation
from workbench.continual.methods.gpm import GPM, gpm_directions
from workbench.continual.protected import kept_bytes
from workbench.faces import short_repr
from workbench.rule import Rule
from workbench.training.checkpoint import Tree


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


class TRGP(GPM):
    """The method on a network, which is prepared in place. The tasks' own subspaces are kept here, M in the network."""

    def __init__(self, network: Any, params: TRGPParams = TRGPParams(), rule: Rule = backpropagation):
        check_fields(params, TRGPParams, relation=SHARE, most_related=COUNT_OR_ZERO)
        super().__init__(network, params, rule)
        self.subspaces: dict[str, list[Tensor]] = {name: [] for name in self.layers()}

    def before_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Find the related old tasks of each layer and make room for rescaling inside their subspaces."""
        self.network.zero_grad(set_to_none=True)
        self.gradients(x[: self.samples], y[: self.samples], task)
        for name, layer in self.layers().items():
            if layer.weight.grad is None:  # frozen
                continue
            gradient = layer.weight.grad.flatten(1)
            related = related_tasks(gradient, self.subspaces[name], self.params)
            if related:
                bases = [self.subspaces[name][j] for j in related]
                layer.mix(task, [Mixing(S, torch.eye(S.shape[1])) for S in bases])

    def protects(self, task: int, name: str, layer: Guard, inputs: Float[Tensor, "d n"]) -> Conceptor:
        """M Mᵀ; the task's own subspace is kept beside it."""
        own = gpm_directions(inputs, layer.vectors.double()[:, :0], self.threshold(task))
        self.subspaces[name].append(own.to(layer.weight))
        return super().protects(task, name, layer, inputs)

    def kept_bytes(self) -> int:
        """Bytes of M, of the subspaces and of the rescalings."""
        return kept_bytes(self.network, *(S for subspaces in self.subspaces.values() for S in subspaces))

    def state(self) -> Tree:
        """The tasks' own subspaces."""
        return {"subspaces": self.subspaces}

    def restore(self, state: Tree, past: Sequence[tuple[Shaped[Tensor, "..."], Int64[Tensor, " _"]]]) -> None:
        """Go on from a `state`."""
        self.subspaces = state["subspaces"]
        for name, layer in self.layers().items():
            for mixing in layer.all_mixings():  # rescalings share the memory of the subspaces they are in
                mixing.directions = next(S for S in self.subspaces[name] if torch.equal(S, mixing.directions))
