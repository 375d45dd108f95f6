"""LANCE for continual learning: each task learns in a small subspace that no earlier task uses.

Paper: LANCE (arXiv 2509.21617); its text was not available, the method is that of the authors' published code.
A convolution is the matrix W (C', D), D = C·kH·kW, on patches X (batch, D, positions); a linear layer has D = n_in.

    P (D, p)      orthonormal basis of the directions that the inputs of earlier tasks use: protected
    after a task  P ← [P, U], U from its inputs' correlation R (`workbench.continual.subspaces`, eq. 1-2)
    before a task U₁ (D, r1), the same from the new inputs: the directions it may learn, so U₁ᵀP = 0            (3)
                  U₂ (positions, r2) holds more than ε of the positions' energy                                 (4)
    training      forward exact; keep S = X ×₁ U₁ᵀ ×₂ U₂ᵀ;  ∂L/∂W = (Σ (G ×₂ U₂ᵀ) S) U₁ᵀ                        (5)
    ε_t           = threshold + increase · t

ΔW lies in span(U₁), hence ΔW P = 0: what the layer answers to inputs in span(P) does not change. Along U₁ a step is
downhill as long as U₂ is whole; positions are summed out in the gradient, and with few of them kept (5) may point
uphill, as in `workbench.compression.lance`; `space=None` rules that out. Task 0 learns
without restriction. P is needed between tasks only; while training, U₁, U₂ and the small cores S are.
A layer with nothing left to learn says so, and stays as it is.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn

from workbench.checks import COUNT, COUNT_OR_ZERO, NOT_NEGATIVE, SHARE, check_fields
from workbench.compression.lance import linear
from workbench.compression.lean import make_lean
from workbench.compression.tucker import project, rank_for_energy, spectrum
from workbench.continual.method import Method, backpropagation
from workbench.continual.subspaces import Measure, learnable, protect, residual
from workbench.faces import short_repr
from workbench.kernels.convolution import Geometry, conv2d_input_gradient, convolve, geometry_of
from workbench.meters.evaluation import evaluation
from workbench.rule import Rule, StepReport
from workbench.training.checkpoint import Tree

# --- the layer, eq. 5 -----------------------------------------------------------------------------------------------


class _PatchConv2d(torch.autograd.Function):
    """Exact convolution; keeps S = U₁ᵀ patches (U₂), which is itself a convolution with U₁ as filters."""

    @staticmethod
    def forward(ctx, x, weight, bias, geometry: Geometry, U1, U2):
        filters = U1.T.reshape(-1, *weight.shape[1:])
        S = convolve(x, filters, None, geometry).flatten(2)
        ctx.geometry, ctx.shape = geometry, x.shape
        ctx.save_for_backward(weight, S if U2 is None else S @ U2, U1, U2)
        return convolve(x, weight, bias, geometry)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        weight, S, U1, U2 = ctx.saved_tensors
        for_x, _, for_bias = ctx.needs_input_grad[:3]
        grad_x = conv2d_input_gradient(ctx.shape, weight, grad, ctx.geometry) if for_x else None
        G = grad.flatten(2) if U2 is None else grad.flatten(2) @ U2
        small = G.transpose(0, 1).flatten(1) @ S.transpose(0, 1).flatten(1).T  # (C', r1)
        grad_weight = (small @ U1.T).view_as(weight)
        return grad_x, grad_weight, grad.sum((0, 2, 3)) if for_bias else None, None, None, None


class SubspaceLayer(nn.Module):
    """A Linear or Conv2d layer with its protected basis P and, from the second task on, its learnable U₁ and U₂."""

    changes = frozenset({"protected", "directions", "positions"})  # see `networks.description`

    def __init__(self, layer: nn.Linear | nn.Conv2d):
        super().__init__()
        if isinstance(layer, nn.Conv2d) and layer.groups != 1:
            raise ValueError(f"a convolution with groups={layer.groups} cannot be protected, expected groups=1")
        self.layer = layer
        self.geometry = geometry_of(layer) if isinstance(layer, nn.Conv2d) else None
        self.protected: Tensor
        self.directions: Tensor | None
        self.positions: Tensor | None
        self.register_buffer("protected", layer.weight.detach().new_zeros(layer.weight[0].numel(), 0))
        self.register_buffer("directions", None)
        self.register_buffer("positions", None)
        self.register_load_state_dict_pre_hook(_make_room)

    def patches(self, x: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch d positions"]:
        """The inputs that the weight matrix sees, as columns."""
        if self.geometry is None:
            return x.reshape(len(x), -1, x.shape[-1]).transpose(1, 2)
        kernel = (self.layer.weight.shape[2], self.layer.weight.shape[3])
        padded = F.pad(x, self.geometry.padding)
        return F.unfold(padded, kernel, self.geometry.dilation, stride=self.geometry.stride)

    def forward(self, x: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch *out"]:
        U1, weight = self.directions, self.layer.weight
        if U1 is None or not (weight.requires_grad and torch.is_grad_enabled()):
            return self.layer(x)
        if self.geometry is None:
            bases = (None, self.positions, U1) if x.ndim == 3 else (*[None] * (x.ndim - 1), U1)
            return linear(x, weight, self.layer.bias, project(x.detach(), bases), bases)
        return _PatchConv2d.apply(x, weight, self.layer.bias, self.geometry, U1, self.positions)  # pyright: ignore


def subspace_layers(network: nn.Module) -> dict[str, SubspaceLayer]:
    """The layers of `LanceContinual` in a network, by name."""
    return {name: module for name, module in network.named_modules() if isinstance(module, SubspaceLayer)}


def _make_room(layer: SubspaceLayer, state: dict[str, Tensor], prefix: str, *_) -> None:
    """Before loading: bases of the sizes that the state has, for they change from task to task."""
    for name in ("protected", "directions", "positions"):
        stored = state.get(f"{prefix}{name}")
        setattr(layer, name, None if stored is None else stored.to(layer.layer.weight).clone())


class Correlations(NamedTuple):
    """Mean of x xᵀ over a layer's inputs `(D, D)`, and of the positions' correlation where it has several."""

    features: Float[Tensor, "d d"]
    positions: Float[Tensor, "l l"] | None


@torch.no_grad()
def input_correlations(
    network: nn.Module, run: Callable[[Tensor], object], x: Float[Tensor, "n *shape"], batch_size: int = 64
) -> dict[str, Correlations]:
    """Correlations of every subspace layer's inputs while `run` evaluates the network on x; no dropout meanwhile."""
    sums: dict[str, list[Tensor]] = {}
    columns: dict[str, int] = {}

    def add(name: str, layer: SubspaceLayer, inputs: tuple[Tensor, ...]) -> None:
        X = layer.patches(inputs[0]).double()
        both = [torch.einsum("bdl,bel->de", X, X), torch.einsum("bdl,bdm->lm", X, X)]
        sums[name] = [a + b for a, b in zip(sums.get(name, (0, 0)), both, strict=True)]
        columns[name] = columns.get(name, 0) + X.shape[0] * X.shape[2]

    hooks = [
        layer.register_forward_pre_hook(lambda layer, inputs, name=name: add(name, layer, inputs))  # pyright: ignore
        for name, layer in subspace_layers(network).items()
    ]
    try:
        with evaluation(network):
            for batch in x.split(batch_size):
                run(batch)
    finally:
        for hook in hooks:
            hook.remove()
    return {
        name: Correlations(R / columns[name], L / columns[name] if len(L) > 1 else None)
        for name, (R, L) in sums.items()
    }


