"""Data in other forms than `Samples`: a DataLoader of (x, y) or a pair of arrays, as samples that give batches.

Sequences of different length, padded at the end, have a third part: how many steps of each are its own.
"""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int64, Shaped
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from workbench.checks import Array, as_tensor, check_integers
from workbench.data.split import Split
from workbench.training.score import Samples


class FromLoader:
    """The data set of a DataLoader, put together by its `collate_fn`; order and size of batches are the run's."""

    def __init__(self, loader: DataLoader):
        if isinstance(loader.dataset, IterableDataset) or not hasattr(loader.dataset, "__len__"):
            raise ValueError(
                "this DataLoader gives its samples in an order of its own; a run draws them by number and needs a data "
                "set with __getitem__ and __len__"
            )
        self.dataset: Any = loader.dataset
        self.collate = loader.collate_fn

    @cached_property
    def labels(self) -> Shaped[Tensor, "sample ..."]:
        """y of all samples."""
        known = getattr(self.dataset, "targets", None)
        if isinstance(known, Tensor | np.ndarray):
            return as_tensor(known, "targets of the data set")
        return torch.stack([torch.as_tensor(_parts(self.dataset[k])[1]) for k in range(len(self.dataset))])

    def batch(self, rows: Int64[Tensor, " row"]) -> tuple[Shaped[Tensor, "..."], ...]:
        """x and y of these samples, and their lengths where there are any."""
        x, y, *lengths = _parts(self.collate([self.dataset[int(row)] for row in rows]))
        return as_tensor(x), check_integers(as_tensor(y, "y")), *(as_tensor(each, "lengths") for each in lengths)


class FromArrays(NamedTuple):
    """x and y in memory; the samples of x stand along `axis`: 1 where time comes first."""

    x: Shaped[Tensor, "sample ..."]
    labels: Shaped[Tensor, "sample ..."]
    axis: int
    lengths: Int64[Tensor, " sample"] | None = None

    def batch(self, rows: Int64[Tensor, " row"]) -> tuple[Shaped[Tensor, "..."], ...]:
        """x and y of these samples, and their lengths where there are any."""
        x, y = self.x.index_select(self.axis, rows), self.labels[rows]
        return (x, y) if self.lengths is None else (x, y, self.lengths[rows])


def _parts(item: Any) -> list[Any]:
    if not isinstance(item, list | tuple) or len(item) not in (2, 3):
        raise ValueError(f"each sample of the data must be a pair (x, y), or (x, y, length), got {type(item).__name__}")
    return list(item)


def samples_of(given: Any, name: str) -> Samples:
    """The samples, or a DataLoader or a pair (x, y) of arrays as such; ValueError for anything else and for none."""
    if isinstance(given, DataLoader):
        given = FromLoader(given)
    elif type(given) in (tuple, list) and len(given) in (2, 3) and all(isinstance(p, Array) for p in given):
        given = _from_arrays(given[0], given[1], name, *given[2:])
    if not isinstance(given, Samples):
        raise ValueError(
            f"{name} must be samples with `labels` and `batch(rows)`, such as an EventSet, a DataLoader of (x, y), or "
            f"a pair (x, y) of arrays, got {type(given).__name__}"
        )
    if not len(given.labels):
        raise ValueError(f"{name} holds no sample, expected at least one")
    return given


def _from_arrays(x: Any, y: Any, name: str, lengths: Any = None) -> FromArrays:
    x, y = as_tensor(x, name), check_integers(as_tensor(y, f"labels of {name}"))
    axes = [axis for axis in (0, 1) if y.ndim and axis < x.ndim and x.shape[axis] == len(y)]
    if len(axes) != 1:
        found = "either of its first two axes" if axes else "neither of its first two axes"
        raise ValueError(
            f"{name}: x has shape {tuple(x.shape)} and y {tuple(y.shape)}, so that {found} can be the samples'; give "
            "one label per sample, and cut or pad the time"
        )
    if lengths is None:
        return FromArrays(x, y, axes[0])
    lengths = as_tensor(lengths, f"lengths of {name}")
    if axes != [1] or lengths.shape != y.shape[:1]:
        raise ValueError(
            f"{name}: lengths of shape {tuple(lengths.shape)} need x (time, sample, ...) and as many labels, got x "
            f"{tuple(x.shape)} and y {tuple(y.shape)}"
        )
    return FromArrays(x, y, 1, lengths)


def data_of(given: Any) -> Any:
    """Data with `train` and `test`, each as samples; a pair may stand for them. ValueError for anything else."""
    if not (hasattr(given, "train") and hasattr(given, "test")):
        if type(given) not in (tuple, list) or len(given) != 2 or isinstance(given[0], Tensor | np.ndarray):
            raise ValueError(
                f"data must hold what is learned from and what is held out, as `train` and `test` or as a pair, got "
                f"{type(given).__name__}; for a DataLoader write data=(train_loader, test_loader)"
            )
        given = Split(*given)
    train, test = samples_of(given.train, "the training data"), samples_of(given.test, "the test data")
    return given if train is given.train and test is given.test else Split(train, test)
