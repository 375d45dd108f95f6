"""LANCE's protected subspace for any rule: each task moves the weights in a small subspace that no earlier task uses.

Paper: LANCE (arXiv 2509.21617). Equations (1) to (3) of `workbench.continual.methods.lance`, which has the published
method for networks that are trained by backpropagation: there the layers themselves keep the core along U₁ only. Here
what is kept is another matter (a connection's own, see `workbench.kernels.frugal`), and the step is projected,

    ΔW ← ΔW U₁ U₁ᵀ,     U₁ᵀ P = 0

so that the rule and the optimiser may be any.
"""

from typing import Any, NamedTuple

from jaxtyping import Float, Int64
from torch import Tensor

from workbench.checks import COUNT, NOT_NEGATIVE, SHARE, check_fields
from workbench.compression.tucker import gram
from workbench.continual.conceptors import Conceptor
from workbench.continual.guard import Guard
from workbench.continual.method import backpropagation
from workbench.continual.projecting import Projecting
from workbench.continual.subspaces import Measure, learnable, protect, residual
from workbench.faces import short_repr
from workbench.rule import Rule


class SubspaceParams(NamedTuple):
    """threshold, increase: ε_t = threshold + increase · t; samples: per task; measure: what P does not hold."""

    threshold: float = 0.97
    increase: float = 0.003
    samples: int = 125
    measure: Measure = residual

    __repr__ = short_repr


class LearnableSubspace(Projecting):
    """The method on a network, which is prepared in place; P and U₁ are part of its `state_dict`."""

    def __init__(self, network: Any, params: SubspaceParams = SubspaceParams(), rule: Rule = backpropagation):
        check_fields(params, SubspaceParams, threshold=SHARE, increase=NOT_NEGATIVE, samples=COUNT)
        super().__init__(network, params.samples, rule)
        self.params = params

    def before_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Find the directions that this task may learn."""
        if task == 0:
            return
        for name, inputs in self.inputs(task, x).items():
            layer = self.layers()[name]
            layer.allow(learnable(layer.vectors, of_columns(inputs), self.energy(task), self.params.measure))

    def protects(self, task: int, name: str, layer: Guard, inputs: Float[Tensor, "d n"]) -> Conceptor:
        """P Pᵀ, enlarged by what the inputs of the finished task use."""
        P = protect(layer.vectors, of_columns(inputs), self.energy(task), self.params.measure)
        return Conceptor(P, P.new_ones(P.shape[1]))

    def energy(self, task: int) -> float:
        """ε_t."""
        return min(self.params.threshold + self.params.increase * task, 1.0)


def of_columns(inputs: Float[Tensor, "d n"]) -> Float[Tensor, "d d"]:
    """R: the mean of x xᵀ over inputs in columns."""
    return gram(inputs.double()).div_(inputs.shape[1])
