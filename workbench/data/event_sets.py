"""Sets of recordings ready for training: small in memory, read one time-first batch at a time."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

BLOCK = 64  # recordings unpacked at once


class EventSet(NamedTuple):
    """Recordings as counts of events, and the number of each one's class.

    `counts[bin, recording, ...]` holds one byte per input: the events of one polarity in a block of pixels.
    Time comes first in memory too, so that a batch is copied in long rows.
    """

    counts: UInt8[Tensor, "time recording *features"]
    labels: Int64[Tensor, " recording"]

    def batch(
        self, rows: Int64[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "time batch *features"], Int64[Tensor, " batch"]]:
        """The recordings `rows` as float32 input, time first, and their labels.

        >>> two = EventSet(torch.ones(20, 3, 4, dtype=torch.uint8), torch.tensor([0, 1, 2]))
        >>> x, y = two.batch(torch.tensor([2, 0]))
        >>> tuple(x.shape), y.tolist()
        ((20, 2, 4), [2, 0])
        """
        return self.counts.index_select(1, rows).float(), self.labels[rows]

    def subset(self, rows: Int64[Tensor, " kept"]) -> "EventSet":
        """Only the recordings `rows`, in that order."""
        return EventSet(self.counts.index_select(1, rows), self.labels[rows])

    def flatten(self) -> "EventSet":
        """The same set with one axis of features, (time, recording, features), for dense layers. Copies nothing."""
        return EventSet(self.counts.flatten(2), self.labels)


class EventSplit(NamedTuple):
    """A training set and a held-out test set; `classes[label]` is the name of a class."""

    train: EventSet
    test: EventSet
    classes: tuple[str, ...]


def balanced_rows(labels: Int64[np.ndarray, " sample"], per_class: int, seed: int = 0) -> Int64[np.ndarray, " row"]:
    """`per_class` rows of each class, drawn and mixed by `seed`; all of each class with its full number.

    Raises ValueError if a class has fewer, or if there are no labels.

    >>> sorted(balanced_rows(np.array([5, 5, 7, 7]), per_class=2).tolist())
    [0, 1, 2, 3]
    """
    if not labels.size:
        raise ValueError("there are no labels, expected at least one sample to draw from")
    rng = np.random.default_rng(seed)
    classes, numbers = np.unique(labels, return_counts=True)
    if not 1 <= per_class <= numbers.min():
        raise ValueError(f"per_class is {per_class}, expected 1 to {numbers.min()}, the size of the smallest class")
    drawn = [rng.permutation(np.flatnonzero(labels == label))[:per_class] for label in classes]
    return rng.permutation(np.concatenate(drawn))


def pack_frames(frames: Bool[np.ndarray, "recording bins 2 size size"]) -> UInt8[np.ndarray, "recording bytes"]:
    """Eight pixels in a byte; each recording starts a new byte."""
    return np.packbits(frames.reshape(len(frames), -1), axis=1)


def unpack_counts(
    packed: UInt8[np.ndarray, "recording bytes"], bins: int, size: int, pool: int = 1
) -> UInt8[Tensor, "bins recording 2 pooled pooled"]:
    """Undo `pack_frames`, time first, adding up blocks of `pool` × `pool` pixels.

    Raises ValueError unless `pool` divides `size`.
    """
    if pool < 1 or size % pool:
        fitting = [divisor for divisor in range(1, size + 1) if size % divisor == 0]
        raise ValueError(f"pool is {pool}, expected a divisor of the size {size}: one of {fitting}")
    if pool > 15:
        raise ValueError(f"pool is {pool}, expected at most 15: a block's count must fit into one byte")
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
