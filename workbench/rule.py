"""What a rule tells about one batch, and the checks that all rules share."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor


class StepReport(NamedTuple):
    """One batch: mean loss, outputs averaged over time, mean spikes per neuron and step by layer, bytes of state.

    `state_bytes` counts what the rule carries from one time step to the next: membranes and traces for a local rule,
    the whole history of membranes and spikes for BPTT. What autograd keeps is measured by `meters.KeptBytes`.
    """

    loss: float
    logits: Float[Tensor, "batch classes"]
    spike_rates: dict[str, float]
    state_bytes: int


def check_batch(x: Tensor, y: Tensor) -> None:
    """Raise ValueError unless x is `(time, batch, ...)`, at least one step, finite, and y `(batch, ...)` fits it."""
    if x.ndim < 3 or x.shape[0] == 0:
        raise ValueError(f"x must be (time, batch, ...) with at least one step, got shape {tuple(x.shape)}")
    if y.shape[:1] != x.shape[1:2]:
        raise ValueError(f"y must hold one label per sample, shape ({x.shape[1]},), got {tuple(y.shape)}")
    if x.is_floating_point() and x.numel() and not all(math.isfinite(float(end)) for end in x.detach().aminmax()):
        raise ValueError("x holds NaN or infinite values; clean the input first")


def check_labels(y: Tensor, classes: int) -> None:
    """Raise ValueError unless y holds one label per sample, all in 0..classes−1."""
    if y.ndim != 1 or y.is_floating_point():
        raise ValueError(f"labels must be class numbers of shape (batch,), got {y.dtype} of shape {tuple(y.shape)}")
    if y.numel() and not 0 <= int(y.min()) <= int(y.max()) < classes:
        raise ValueError(f"labels must lie in 0..{classes - 1}, got {int(y.min())}..{int(y.max())}")


def learning_start(steps: int, last_steps: int | None) -> int:
    """T_l, the first step that learns: 0 for None (all steps), else T − K with K = `last_steps`."""
    if last_steps is None:
        return 0
    if not 1 <= last_steps <= steps:
        raise ValueError(f"last_steps must lie in 1..{steps}, the number of steps of this input, got {last_steps}")
    return steps - last_steps


Rule = Callable[[Any, Tensor, Tensor], StepReport]  # each rule knows which networks it can train
