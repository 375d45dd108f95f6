"""What is remembered at one connection of the past, and how its weight may move and be mixed; see `protected`."""

from abc import abstractmethod
from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

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


class Guard(nn.Module):
    """The conceptor C of a connection's past inputs, and the mixings of each task that has some.

    Subclasses stand around a layer that is called (`Protected`), or before the weight of a connection that something
    else runs (`GuardedWeight`).
    """

    # see `networks.description`
    changes = frozenset({"task", "projects_gradient", "vectors", "values", "allowed", "mixings", "_projection"})

    def __init__(self, weight: Float[Tensor, "n_out *fan"], added: bool = False):
        super().__init__()
        self.vectors: Tensor
        self.values: Tensor
        self.register_buffer("vectors", weight.detach().new_zeros(weight[0].numel(), 0))
        self.register_buffer("values", weight.detach().new_zeros(0))
        self.allowed: Tensor | None
        self.register_buffer("allowed", None)
        self.mixings = nn.ModuleDict()
        self.task = 0
        self.projects_gradient = False
        self.added = added
        self._projection: tuple[Tensor | None, Projection | None] = (None, None)
        self.register_load_state_dict_pre_hook(_make_room)

    @property
    @abstractmethod
    def connection(self) -> nn.Linear | nn.Conv2d:
        """What carries the weight, and is given the inputs."""

    @property
    @abstractmethod
    def weight(self) -> Float[Tensor, "n_out ..."]:
        """The weight that is trained, before any mixing."""

    @property
    def listening_at(self) -> nn.Module:
        """The module whose forward pre-hooks hear the inputs."""
        return self.connection

    @property
    def conceptor(self) -> Conceptor:
        """C of all past inputs; of rank 0 before the first task ends."""
        return Conceptor(self.vectors, self.values)

    def protect(self, c: Conceptor) -> None:
        """Take `c` as the layer's conceptor, in the type and on the device of the weights."""
        self.vectors, self.values = c.vectors.to(self.weight), c.values.to(self.weight)

    def allow(self, directions: Float[Tensor, "d r"]) -> None:
        """Let the weight move along these orthonormal directions only, whatever C is."""
        self.allowed = directions.to(self.weight)

    def mix(self, task: int, mixings: Iterable[Mixing]) -> None:
        """Give `task` these shared directions, whose M is added or replaces as this layer has it."""
        mixings = list(mixings)
        for mixing in mixings:
            mixing.added = self.added
        self.mixings[str(task)] = nn.ModuleList(mixings).to(self.weight)

    def current_mixings(self) -> list[Mixing]:
        """The mixings of the current task, often none."""
        return list(self.mixings[str(self.task)]) if str(self.task) in self.mixings else []  # pyright: ignore

    def all_mixings(self) -> list[Mixing]:
        """The mixings of all tasks."""
        return [module for module in self.mixings.modules() if isinstance(module, Mixing)]

    def project(self) -> Projection | None:
        """The function G ↦ G (I − C) on rows, made once per conceptor, or G ↦ G U Uᵀ where only some directions U are
        allowed; None where nothing is protected."""
        if self.allowed is not None:
            U = self.allowed
            return lambda rows: (rows @ U) @ U.T
        if self._projection[0] is not self.vectors:  # replaced by protect(), .to() or load_state_dict()
            self._projection = self.vectors, projection(self.conceptor) if len(self.values) else None
        return self._projection[1]

    def mixed(self, weight: Float[Tensor, "n_out *fan"]) -> Float[Tensor, "n_out *fan"]:
        """Equation (2) for a weight; the weight itself where the current task mixes nothing."""
        mixings = self.current_mixings()
        if not mixings:
            return weight
        rows = weight.flatten(1)
        for mixing in mixings:
            rows = rows + mixing.of_weights(weight.flatten(1))
        return rows.view_as(weight)


def _make_room(layer: Guard, state: dict[str, Tensor], prefix: str, *_) -> None:
    """Before loading: conceptor and mixings of the sizes that the state has, for they grow with the tasks."""
    allowed = state.get(f"{prefix}allowed")
    layer.allowed = None if allowed is None else torch.empty_like(allowed).to(layer.weight)
    for name in ("vectors", "values"):
        if (buffer := state.get(f"{prefix}{name}")) is not None:
            setattr(layer, name, torch.empty_like(buffer).to(layer.weight))
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
