"""Products with matrices that are mostly zero: only the entries that are not zero are touched.

A spike is an event: of 100 inputs, about 97 are silent at a given step. The forward product X Wᵀ then is a sum of a few
rows of Wᵀ per sample, and the weight gradient Σ x ⊗ g a sum of a few rows of G per input. Both are what
`torch.nn.functional.embedding_bag` computes. Used on the CPU only; elsewhere, and for dense inputs, `find_events`
returns None and the caller takes the ordinary product, which gives the same numbers up to rounding.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

DENSEST = 0.125  # above this fraction of entries that are not zero, dense products are faster


class SpikeList(NamedTuple):
    """Entries of a matrix that are not zero, row by row: row r owns `columns[row_starts[r] : row_starts[r + 1]]`."""

    columns: Int[Tensor, "events"]
    row_starts: Int[Tensor, "rows+1"]
    values: Float[Tensor, "events"]
    width: int


def find_events(x: Float[Tensor, "rows columns"], densest: float = DENSEST) -> SpikeList | None:
    """The entries of x that are not zero, or None where a dense product is the better choice.

    >>> find_events(torch.tensor([[0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])).columns
    tensor([1])
    """
    if x.device.type != "cpu":
        return None
    fired = x.bool().numpy()  # NumPy finds the places of a boolean array four times as fast as torch
    if np.count_nonzero(fired) > densest * fired.size:
        return None
    rows, width = x.shape
    places = torch.from_numpy(np.flatnonzero(fired))
    row_starts = torch.searchsorted(places, torch.arange(rows + 1) * width)
    return SpikeList(places % width, row_starts, x.reshape(-1)[places], width)


def transpose(events: SpikeList) -> SpikeList:
    """The same entries column by column: events of the transposed matrix."""
    counts = events.row_starts.diff()
    rows = torch.repeat_interleave(torch.arange(len(counts)), counts)
    order = torch.from_numpy(_stable_order(events.columns.numpy(), events.width))
    column_starts = F.pad(torch.bincount(events.columns, minlength=events.width).cumsum(0), (1, 0))
    return SpikeList(rows[order], column_starts, events.values[order], len(counts))


def times(events: SpikeList, matrix: Float[Tensor, "columns n"]) -> Float[Tensor, "rows n"]:
    """X M, with X given by its events: for every row of X the weighted sum of a few rows of M."""
    return F.embedding_bag(
        events.columns,
        matrix.contiguous(),
        events.row_starts,
        mode="sum",
        per_sample_weights=events.values,
        include_last_offset=True,
    )


def add_outer(grad: Float[Tensor, "columns n"], events: SpikeList, g: Float[Tensor, "rows n"]) -> None:
    """Add Xᵀ G to `grad`, in place."""
    grad.add_(times(transpose(events), g))


def _stable_order(columns: np.ndarray, width: int) -> np.ndarray:
    """Order of the columns; a radix sort where they fit 16 bits."""
    return np.argsort(columns.astype(np.uint16) if width <= 1 << 16 else columns, kind="stable")
