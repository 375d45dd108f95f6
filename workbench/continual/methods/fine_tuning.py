"""Fine-tuning: learn each task with nothing done against forgetting. The lower reference of all comparisons."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from workbench.continual.multihead import MultiHead


class FineTuning:
    """Plain cross-entropy on the current task."""

    def __init__(self, network: MultiHead):
        self.network = network

    def before_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Nothing to prepare."""

    def learn(
        self, optimizer: torch.optim.Optimizer, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int
    ) -> float:
        """One batch; returns the loss."""
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.network(x, task), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def after_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Nothing to remember."""

    def kept_bytes(self) -> int:
        """Nothing is kept."""
        return 0
