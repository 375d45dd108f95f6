"""What a learner of many tasks keeps and gains: numbers of one accuracy matrix. No function changes its input.

A (T, T)    A[t, i] accuracy on task i after learning task t; entries above the diagonal may be NaN unless needed
ACC = mean_i A[T−1, i]                                        Lopez-Paz and Ranzato, NIPS 2017, eq. 2
BWT = mean_{i<T−1} (A[T−1, i] − A[i, i])                      the same, eq. 3
FWT = mean_{i>0}   (A[i−1, i] − b_i)                          the same, eq. 4; b_i accuracy before any learning
gain = mean_i (A[i, i] − R[i, i])                             "FWT" of CODE-CL's poster; R of GPM on the same stream
F   = mean_{i<T−1} (max_{t<T−1} A[t, i] − A[T−1, i])          Chaudhry et al., ECCV 2018, section 3
"""

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.checks import as_floats


def average_accuracy(A: Float[Tensor, "tasks tasks"]) -> float:
    """ACC = (1/T) Σ_i A[T−1, i]: accuracy over all tasks at the end.

    >>> average_accuracy(torch.tensor([[0.9, 0.5], [0.7, 0.8]]))
    0.75
    """
    return float(_checked(A)[-1].mean())


def backward_transfer(A: Float[Tensor, "tasks tasks"]) -> float:
    """BWT = 1/(T−1) Σ_{i<T−1} (A[T−1, i] − A[i, i]): negative where old tasks were forgotten; 0 for one task.

    >>> round(backward_transfer(torch.tensor([[0.9, 0.5], [0.7, 0.8]])), 6)
    -0.2
    """
    a = _checked(A)
    return float((a[-1] - a.diagonal())[:-1].mean()) if len(a) > 1 else 0.0


def forward_transfer(A: Float[Tensor, "tasks tasks"], untrained: Float[Tensor, " baselines"]) -> float:
    """FWT = 1/(T−1) Σ_{i>0} (A[i−1, i] − b_i): what earlier tasks did for a task before it was learned; 0 for one task.

    `untrained` is b, the accuracies of the network before any learning. Only meaningful where tasks share their head:
    the head of a task that was never learned answers at random.

    >>> round(forward_transfer(torch.tensor([[0.9, 0.5], [0.7, 0.8]]), torch.tensor([0.1, 0.2])), 6)
    0.3
    """
    a, b = _checked(A), untrained.double()
    if len(b) != len(a):
        raise ValueError(f"untrained must give one accuracy per task, {len(a)} of them, got {len(b)}")
    before = a.diagonal(1)
    if not bool(((before >= 0.0) & (before <= 1.0)).all()):
        raise ValueError(f"accuracies lie in [0, 1] and are known one task ahead, got {A.tolist()}")
    return float((before - b[1:]).mean()) if len(a) > 1 else 0.0


def gain_over(A: Float[Tensor, "tasks tasks"], reference: Float[Tensor, "others others"]) -> float:
    """(1/T) Σ_i (A[i, i] − R[i, i]): how much better each task is learned, when its turn comes, than by a reference.

    The authors of CODE-CL call this FWT and take GPM as the reference: their table's 5.92, 4.74, 2.86 and 2.86 are it.
    It is no transfer by itself: a better recipe counts too, and on the first task, where nothing can be transferred,
    their CODE-CL already leads their GPM by 3.04 points.

    >>> A, R = torch.tensor([[0.9, 0.5], [0.7, 0.8]]), torch.tensor([[0.8, 0.5], [0.8, 0.6]])
    >>> round(gain_over(A, R), 6)
    0.15
    """
    a, r = _checked(A), _checked(reference)
    if len(a) != len(r):
        raise ValueError(f"both matrices must be of the same stream, got {len(a)} and {len(r)} tasks")
    return float((a.diagonal() - r.diagonal()).mean())


def forgetting(A: Float[Tensor, "tasks tasks"]) -> float:
    """F = 1/(T−1) Σ_{i<T−1} (max_{i≤t<T−1} A[t, i] − A[T−1, i]): loss against the best so far; 0 for one task.

    Where each task is best just after it was learned, this is −BWT.

    >>> round(forgetting(torch.tensor([[0.9, 0.5], [0.7, 0.8]])), 6)
    0.2
    """
    a = _checked(A)
    n = len(a)
    if n == 1:
        return 0.0
    best = torch.stack([a[i:-1, i].max() for i in range(n - 1)])
    return float((best - a[-1, :-1]).mean())


def _checked(A: Tensor) -> Tensor:
    a = as_floats(A, "the accuracy matrix").double()
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ValueError(
            f"the accuracy matrix must have a row after each task and a column for each, got shape {tuple(a.shape)}"
        )
    if not len(a):
        raise ValueError("the accuracy matrix has no tasks; give the accuracies after at least one task")
    learned = a.tril()  # what lies above the diagonal may be unknown
    if bool(learned.isnan().any()) or float(learned.min()) < 0.0 or float(learned.max()) > 1.0:
        raise ValueError(f"accuracies lie in [0, 1] and are known up to the diagonal, got {A.tolist()}")
    return a
