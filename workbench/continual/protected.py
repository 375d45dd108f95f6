"""Layers whose weights move only where earlier tasks left room: what CODE-CL, GPM, SGP and TRGP have in common.

    step of W    ΔW ← ΔW (I − C)                        C the layer's conceptor (a projector for GPM)       (1)
    forward      W_eff = W + Σ_j W U_j (M_j − I) U_jᵀ   shared directions U_j, mixed by M_j for one task    (2)

`prepare` wraps each Linear and Conv2d of a network into a `Protected` layer, which keeps C, U_j and M_j in its
`state_dict`. A convolution is the matrix `(C', d)`, d = C·kH·kW, that acts on unfolded patches.
The steps are in `workbench.continual.projected_step`.
"""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.func import functional_call

from workbench.continual.conceptors import Conceptor, projection

Projection = Callable[[Tensor], Tensor]


class Mixing(nn.Module):
    """Shared directions U `(d, K)` and their trainable mixing M `(K, K)`.

    M takes the place of what W does along U, or is `added` to it: then M stands below where (2) has M − I.
    """

    def __init__(self, directions: Float[Tensor, "d k"], matrix: Float[Tensor, "k k"], added: bool = False):
        super().__init__()
        self.added = added
        self.directions: Tensor
        self.register_buffer("directions", directions)
        self.matrix = nn.Parameter(matrix)

    def of_weights(self, rows: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """W U (M − I) Uᵀ for the rows of W."""
        return (rows @ self.directions) @ self._change() @ self.directions.T

    def of_inputs(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """U (M − I) Uᵀ x for inputs in rows: W times this is the same change of the output."""
        return (x @ self.directions) @ self._change().T @ self.directions.T

    def _change(self) -> Tensor:
        if self.added:
            return self.matrix
        return self.matrix - torch.eye(len(self.matrix), dtype=self.matrix.dtype, device=self.matrix.device)


class Protected(nn.Module):
    """A Linear or Conv2d layer with the conceptor of its past inputs and the mixings of each task that has some.

    The forward pass is equation (2) for the current `task`. Backward leaves G in the weight's `.grad`, and G (I − C)
    while `projects_gradient`. With `replaced_detached` the part −W U Uᵀ of (2) sends no gradient to the weights of a
    linear layer, so that G (I + U Mᵀ Uᵀ) is left instead of G (I − U Uᵀ + U Mᵀ Uᵀ), as in CODE-CL's published code.
    With `added` (2) is W + Σ_j W U_j M_j U_jᵀ and has no such part.
    """

    # see `networks.description`
    changes = frozenset({"task", "projects_gradient", "vectors", "values", "mixings", "_projection"})

    def __init__(self, layer: nn.Linear | nn.Conv2d, replaced_detached: bool = False, added: bool = False):
        super().__init__()
        self.layer = layer
        self.vectors: Tensor
        self.values: Tensor
        self.register_buffer("vectors", layer.weight.detach().new_zeros(layer.weight[0].numel(), 0))
        self.register_buffer("values", layer.weight.detach().new_zeros(0))
        self.mixings = nn.ModuleDict()
        self.task = 0
        self.projects_gradient = False
        self.replaced_detached = replaced_detached and not added
        self.added = added
        self._projection: tuple[Tensor | None, Projection | None] = (None, None)
        self.register_load_state_dict_pre_hook(_make_room)

    @property
    def weight(self) -> Float[Tensor, "n_out ..."]:
        """The layer's own."""
        return self.layer.weight

    @property
    def out_features(self) -> int:
        """Outputs, or output channels."""
        return len(self.layer.weight)

    @property
    def conceptor(self) -> Conceptor:
        """C of all past inputs; of rank 0 before the first task ends."""
        return Conceptor(self.vectors, self.values)

    def protect(self, c: Conceptor) -> None:
        """Take `c` as the layer's conceptor, in the type and on the device of the weights."""
        self.vectors, self.values = c.vectors.to(self.layer.weight), c.values.to(self.layer.weight)

    def mix(self, task: int, mixings: Iterable[Mixing]) -> None:
        """Give `task` these shared directions, whose M is added or replaces as this layer has it."""
        mixings = list(mixings)
        for mixing in mixings:
            mixing.added = self.added
        self.mixings[str(task)] = nn.ModuleList(mixings).to(self.layer.weight)

    def current_mixings(self) -> list[Mixing]:
        """The mixings of the current task, often none."""
        return list(self.mixings[str(self.task)]) if str(self.task) in self.mixings else []  # pyright: ignore

    def all_mixings(self) -> list[Mixing]:
        """The mixings of all tasks."""
        return [module for module in self.mixings.modules() if isinstance(module, Mixing)]

    def project(self) -> Projection | None:
        """The function G ↦ G (I − C) on rows, made once per conceptor; None where nothing is protected."""
        if self._projection[0] is not self.vectors:  # replaced by protect(), .to() or load_state_dict()
            self._projection = self.vectors, projection(self.conceptor) if len(self.values) else None
        return self._projection[1]

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        mixings, project = self.current_mixings(), self.project() if self.projects_gradient else None
        if not mixings and project is None:
            return self.layer(x)
        if isinstance(self.layer, nn.Linear):
            return self._linear(self.layer, x, mixings, project)
        return self._convolution(self.layer, x, mixings, project)

    def _linear(self, layer: nn.Linear, x: Tensor, mixings: list[Mixing], project: Projection | None) -> Tensor:
        mixed = x
        for mixing in mixings:  # W (x + Σ …): mixing the batch is cheaper than mixing the rows of W
            mixed = mixed + mixing.of_inputs(x)
        seen = mixed.detach().flatten(0, -2)
        for mixing in mixings if self.replaced_detached else ():
            seen = seen + x.detach().flatten(0, -2) @ mixing.directions @ mixing.directions.T
        y = _LinearThatLearnsFrom.apply(mixed, seen if project is None else project(seen), layer.weight)
        return y if layer.bias is None else y + layer.bias  # pyright: ignore

    def _convolution(self, layer: nn.Conv2d, x: Tensor, mixings: list[Mixing], project: Projection | None) -> Tensor:
        weight: Tensor = layer.weight if project is None else _ProjectGradient.apply(layer.weight, project)  # pyright: ignore
        rows = weight.flatten(1)
        for mixing in mixings:
            rows = rows + mixing.of_weights(weight.flatten(1))
        return functional_call(layer, {"weight": rows.view_as(weight)}, (x,))


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
    """Wrap every Linear and Conv2d of `network`, in place, except those inside the modules `free` (the task heads).

    Returns the network; where it is itself a layer, the wrapped layer. Layers that are wrapped already stay as they
    are. Raises ValueError for other layers with weight matrices, whose inputs could not be protected.

    >>> network = prepare(nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10)))
    """
    spared = {id(m) for root in (*free, *protected_layers(network).values()) for m in root.modules()}
    wrapped: dict[int, Protected] = {}
    for name, module in list(network.named_modules(remove_duplicate=False)):
        if id(module) in spared:
            continue
        if isinstance(module, nn.Linear | nn.Conv2d):
            layer = wrapped.setdefault(id(module), Protected(module, replaced_detached, added))
            if not name:
                return layer
            network.set_submodule(name, layer)
        elif any(parameter.ndim > 1 for parameter in module.parameters(recurse=False)):
            raise ValueError(
                f"'{name}' is a {type(module).__name__} with a weight matrix; only Linear and Conv2d layers can be "
                "protected. Replace it, or name it in `free` if it may forget"
            )
    return network


def protected_layers(network: nn.Module) -> dict[str, Protected]:
    """The protected layers of a network by name, in the order of their definition."""
    return {name: module for name, module in network.named_modules() if isinstance(module, Protected)}


def select_task(network: nn.Module, task: int) -> None:
    """Let every protected layer use the mixings of `task` from now on."""
    for layer in protected_layers(network).values():
        layer.task = task


def freeze_rest(network: nn.Module, free: Iterable[nn.Module] = ()) -> None:
    """Stop the training of all parameters that no conceptor protects: biases, normalisation, and mixings of old tasks.

    The weights of protected layers and everything inside `free` go on learning, as far as they did.
    """
    learning = {id(layer.layer.weight) for layer in protected_layers(network).values()}
    learning |= {id(parameter) for root in free for parameter in root.parameters()}
    for parameter in network.parameters():
        parameter.requires_grad_(parameter.requires_grad and id(parameter) in learning)


def kept_bytes(network: nn.Module, *others: Shaped[Tensor, "..."]) -> int:
    """Bytes of all conceptors and mixings of a network, and of `others`; memory that two tensors share counts once."""
    layers = protected_layers(network).values()
    tensors = [t for m in layers for t in (m.vectors, m.values, *m.mixings.parameters(), *m.mixings.buffers())]
    return sum({t.data_ptr(): t.numel() * t.element_size() for t in (*tensors, *others)}.values())


def _make_room(layer: Protected, state: dict[str, Tensor], prefix: str, *_) -> None:
    """Before loading: conceptor and mixings of the sizes that the state has, for they grow with the tasks."""
    for name in ("vectors", "values"):
        if (buffer := state.get(f"{prefix}{name}")) is not None:
            setattr(layer, name, torch.empty_like(buffer).to(layer.layer.weight))
    stem = f"{prefix}mixings."
    stored = {key.removeprefix(stem): tensor for key, tensor in state.items() if key.startswith(stem)}
    present = {key: tensor.shape for key, tensor in layer.mixings.state_dict().items()}
    if present == {key: tensor.shape for key, tensor in stored.items()}:
        return  # an optimiser may hold these parameters
    layer.mixings.clear()
    for task in sorted({key.split(".")[0] for key in stored}):
        count = len({key.split(".")[1] for key in stored if key.startswith(f"{task}.")})
        parts = [(stored[f"{task}.{j}.directions"], stored[f"{task}.{j}.matrix"]) for j in range(count)]
        layer.mix(int(task), [Mixing(U.clone(), M.clone()) for U, M in parts])