# --- the method -----------------------------------------------------------------------------------------------------


class LanceContinualParams(NamedTuple):
    """threshold, increase: ε_t; space: ε of the positions, None leaves them whole; samples: per task, for R.

    measure: of what P does not hold, see `subspaces`. small: layers of at most so many input directions may learn all
    that are left. The published code has `one_sided` and 80. It passes over the whole training set before a task and
    over 11 batches of 64 after it.
    """

    threshold: float = 0.97
    increase: float = 0.003
    space: float | None = 0.98
    samples: int = 704
    measure: Measure = residual
    small: int = 0

    __repr__ = short_repr


class LanceContinual(Method):
    """The method on a network, which is prepared in place; the bases are part of its `state_dict`.

    Any SGD without weight decay will do: momentum adds up gradients of one task only, since each task gets a new
    optimiser. The rule has to be backpropagation, or another whose gradients autograd makes: the layers themselves
    keep S instead of their inputs.
    """

    def __init__(
        self, network: Any, params: LanceContinualParams = LanceContinualParams(), rule: Rule = backpropagation
    ):
        spans = {"threshold": SHARE, "increase": NOT_NEGATIVE, "space": SHARE.or_none()}
        super().__init__(network, rule)
        self.params = check_fields(params, LanceContinualParams, samples=COUNT, small=COUNT_OR_ZERO, **spans)
        spared = {id(module) for root in network.free() for module in root.modules()}
        for name, module in list(network.named_modules()):
            if isinstance(module, nn.Linear | nn.Conv2d) and id(module) not in spared:
                network.set_submodule(name, SubspaceLayer(module))
        make_lean(network)
        self.frozen = [parameter for parameter in network.parameters() if not parameter.requires_grad]
        self.held: list[dict[str, float]] = []  # share of a new task's energy that P held before it, by task and layer

    def before_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Find the directions that this task may learn; warn of layers that have none left."""
        self.held.append({})
        if task == 0:
            return
        for parameter in self.network.parameters():
            parameter.requires_grad_(False)  # biases and norms stay as the first task left them
        for root in self.network.free():
            root.requires_grad_(True)
        for parameter in self.frozen:
            parameter.requires_grad_(False)
        for name, (R, L) in self._correlations(task, x).items():
            layer = subspace_layers(self.network)[name]
            E = residual(layer.protected, R)
            self.held[-1][name] = E.held / E.total if E.total else 0.0
            U1 = learnable(layer.protected, R, self.energy(task), self.params.measure, self.params.small)
            U1 = U1.to(layer.layer.weight)
            layer.directions = U1
            layer.positions = self._positions(L).to(U1) if L is not None and self.params.space is not None else None
            frozen = any(layer.layer.weight is parameter for parameter in self.frozen)
            layer.layer.weight.requires_grad_(U1.shape[1] > 0 and not frozen)
            if not U1.shape[1]:
                warnings.warn(
                    f"layer '{name}' has nothing left to learn for task {task}: its {layer.protected.shape[1]} "
                    f"protected of {len(U1)} input directions hold all that the new inputs use; it stays as it is",
                    stacklevel=2,
                )

    def learn(
        self, optimizer: torch.optim.Optimizer, x: Float[Tensor, "batch *shape"], y: Int64[Tensor, " batch"], task: int
    ) -> StepReport:
        """One batch. Raises ValueError for optimisers whose step would leave the learnable directions."""
        if task > 0:
            _check_optimizer(optimizer)
        return super().learn(optimizer, x, y, task)

    def after_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Protect what the inputs of the finished task use."""
        for name, (R, _) in self._correlations(task, x).items():
            layer = subspace_layers(self.network)[name]
            P = protect(layer.protected, R, self.energy(task), self.params.measure)
            layer.protected = P.to(layer.layer.weight)

    def energy(self, task: int) -> float:
        """ε_t, the share of its inputs' energy that is protected after task t."""
        return min(self.params.threshold + self.params.increase * task, 1.0)

    def kept_bytes(self) -> int:
        """Bytes of all bases."""
        return self.protected_bytes() + self.training_bytes()

    def protected_bytes(self) -> int:
        """Bytes of the protected bases, which are needed between tasks only and may lie on a disk meanwhile."""
        return _bytes([layer.protected for layer in subspace_layers(self.network).values()])

    def training_bytes(self) -> int:
        """Bytes of the bases that training needs beside the activations' cores."""
        layers = subspace_layers(self.network).values()
        return _bytes([basis for layer in layers for basis in (layer.directions, layer.positions)])

    def state(self) -> Tree:
        """What P held of the tasks so far."""
        return {"held": self.held}

    def restore(self, state: Tree, past: Sequence[tuple[Shaped[Tensor, "..."], Int64[Tensor, " _"]]]) -> None:
        """Go on from a `state`."""
        self.held = state["held"]

    def _correlations(self, task: int, x: Tensor) -> dict[str, Correlations]:
        return input_correlations(self.network, lambda batch: self.network(batch, task), x[: self.params.samples])

    def _positions(self, correlation: Tensor) -> Tensor:
        energies, vectors = spectrum(correlation)
        return vectors[:, : max(rank_for_energy(energies, self.params.space or 1.0), 1)].clone()


def _bytes(bases: Sequence[Tensor | None]) -> int:
    return sum(basis.numel() * basis.element_size() for basis in bases if basis is not None)


def _check_optimizer(optimizer: torch.optim.Optimizer) -> None:
    decays = [group.get("weight_decay", 0.0) for group in optimizer.param_groups]
    if type(optimizer) is not torch.optim.SGD or any(decays):
        raise ValueError(
            f"{type(optimizer).__name__} with weight decay {max(decays)} moves weights out of the learnable "
            "directions, so old tasks would be overwritten; use torch.optim.SGD without weight decay"
        )
