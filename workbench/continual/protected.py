"""Layers whose weights move only where earlier tasks left room: what CODE-CL, GPM, SGP and TRGP have in common.

    step of W    ΔW ← ΔW (I − C)                        C the layer's conceptor (a projector for GPM)       (1)
    forward      W_eff = W + Σ_j W U_j (M_j − I) U_jᵀ   shared directions U_j, mixed by M_j for one task    (2)

`prepare` wraps each Linear and Conv2d of a network into a `Protected` layer, which keeps C, U_j and M_j in its
`state_dict`. A convolution is the matrix `(C', d)`, d = C·kH·kW, that acts on unfolded patches.
The steps are in `workbench.continual.projected_step`.
"""

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize

from workbench.continual.guard import Guard, Mixing, Projection
from workbench.kernels.frugal import Frugal, trained_weight
from workbench.networks.blocks import BlockNetwork
from workbench.networks.layers import LeakyReadout, SpikingLayer, fold_standardization


class Protected(Guard):
    """A Linear or Conv2d layer with the conceptor of its past inputs and the mixings of each task that has some.

    The forward pass is equation (2) for the current `task`. Backward leaves G in the weight's `.grad`, and G (I − C)
    while `projects_gradient`. With `replaced_detached` the part −W U Uᵀ of (2) sends no gradient to the weights of a
    linear layer, so that G (I + U Mᵀ Uᵀ) is left instead of G (I − U Uᵀ + U Mᵀ Uᵀ), as in CODE-CL's published code.
    With `added` (2) is W + Σ_j W U_j M_j U_jᵀ and has no such part.
    """

    def __init__(self, layer: nn.Linear | nn.Conv2d, replaced_detached: bool = False, added: bool = False):
        super().__init__(layer.weight, added)
        self.layer = layer
        self.replaced_detached = replaced_detached and not added

    @property
    def connection(self) -> nn.Linear | nn.Conv2d:
        """The layer that is called."""
        return self.layer

    @property
    def listening_at(self) -> nn.Module:
        """This module: with mixings, its layer is not called."""
        return self

    @property
    def weight(self) -> Float[Tensor, "n_out ..."]:
        """The layer's own."""
        return self.layer.weight

    @property
    def out_features(self) -> int:
        """Outputs, or output channels."""
        return len(self.layer.weight)

    @property
    def lean(self) -> bool:
        """Whether its layer keeps less than its input, and has to be left to do so."""
        return isinstance(self.layer, Frugal)

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        mixings, project = self.current_mixings(), self.project() if self.projects_gradient else None
        if not mixings and project is None:
            return self.layer(x)
        if isinstance(self.layer, nn.Linear) and not self.lean:
            return self._linear(self.layer, x, mixings, project)
        return self._by_weight(self.layer, x, project)

    def _linear(self, layer: nn.Linear, x: Tensor, mixings: list[Mixing], project: Projection | None) -> Tensor:
        mixed = x
        for mixing in mixings:  # W (x + Σ …): mixing the batch is cheaper than mixing the rows of W
            mixed = mixed + mixing.of_inputs(x)
        seen = mixed.detach().flatten(0, -2)
        for mixing in mixings if self.replaced_detached else ():
            seen = seen + x.detach().flatten(0, -2) @ mixing.directions @ mixing.directions.T
        y = _LinearThatLearnsFrom.apply(mixed, seen if project is None else project(seen), layer.weight)
        return y if layer.bias is None else y + layer.bias  # pyright: ignore

    def _by_weight(self, layer: nn.Module, x: Tensor, project: Projection | None) -> Tensor:
        weight: Tensor = self.weight if project is None else _ProjectGradient.apply(self.weight, project)  # pyright: ignore
        return functional_call(layer, {"weight": self.mixed(weight)}, (x,))


class GuardedWeight(Guard):
    """Stands before the weight of a connection that a rule or a block runs, as `torch.nn.utils.parametrize` has it.

    `connection.weight` then is (2) for the current task, differentiable in W and in M. A connection of a spiking layer
    must not be standardised once it is protected, see `settle`.
    """

    def __init__(self, connection: nn.Linear | nn.Conv2d, added: bool = False):
        super().__init__(connection.weight, added)
        self._of = (connection,)  # in a tuple, so that it is no part of this module
        self.settled: Tensor
        self.register_buffer("settled", torch.tensor(False))

    @property
    def connection(self) -> nn.Linear | nn.Conv2d:
        """The connection whose weight this is."""
        return self._of[0]

    def stand_before(self, connection: nn.Linear | nn.Conv2d) -> None:
        """Guard this connection from now on, which has taken over the weight of another one."""
        self._of = (connection,)

    @property
    def weight(self) -> Float[Tensor, "n_out ..."]:
        """W, before mixing."""
        return trained_weight(self.connection)

    def forward(self, weight: Float[Tensor, "n_out *fan"]) -> Float[Tensor, "n_out *fan"]:
        return self.mixed(weight)


def guard_weight(connection: nn.Linear | nn.Conv2d, added: bool = False) -> None:
    """Put a guard before the weight of a connection, unless there is one."""
    if not parametrize.is_parametrized(connection, "weight"):
        parametrize.register_parametrization(connection, "weight", GuardedWeight(connection, added), unsafe=True)


