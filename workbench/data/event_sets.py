"""Sets of recordings ready for training: small in memory, read one time-first batch at a time."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int64, Shaped, UInt8
from torch import Tensor

from workbench.checks import COUNT, COUNT_OR_ZERO, check_number

BLOCK = 64  # recordings unpacked at once


class EventSet(NamedTuple):
    """Recordings as counts of events, and the number of each one's class.

    `counts[bin, recording, ...]` holds one byte per input: the events of one polarity in a block of pixels.
    Time comes first in memory too, so that a batch is copied in long rows.
    lengths: how many bins each recording fills, where shorter ones are padded; None for all. Rules leave padding out.
    """

    counts: UInt8[Tensor, "time recording *features"]
    labels: Int64[Tensor, " recording"]
    lengths: Int64[Tensor, " recording"] | None = None

    def batch(self, rows: Int64[Tensor, " batch"]) -> tuple[Shaped[Tensor, "..."], ...]:
        """The recordings `rows` as float32 input, time first, and their labels; and where there are any their lengths,
        with the input cut to the longest.

        >>> two = EventSet(torch.ones(20, 3, 4, dtype=torch.uint8), torch.tensor([0, 1, 2]))
        >>> x, y = two.batch(torch.tensor([2, 0]))
        >>> tuple(x.shape), y.tolist()
        ((20, 2, 4), [2, 0])
        """
        if self.lengths is None:
            return self.counts.index_select(1, rows).float(), self.labels[rows]
        lengths = self.lengths[rows]
        counts = self.counts[: int(lengths.max())]
        return counts.index_select(1, rows).float(), self.labels[rows], lengths

    def subset(self, rows: Int64[Tensor, " kept"]) -> "EventSet":
        """Only the recordings `rows`, in that order."""
        lengths = None if self.lengths is None else self.lengths[rows]
        return EventSet(self.counts.index_select(1, rows), self.labels[rows], lengths)

    def flatten(self) -> "EventSet":
        """The same set with one axis of features, (time, recording, features), for dense layers. Copies nothing."""
        return self._replace(counts=self.counts.flatten(2))

    def without_lengths(self) -> "EventSet":
        """The same set in which the silence behind a recording belongs to it, as in papers that pad."""
        return self._replace(lengths=None)


def padded_lengths(filled: Int64[Tensor, " recording"], steps: int) -> Int64[Tensor, " recording"] | None:
    """How many of `steps` steps each recording fills, at least one; None where none is shorter.

    >>> padded_lengths(torch.tensor([3, 0, 9]), 5).tolist()
    [3, 1, 5]
    """
    lengths = filled.clamp(1, steps)
    return None if bool((lengths == steps).all()) else lengths


def balanced_rows(labels: Int64[np.ndarray, " sample"], per_class: int, seed: int = 0) -> Int64[np.ndarray, " row"]:
    """`per_class` rows of each class, drawn and mixed by `seed`; all of each class with its full number.

    Raises ValueError if a class has fewer, or if there are no labels.

    >>> sorted(balanced_rows(np.array([5, 5, 7, 7]), per_class=2).tolist())
    [0, 1, 2, 3]
    """
    if labels.ndim != 1 or not labels.size:
        raise ValueError("there are no labels, expected at least one sample to draw from")
    check_number(seed, "seed", COUNT_OR_ZERO)
    rng = np.random.default_rng(int(seed))
    classes, numbers = np.unique(labels, return_counts=True)
    if not (COUNT.holds(per_class) and per_class <= numbers.min()):
        raise ValueError(f"per_class is {per_class!r}, expected 1 to {numbers.min()}, the size of the smallest class")
    drawn = [rng.permutation(np.flatnonzero(labels == label))[: int(per_class)] for label in classes]
    return rng.permutation(np.concatenate(drawn))


def pack_frames(frames: Bool[np.ndarray, "recording bins 2 size size"]) -> UInt8[np.ndarray, "recording bytes"]:
    """Eight pixels in a byte; each recording starts a new byte."""
    return np.packbits(frames.reshape(len(frames), math.prod(frames.shape[1:])), axis=1)


def unpack_counts(
    packed: UInt8[np.ndarray, "recording bytes"], bins: int, size: int, pool: int = 1
) -> UInt8[Tensor, "bins recording 2 pooled pooled"]:
    """Undo `pack_frames`, time first, adding up blocks of `pool` × `pool` pixels.

    Raises ValueError unless `pool` divides `size`.
    """
    check_number(bins, "bins", COUNT)
    check_number(size, "size", COUNT)
    if not COUNT.holds(pool) or size % pool:
        fitting = [divisor for divisor in range(1, size + 1) if size % divisor == 0]
        raise ValueError(f"pool is {pool}, expected a divisor of the size {size}: one of {fitting}")
    if pool > 15:
        raise ValueError(f"pool is {pool}, expected at most 15: a block's count must fit into one byte")
    expected = -(-bins * 2 * size * size // 8)
    if packed.ndim != 2 or packed.shape[1] != expected:
        raise ValueError(
            f"the packed frames have the shape {packed.shape}, expected (recordings, {expected}) for {bins} bins of "
            f"{size} × {size} pixels; give the bins and the size that they were packed with"
        )
    side = size // pool
    counts = np.empty((bins, len(packed), 2, side, side), np.uint8)
    for first in range(0, len(packed), BLOCK):
        bits = np.unpackbits(packed[first : first + BLOCK], axis=1, count=bins * 2 * size * size)
        frames = bits.reshape(-1, bins, 2, size, size).swapaxes(0, 1)
        pixels = ((row, column) for row in range(pool) for column in range(pool))
        counts[:, first : first + BLOCK] = _sum(frames[..., row::pool, column::pool] for row, column in pixels)
    return torch.from_numpy(counts)


def _sum(arrays: Iterable[UInt8[np.ndarray, "..."]]) -> UInt8[np.ndarray, "..."]:
    """Sum that stays in bytes."""
    first, *rest = arrays
    total = first.copy()
    for array in rest:
        total += array
    return total
