"""Sequences of your own, of different length, as a set that `train` can learn from: padded, with their lengths."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor


class SequenceSet(NamedTuple):
    """Sequences padded at the end, what is asked of each (usually the number of its class), and its own steps.

    Rules, losses and outputs leave the padding out.
    """

    x: Shaped[Tensor, "time sequence *features"]
    labels: Shaped[Tensor, "sequence *target"]
    lengths: Int64[Tensor, "sequence"]

    def batch(
        self, rows: Int64[Tensor, "batch"]
    ) -> tuple[Shaped[Tensor, "time batch *features"], Shaped[Tensor, "batch *target"], Int64[Tensor, "batch"]]:
        """x of the sequences `rows`, time first and cut to the longest of them, their labels and their lengths."""
        lengths = self.lengths[rows]
        return self.x[: int(lengths.max())].index_select(1, rows), self.labels[rows], lengths


def sequences(
    inputs: Sequence[Shaped[Tensor, "_ *features"]], labels: Shaped[Tensor, "sequence *target"]
) -> SequenceSet:
    """Sequences `(time, ...)` of any length as one set; zeros stand behind the shorter ones.

    Raises ValueError for a sequence without a step, of other features than the first, and for labels that are fewer or
    more.

    >>> both = sequences([torch.ones(5, 3), torch.ones(2, 3)], torch.tensor([0, 1]))
    >>> both.x.shape, both.lengths.tolist()
    (torch.Size([5, 2, 3]), [5, 2])
    """
    if not len(inputs) or len(inputs) != len(labels):
        raise ValueError(f"each sequence needs its label, got {len(inputs)} sequences and {len(labels)} labels")
    for number, x in enumerate(inputs):
        if x.ndim < 2 or not len(x) or x.shape[1:] != inputs[0].shape[1:]:
            raise ValueError(
                f"sequence {number} has shape {tuple(x.shape)}, expected (time, *{tuple(inputs[0].shape[1:])}) with at "
                "least one step, as the first one"
            )
    lengths = torch.tensor([len(x) for x in inputs])
    return SequenceSet(torch.nn.utils.rnn.pad_sequence(list(inputs)), labels, lengths)
