"""What GPM, SGP, TRGP and CODE-CL share: protected layers, projected steps, and a conceptor for each layer's past."""

from abc import abstractmethod
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from workbench.continual.conceptors import Conceptor
from workbench.continual.guard import Guard
from workbench.continual.method import Method, backpropagation
from workbench.continual.projected_step import descend, layer_inputs
from workbench.continual.protected import freeze_rest, kept_bytes, prepare, protected_layers, settle
from workbench.rule import Rule, StepReport


class Projecting(Method):
    """A method whose steps leave C of every layer alone; `protects` says what C is after a task.

    The network is prepared in place; conceptors and mixings are part of its `state_dict`. The gradient may come from
    any rule: where it is not backpropagation, the step is projected instead of the gradient.
    """

    def __init__(
        self,
        network: Any,
        samples: int,
        rule: Rule = backpropagation,
        replaced_detached: bool = False,
        added: bool = False,
    ):
        super().__init__(network, rule)
        self.samples = samples
        prepare(network, network.free(), replaced_detached, added)

    def learn(
        self, optimizer: torch.optim.Optimizer, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int
    ) -> StepReport:
        """One batch, with any optimiser: the weights of protected layers move by ΔW (I − C)."""
        by_autograd = self.rule is backpropagation
        return descend(self.network, optimizer, lambda: self.gradients(x, y, task), by_autograd)

    def after_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Protect what the task used; from now on, biases and normalisation stay as the first task left them."""
        settle(self.network)
        inputs = self.inputs(task, x)
        for name, layer in self.layers().items():
            layer.protect(self.protects(task, name, layer, inputs[name]))
        freeze_rest(self.network, self.network.free())

    @abstractmethod
    def protects(self, task: int, name: str, layer: Guard, inputs: Float[Tensor, "d n"]) -> Conceptor:
        """C of a layer after a task, from C before it and the layer's inputs in the task."""

    def layers(self) -> dict[str, Guard]:
        """The protected layers by name."""
        return protected_layers(self.network)

    def inputs(self, task: int, x: Float[Tensor, "n *shape"]) -> dict[str, Float[Tensor, "_ _"]]:
        """What each layer is given by the first `samples` samples of a task."""
        return layer_inputs(self.network, lambda: self.network(x[: self.samples], task))

    def kept_bytes(self) -> int:
        """Bytes of conceptors and mixings."""
        return kept_bytes(self.network)
