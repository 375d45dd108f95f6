"""Elastic weight consolidation: a spring per weight, as stiff as the weight mattered.

Source: Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks", PNAS 2017, arXiv 1612.00796, eq. 3.

    L(θ) = CE + λ/2 Σ_i Σ_k F_ik (θ_k − θ*_ik)²

    over finished tasks i; F_i diagonal Fisher information and θ*_i weights at the end of each

The sum of springs is one parabola per weight, so two numbers per weight are kept for any number of tasks:
its gradient is λ (Σ_i F_i θ − Σ_i F_i θ*_i).
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn

from workbench.checks import COUNT, NOT_NEGATIVE, check_number
from workbench.continual.method import Method, backpropagation
from workbench.meters.evaluation import evaluation
from workbench.rule import Rule, StepReport
from workbench.training.checkpoint import Tree


class EWC(Method):
    """`strength` is λ; the Fisher information is of `batches` batches of `batch_size` samples of a finished task."""

    def __init__(
        self,
        network: Any,
        strength: float = 10.0,
        batches: int = 100,
        batch_size: int = 4,
        seed: int = 0,
        rule: Rule = backpropagation,
    ):
        check_number(strength, "strength, the stiffness of springs,", NOT_NEGATIVE)
        check_number(batches, "batches", COUNT)
        check_number(batch_size, "batch_size", COUNT)
        super().__init__(network, rule)
        self.strength, self.batches, self.batch_size = strength, batches, batch_size
        self.stiffness: dict[nn.Parameter, Tensor] = {}  # Σ_i F_i
        self.pull: dict[nn.Parameter, Tensor] = {}  # Σ_i F_i θ*_i
        self._generator = torch.Generator().manual_seed(seed)

    def gradients(self, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int) -> StepReport:
        """Those of the batch and of the springs; the loss is reported without the springs."""
        report = super().gradients(x, y, task)
        for theta, stiffness in self.stiffness.items():
            if theta.grad is not None:  # the heads of other tasks do not move
                theta.grad += self.strength * (stiffness * theta.detach() - self.pull[theta])
        return report

    def after_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Add this task's springs."""
        sizes = (self.batches, self.batch_size)
        information = fisher(self.network, x, task, *sizes, self._generator, self.rule)
        for theta, stiffness in information.items():
            self.stiffness[theta] = self.stiffness.get(theta, 0) + stiffness
            self.pull[theta] = self.pull.get(theta, 0) + stiffness * theta.detach()

    def kept_bytes(self) -> int:
        """Bytes of both numbers per weight."""
        return sum(t.numel() * t.element_size() for kept in (self.stiffness, self.pull) for t in kept.values())

    def state(self) -> Tree:
        """Both numbers per weight, by its name, and where drawing stands."""
        names = {theta: name for name, theta in self.network.named_parameters()}
        stiffness = {names[theta]: value for theta, value in self.stiffness.items()}
        pull = {names[theta]: value for theta, value in self.pull.items()}
        return {"stiffness": stiffness, "pull": pull, "generator": self._generator.get_state()}

    def restore(self, state: Tree, past: Sequence[tuple[Shaped[Tensor, "..."], Int64[Tensor, " _"]]]) -> None:
        """Go on from a `state`."""
        weights = dict(self.network.named_parameters())
        self.stiffness = {weights[name]: value for name, value in state["stiffness"].items()}
        self.pull = {weights[name]: value for name, value in state["pull"].items()}
        self._generator.set_state(state["generator"])


def fisher(
    network: Any,
    x: Float[Tensor, "n *shape"],
    task: int,
    batches: int,
    batch_size: int,
    generator: torch.Generator,
    rule: Rule = backpropagation,
) -> dict[nn.Parameter, Float[Tensor, "..."]]:
    """Diagonal Fisher information E[(∂ log p(y|x) / ∂θ)²], with y drawn from the network's own answer.

    With such labels the expected gradient is zero, so B times the squared mean gradient of B samples is an unbiased
    estimate, also for networks with batch normalisation that cannot be asked about one sample. With another rule than
    backpropagation ∂ log p / ∂θ is what that rule takes it for.
    """
    information: dict[nn.Parameter, Tensor] = {}
    with evaluation(network):
        for _ in range(batches):
            rows = torch.randint(len(x), (batch_size,), generator=generator)
            network.zero_grad(set_to_none=True)
            with torch.no_grad():
                logits = network(x[rows], task)
            drawn = torch.multinomial(logits.softmax(-1), 1, generator=generator).squeeze(1)
            rule(network.seen(task), x[rows], drawn)
            for theta in network.parameters():
                if theta.grad is not None:
                    information[theta] = information.get(theta, 0) + theta.grad.square() * (batch_size / batches)
    return information
