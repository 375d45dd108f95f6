"""CODE-CL: conceptor-based gradient projection for continual learning.

Source: Apolinario, Choudhary, Roy, "CODE-CL: Conceptor-Based Gradient Projection for Deep Continual Learning",
ICCV 2025, arXiv 2411.15235. Task-incremental: the task is known, each has its own head. For every layer:

    TC(X)    B = C(R,α);  while Σ_j ‖B x_j‖ / Σ_j ‖x_j‖ < θ: B ← φ(B, 1.1);  values below the floor become 0     (1)
    before   C_pre = TC(inputs of the new task);  ρ = Θ(C ∧ C_pre) / Θ(C)                                        (2)
             where ρ > 0.5: U = the K strongest directions of C ∧ C_pre, M (K, K) trainable                      (3)
    during   W_eff = W + W U (M − I) Uᵀ;   ΔW ← ΔW (I − C)                                                       (4)
    after    C ← C ∨ TC(inputs of the finished task);  values below the floor become 0                           (5)

    X (d, N) layer inputs (patches for a convolution), R their correlation, α aperture, θ the share of the inputs'
    length that must be kept, C the conceptor of all past inputs, Θ capacity.

Along an eigenvector of C with value s a step keeps the share 1 − s: protection is graded, where GPM's is all or
nothing. M starts as the identity, so a new task starts from the old function; the released code starts from random
numbers (`uniform_mixing`), which scrambles what U carries. The authors' poster prints W_eff = W + W U M Uᵀ (`added`),
where M = 0 (`no_mixing`) starts from the old function and small random numbers hardly disturb it; from M = 0 it learns
what (4) learns from M = I. (2) can only be met where the two ranges intersect: in narrow layers, or where inputs are
alike.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from workbench.checks import COUNT, COUNT_OR_ZERO, FINITE, POSITIVE, SHARE, Span, check_fields
from workbench.continual.conceptors import (
    Conceptor,
    adapt,
    capacity,
    conceptor,
    conjunction,
    correlation,
    cut,
    disjunction,
)
from workbench.continual.guard import Guard, Mixing
from workbench.continual.method import backpropagation
from workbench.continual.projecting import Projecting
from workbench.faces import short_repr
from workbench.rule import Rule
from workbench.training.checkpoint import Tree


def identity_mixing(k: int) -> Float[Tensor, "k k"]:
    """M = I: a task starts with exactly the weights that the last one left."""
    return torch.eye(k)


def uniform_mixing(k: int) -> Float[Tensor, "k k"]:
    """M uniform in ±1/√K, as in the released code; the same for every K."""
    return torch.empty(k, k).uniform_(-(k**-0.5), k**-0.5, generator=torch.Generator().manual_seed(k))


def no_mixing(k: int) -> Float[Tensor, "k k"]:
    """M = 0: where a task starts in the `added` form to have exactly the weights that the last one left."""
    return torch.zeros(k, k)


GROWING = Span("a number above 1", 1.0, open_low=True)


class CodeCLParams(NamedTuple):
    """Settings; the defaults are those of Split CIFAR-100.

    aperture α, kept θ, floor: see (1). overlap: the least ρ. free_directions: K, 0 turns (2) and (3) off.
    samples: how many samples of a task give its conceptor. growth, most_growths: factor of φ in (1) and its largest
    number of uses (θ = 1 cannot be reached). initial_mixing: M at the start. replaced_detached: as the released code's
    linear layers, see `Protected`. added: the printed form W + W U M Uᵀ; give it `no_mixing` or `uniform_mixing`.
    """

    aperture: float = 6.0
    kept: float = 0.95
    floor: float = 0.2
    overlap: float = 0.5
    free_directions: int = 80
    samples: int = 125
    growth: float = 1.1
    most_growths: int = 200
    initial_mixing: Callable[[int], Tensor] = identity_mixing
    replaced_detached: bool = False
    added: bool = False

    __repr__ = short_repr


class Overlap(NamedTuple):
    """What a new task shares with the past in one layer: ρ of (2) and U of (3), of no columns where ρ is too small."""

    ratio: float
    directions: Float[Tensor, "d k"]


def task_conceptor(inputs: Float[Tensor, "d n"], params: CodeCLParams = CodeCLParams()) -> Conceptor:
    """TC(X) of equation (1). Directions that X never takes keep the value 0 however often φ is applied."""
    r = correlation(inputs)
    energies = (r.vectors.to(inputs).T @ inputs).square_()  # of x_j along each eigenvector: ‖B x_j‖² = Σ_i s_i² e_ij
    wanted = params.kept * float(energies.sum(0).sqrt().sum())
    B = conceptor(r, params.aperture)
    for _ in range(params.most_growths):
        if float((B.values.square().to(inputs) @ energies).sqrt().sum()) >= wanted:
            break
        B = adapt(B, params.growth)
    return cut(B, params.floor)


def shared_directions(past: Conceptor, new: Conceptor, params: CodeCLParams = CodeCLParams()) -> Overlap:
    """Equations (2) and (3): at most K directions, and never more than the two conceptors really share."""
    both, k = conjunction(past, new), params.free_directions
    ratio = capacity(both) / capacity(past) if len(past.values) else 0.0
    if ratio <= params.overlap or k >= len(past.vectors):
        k = 0
    strongest = both.values.argsort(descending=True)[:k]
    return Overlap(ratio, both.vectors[:, strongest])


class CodeCL(Projecting):
    """The method on a network, which is prepared in place; conceptors and mixings are part of its `state_dict`."""

    def __init__(self, network: Any, params: CodeCLParams = CodeCLParams(), rule: Rule = backpropagation):
        check_fields(params, CodeCLParams, aperture=POSITIVE, kept=SHARE, floor=SHARE, overlap=FINITE, growth=GROWING)
        check_fields(params, CodeCLParams, samples=COUNT, free_directions=COUNT_OR_ZERO, most_growths=COUNT_OR_ZERO)
        super().__init__(network, params.samples, rule, params.replaced_detached, params.added)
        self.params = params
        self.overlaps: list[dict[str, float]] = []  # ρ of (2), by task and layer

    def before_task(self, task: int, x: Float[Tensor, "n *shape"], y: Int64[Tensor, " n"]) -> None:
        """Find out from samples of the new task what it shares with the past, and make room for mixing it."""
        self.overlaps.append({})
        if task == 0:
            return
        inputs = self.inputs(task, x)
        for name, layer in self.layers().items():
            new = task_conceptor(inputs[name], self.params)
            ratio, U = shared_directions(layer.conceptor, new, self.params)
            self.overlaps[-1][name] = ratio
            if U.shape[1]:
                layer.mix(task, [Mixing(U, self.params.initial_mixing(U.shape[1]))])

    def protects(self, task: int, name: str, layer: Guard, inputs: Float[Tensor, "d n"]) -> Conceptor:
        """Equation (5)."""
        finished = task_conceptor(inputs, self.params)
        return cut(disjunction(layer.conceptor, finished), self.params.floor)

    def state(self) -> Tree:
        """ρ of the tasks so far."""
        return {"overlaps": self.overlaps}

    def restore(self, state: Tree, past: Sequence[tuple[Shaped[Tensor, "..."], Int64[Tensor, " _"]]]) -> None:
        """Go on from a `state`."""
        self.overlaps = state["overlaps"]
