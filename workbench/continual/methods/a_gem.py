"""A-GEM: averaged gradient episodic memory.

Source: Chaudhry, Ranzato, Rohrbach, Elhoseiny, "Efficient lifelong learning with A-GEM", ICLR 2019, arXiv 1812.00420.

    g       gradient of the current batch;  g_ref gradient of a batch from the memory
    g ← g − (gᵀ g_ref / g_refᵀ g_ref) g_ref   where gᵀ g_ref < 0                                            (eq. 11)
"""

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from workbench.continual.method import backpropagation
from workbench.continual.methods.replay import Remembering
from workbench.rule import Rule, StepReport

Gradients = dict[nn.Parameter, Tensor]


class AGEM(Remembering):
    """A step may not raise the loss on the memory, to first order; its batch is of one earlier task at a time."""

    def __init__(self, network: Any, per_task: int = 100, seed: int = 0, rule: Rule = backpropagation):
        super().__init__(network, per_task, seed, rule)

    def gradients(self, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int) -> StepReport:
        """Those of the batch without what is against the memory."""
        reference = self._reference(len(y)) if self.memory.tasks else {}
        report = super().gradients(x, y, task)
        for parameter, corrected in without_conflict(self._filled(), reference).items():
            parameter.grad = corrected
        return report

    def _reference(self, n: int) -> Gradients:
        past = self.memory.draw_task()
        super().gradients(*self.memory.draw(past, n), past)
        reference = self._filled()
        self.network.zero_grad(set_to_none=True)
        return reference

    def _filled(self) -> Gradients:
        return {p: p.grad for p in self.network.parameters() if p.grad is not None}


def without_conflict(g: Gradients, reference: Gradients) -> Gradients:
    """Equation 11 over all parameters; where one side has no gradient it counts as zero."""
    product = sum(float((g[p] * r).sum()) for p, r in reference.items() if p in g)
    if product >= 0.0:
        return g
    share = product / sum(float(r.square().sum()) for r in reference.values())
    return {p: g.get(p, 0) - share * reference.get(p, torch.zeros(())) for p in {**g, **reference}}