class _LinearThatLearnsFrom(torch.autograd.Function):
    """y = x Wᵀ whose weight gradient is δᵀ seen instead of δᵀ x: with seen = x (I − C) that is G (I − C)."""

    @staticmethod
    def forward(ctx, x: Tensor, seen: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(seen, weight)
        return x @ weight.T

    @staticmethod
    def backward(ctx, delta: Tensor) -> tuple[Tensor | None, None, Tensor]:  # pyright: ignore
        seen, weight = ctx.saved_tensors
        return (delta @ weight if ctx.needs_input_grad[0] else None), None, delta.flatten(0, -2).T @ seen


class _ProjectGradient(torch.autograd.Function):
    """W itself; its gradient G becomes G (I − C) on the way back."""

    @staticmethod
    def forward(ctx, weight: Tensor, project: Projection) -> Tensor:
        ctx.project = project
        return weight.view_as(weight)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore
        return ctx.project(gradient.flatten(1)).view_as(gradient), None


def prepare(
    network: nn.Module, free: Iterable[nn.Module] = (), replaced_detached: bool = False, added: bool = False
) -> nn.Module:
    """Guard every Linear and Conv2d of `network`, in place, except those inside the modules `free` (the task heads).

    Layers that are called are wrapped; connections of spiking layers and of blocks, which rules run, keep their place
    and get a guard before their weight. Returns the network; where it is itself a layer, the wrapped layer. What is
    guarded already stays as it is. Raises ValueError for other layers with weight matrices, whose inputs could not be
    protected.

    >>> network = prepare(nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10)))
    """
    roots = (*free, *(layer for layer in protected_layers(network).values() if isinstance(layer, Protected)))
    spared = {id(m) for root in roots for m in root.modules()}
    run_by_rules = {id(connection) for connection in connections_run_by_rules(network)}
    wrapped: dict[int, Protected] = {}
    for name, module in list(network.named_modules(remove_duplicate=False)):
        if id(module) in spared or ".parametrizations." in f".{name}.":
            continue
        if id(module) in run_by_rules and isinstance(module, nn.Linear | nn.Conv2d):
            guard_weight(module, added)
        elif isinstance(module, nn.Linear | nn.Conv2d):
            layer = wrapped.setdefault(id(module), Protected(module, replaced_detached, added))
            if not name:
                return layer
            network.set_submodule(name, layer)
        elif any(parameter.ndim > 1 for parameter in module.parameters(recurse=False)) and not is_gain(network, name):
            raise ValueError(
                f"'{name}' is a {type(module).__name__} with a weight matrix; only Linear and Conv2d layers can be "
                "protected. Replace it, or name it in `free` if it may forget"
            )
    return network


def connections_run_by_rules(network: nn.Module) -> Iterator[nn.Module]:
    """The connections that are not called as modules, or that a rule looks for by their class: those of spiking layers,
    readouts and blocks."""
    for module in network.modules():
        if isinstance(module, SpikingLayer | LeakyReadout):
            yield from (c for c in (module.connection, module.recurrent) if isinstance(c, nn.Module))
        elif isinstance(module, BlockNetwork):
            yield from module.blocks.modules()
            yield module.classifier


def is_gain(network: nn.Module, name: str) -> bool:
    """Whether the matrix of a module is the gain `(n, 1)` of a spiking layer, which ends when the layer is settled."""
    return isinstance(network.get_submodule(name), SpikingLayer)


def settle(network: nn.Module) -> None:
    """Make Ŵ the weight of every guarded spiking layer: standardisation and gain end here.

    With Ŵ_i = (g_i / s_i) W_i P₁, where P₁ subtracts the mean and s_i is the row's length, a step of W orthogonal to
    past inputs changes Ŵ along them all the same: P₁ turns it, and s_i moves. What the layer computes does not change.
    """
    for module in network.modules():
        if isinstance(module, SpikingLayer) and parametrize.is_parametrized(module.connection, "weight"):
            (guard,) = module.connection.parametrizations["weight"]  # pyright: ignore
            if isinstance(guard, GuardedWeight) and not guard.settled:
                fold_standardization(module)
                guard.settled.fill_(True)


def protected_layers(network: nn.Module) -> dict[str, Guard]:
    """The guards of a network by the names of their layers, in the order of their definition."""
    guards = ((name, module) for name, module in network.named_modules() if isinstance(module, Guard))
    return {name.replace(".parametrizations.weight.0", ""): module for name, module in guards}


def select_task(network: nn.Module, task: int) -> None:
    """Let every protected layer use the mixings of `task` from now on."""
    for layer in protected_layers(network).values():
        layer.task = task


def freeze_rest(network: nn.Module, free: Iterable[nn.Module] = ()) -> None:
    """Stop the training of all parameters that no conceptor protects: biases, normalisation, and mixings of old tasks.

    The weights of protected layers and everything inside `free` go on learning, as far as they did.
    """
    learning = {id(layer.weight) for layer in protected_layers(network).values()}
    learning |= {id(parameter) for root in free for parameter in root.parameters()}
    for parameter in network.parameters():
        parameter.requires_grad_(parameter.requires_grad and id(parameter) in learning)


def kept_bytes(network: nn.Module, *others: Shaped[Tensor, "..."]) -> int:
    """Bytes of all conceptors and mixings of a network, and of `others`; memory that two tensors share counts once."""
    layers = protected_layers(network).values()
    tensors = [t for m in layers for t in (m.vectors, m.values, *m.mixings.parameters(), *m.mixings.buffers())]
    tensors += [m.allowed for m in layers if m.allowed is not None]
    return sum({t.data_ptr(): t.numel() * t.element_size() for t in (*tensors, *others)}.values())
