"""What each task of a stream claims of every layer's input space, while CODE-CL or LANCE learns it.

own_t     TC(inputs of task t), the conceptor of one task alone            (`code_cl.task_conceptor`)
          LANCE: the directions that hold the share ε_t of its inputs' energy (`subspaces.protect`)
C_t       what the method protects after task t; Θ(C_t) the claimed share of the space
new_t     Θ(C_t) − Θ(C_{t−1}), the share that task t added
free      1 − Θ(C_t), the mean share 1 − s of a step that is still allowed over all directions

LANCE has no conceptors: it protects a direction wholly or not at all. Its projector P Pᵀ is the conceptor with s = 1.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.continual.conceptors import Conceptor, capacity, similarity
from workbench.continual.learning import StreamRecord, StreamSetting
from workbench.continual.methods.code_cl import CodeCL, CodeCLParams, task_conceptor
from workbench.continual.methods.lance import LanceContinual, input_correlations, subspace_layers
from workbench.continual.protected import protected_layers
from workbench.continual.subspaces import protect
from workbench.experiments.experiment import Experiment, prepare_with
from workbench.training.setting import Plan


class TaskClaim(NamedTuple):
    """After one task, by layer: the task's own conceptor, what is protected in all, and the overlap with the past.

    overlap, found before the task began: ρ of CODE-CL; for LANCE the share of the new inputs' energy that P held.
    """

    own: dict[str, Conceptor]
    protected: dict[str, Conceptor]
    overlap: dict[str, float]


def start_claims(
    experiment: Experiment, aperture: float, seed: int, epochs: int, tasks: int
) -> Iterator[StreamRecord | TaskClaim]:
    """Begin a run of CODE-CL with an aperture: the generator of `learn_and_claim`."""
    method = partial(CodeCL, params=CodeCLParams(aperture=aperture))
    return learn_and_claim(prepare_with(experiment, method, seed, tasks), Plan(epochs, seed))


def start_lance_claims(
    experiment: Experiment, seed: int, epochs: int, tasks: int
) -> Iterator[StreamRecord | TaskClaim]:
    """Begin a run of LANCE: the generator of `learn_and_claim`. Its subspaces are conceptors of values 1."""
    return learn_and_claim(prepare_with(experiment, LanceContinual, seed, tasks), Plan(epochs, seed))


def learn_and_claim(setting: StreamSetting, plan: Plan) -> Iterator[StreamRecord | TaskClaim]:
    """The records of a run with CODE-CL or LANCE, and after the last one of each task its `TaskClaim`."""
    run, method = setting.begin(plan), setting.method
    for record in run.records():
        yield record
        if record.accuracies:
            x = run.samples(record.task)[0]
            claim = _conceptors if isinstance(method, CodeCL) else _subspaces
            yield claim(method, x, record.task)  # pyright: ignore[reportArgumentType]


def _conceptors(method: CodeCL, x: Tensor, task: int) -> TaskClaim:
    inputs = method.inputs(task, x)
    own = {name: task_conceptor(columns, method.params) for name, columns in inputs.items()}
    protected = {name: layer.conceptor for name, layer in protected_layers(method.network).items()}
    return TaskClaim(own, protected, dict(method.overlaps[task]))


def _subspaces(method: Any, x: Tensor, task: int) -> TaskClaim:
    x = x[: method.params.samples]
    correlations = input_correlations(method.network, lambda batch: method.network(batch, task), x)
    own = {
        name: _projector(protect(R.new_zeros(len(R), 0), R, method.energy(task)))
        for name, (R, _) in correlations.items()
    }
    protected = {name: _projector(layer.protected) for name, layer in subspace_layers(method.network).items()}
    return TaskClaim(own, protected, dict(method.held[task]))


def _projector(basis: Tensor) -> Conceptor:
    return Conceptor(basis, basis.new_ones(basis.shape[1]))


def claimed_shares(claims: Sequence[TaskClaim]) -> Float[Tensor, "layers tasks"]:
    """new_t of each layer and task; the rest to 1 is free. A task that needs nothing new adds 0."""
    theta = torch.tensor([[capacity(c) for c in claim.protected.values()] for claim in claims], dtype=torch.float64)
    return theta.diff(dim=0, prepend=torch.zeros_like(theta[:1])).T


def similarities(claims: Sequence[TaskClaim], layer: str) -> Float[Tensor, "tasks tasks"]:
    """How alike the tasks' own conceptors are in a layer: 1 the same, 0 nothing in common."""
    own = [claim.own[layer] for claim in claims]
    lower = torch.tensor([[similarity(a, b) if j <= i else 0.0 for j, b in enumerate(own)] for i, a in enumerate(own)])
    return lower.double() + lower.double().tril(-1).T


def remaining(claim: TaskClaim, layer: str) -> Float[Tensor, " d"]:
    """1 − s along every direction of a layer's inputs, least first: what is left of a step there."""
    c = claim.protected[layer]
    left = torch.ones(len(c.vectors), dtype=torch.float64)
    left[: len(c.values)] -= c.values.double().sort(descending=True).values
    return left
