"""A-GEM: averaged gradient episodic memory.

Source: Chaudhry, Ranzato, Rohrbach, Elhoseiny, "Efficient lifelong learning with A-GEM", ICLR 2019, arXiv 1812.00420.

    g       gradient of the current batch;  g_ref gradient of a batch from the memory
    g ← g − (gᵀ g_ref / g_refᵀ g_ref) g_ref   where gᵀ g_ref < 0                                            (eq. 11)
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.continual.methods.replay import EpisodicMemory
from workbench.continual.multihead import MultiHead

Gradients = dict[nn.Parameter, Tensor]


class AGEM:
    """A step may not raise the loss on the memory, to first order; its batch is of one earlier task at a time."""

    def __init__(self, network: MultiHead, per_task: int = 100, seed: int = 0):
        self.network, self.memory = network, EpisodicMemory(per_task, seed)

    def before_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Nothing to prepare."""

    def learn(
        self, optimizer: torch.optim.Optimizer, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int
    ) -> float:
        """One batch; returns the loss."""
        reference = self._reference(optimizer, len(y)) if self.memory.tasks else {}
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.network(x, task), y)
        loss.backward()
        gradients = {p: p.grad for p in self.network.parameters() if p.grad is not None}
        for parameter, corrected in without_conflict(gradients, reference).items():
            parameter.grad = corrected
        optimizer.step()
        return loss.item()

    def _reference(self, optimizer: torch.optim.Optimizer, n: int) -> Gradients:
        optimizer.zero_grad(set_to_none=True)
        past = self.memory.draw_task()
        x, y = self.memory.draw(past, n)
        F.cross_entropy(self.network(x, past), y).backward()
        return {p: p.grad for p in self.network.parameters() if p.grad is not None}

    def after_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Remember samples."""
        self.memory.add(x, y)

    def kept_bytes(self) -> int:
        """Bytes of the remembered samples."""
        return self.memory.kept_bytes()


def without_conflict(g: Gradients, reference: Gradients) -> Gradients:
    """Equation 11 over all parameters; where one side has no gradient it counts as zero."""
    product = sum(float((g[p] * r).sum()) for p, r in reference.items() if p in g)
    if product >= 0.0:
        return g
    share = product / sum(float(r.square().sum()) for r in reference.values())
    return {p: g.get(p, 0) - share * reference.get(p, torch.zeros(())) for p in {**g, **reference}}
