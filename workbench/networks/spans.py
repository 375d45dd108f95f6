"""Sequences of different length in one batch: which steps are each sample's own, and which of them learn.

A batch of sequences is padded to its longest one. Sample b has L_b steps of its own, the last K of which learn (all
without K); steps from L_b on are padding, which must not count: not in the update, nor in rates and outputs. The update
of the batch is then the mean over the samples of the update of each sequence alone, cut to its own length.
Where all samples are equally long there is nothing to tell apart: every function here gives or takes None for that.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Int64, Shaped
from torch import Tensor

from workbench.checks import Array, as_tensor, check_integers
from workbench.rule import learning_start

Lengths = Int[Array, "batch"] | None  # how many steps are each sample's own; None for all


class Spans(NamedTuple):
    """Of each sample: the first step that learns, L_b − K, and the end of its own steps, L_b."""

    first: Int64[Tensor, "batch"]
    end: Int64[Tensor, "batch"]

    def own(self, chunk: slice) -> Bool[Tensor, "time batch"] | None:
        """Which steps of a chunk of time are each sample's own; None for all."""
        return _unless_all(_times(chunk, self.end) < self.end)

    def learning(self, chunk: slice) -> Bool[Tensor, "time batch"] | None:
        """Which steps of a chunk of time learn; None for all."""
        t = _times(chunk, self.end)
        return _unless_all((self.first <= t) & (t < self.end))


class Learning(NamedTuple):
    """What of a batch is run: its steps up to the longest sample's end, T_l of the sample that learns first, and the
    samples' spans, None where all are equally long."""

    x: Shaped[Tensor, "time batch *features"]
    start: int
    spans: Spans | None


def learning_steps(
    x: Shaped[Tensor, "time batch *features"], last_steps: int | None, lengths: Lengths = None
) -> Learning:
    """Which steps of a batch are run, and which learn.

    last_steps: K, counted from each sample's own end; None for all. lengths: L_b; None where all have all steps.
    Raises ValueError for lengths that do not fit x, and where the shortest sample has fewer than K steps.

    >>> learned = learning_steps(torch.zeros(9, 2, 4), last_steps=2, lengths=torch.tensor([3, 6]))
    >>> learned.x.shape[0], learned.start, learned.spans.first.tolist()
    (6, 1, [1, 4])
    """
    if lengths is None:
        return Learning(x, learning_start(len(x), last_steps), None)
    lengths = check_lengths(x, lengths).to(x.device)
    shortest, longest = int(lengths.min()), int(lengths.max())
    start = learning_start(shortest, last_steps)
    x = x[:longest]
    if shortest == longest:
        return Learning(x, start, None)
    first = torch.zeros_like(lengths) if last_steps is None else lengths - last_steps
    return Learning(x, start, Spans(first, lengths))


def check_lengths(x: Shaped[Tensor, "time batch *features"], lengths: Any) -> Int64[Tensor, "batch"]:
    """The lengths as int64, or ValueError unless they are a whole number for each sample, from 1 to the steps of x."""
    (steps, samples), lengths = x.shape[:2], as_tensor(lengths, "lengths")
    if lengths.is_floating_point() or lengths.dtype is torch.bool or lengths.shape != (samples,):
        raise ValueError(
            f"lengths must hold each sample's number of steps, whole numbers of shape ({samples},), "
            f"got {lengths.dtype} of shape {tuple(lengths.shape)}"
        )
    if not 1 <= int(lengths.min()) <= int(lengths.max()) <= steps:
        raise ValueError(
            f"lengths must lie in 1..{steps}, the number of steps of x (time comes first), "
            f"got {int(lengths.min())}..{int(lengths.max())}"
        )
    return check_integers(lengths)


def keep(
    x: Shaped[Tensor, "time batch *features"], own: Bool[Tensor, "time batch"] | None
) -> Shaped[Tensor, "time batch *features"]:
    """x, with zeros in the steps that are not a sample's own."""
    return x if own is None else x.masked_fill(~own.view(*own.shape, *[1] * (x.ndim - 2)), 0)


def steps_done(spans: Spans | None, done: int) -> int | Int64[Tensor, "batch"]:
    """How many steps of its own each sample has had when `done` steps of the batch have run."""
    return done if spans is None else spans.end.clamp(max=done)


def mean_over_steps(
    sums: Float[Tensor, "batch *outputs"], steps: int | Int64[Tensor, "batch"]
) -> Float[Tensor, "batch *outputs"]:
    """Sums over time divided by the number of each sample's steps."""
    return sums / (steps if isinstance(steps, int) else steps.view(-1, *[1] * (sums.ndim - 1)))


def _times(chunk: slice, like: Tensor) -> Int64[Tensor, "time 1"]:
    return torch.arange(chunk.start, chunk.stop, device=like.device)[:, None]


def _unless_all(mask: Tensor) -> Tensor | None:
    return None if bool(mask.all()) else mask
