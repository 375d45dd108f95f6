"""What every data set gives: samples to learn from, samples held out, and the names of the classes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class Split(Generic[S]):
    """Samples to learn from, and samples held out for testing; `classes[label]` is the name of a class, where there are
    classes.

    >>> Split([1, 2, 3], [4]).map(len)
    Split(train=3, test=1, classes=())
    """

    train: S
    test: S
    classes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Any]:
        """For `train, test, classes = split`."""
        return iter((self.train, self.test, self.classes))

    def map(self, change: "Callable[[S], T]") -> "Split[T]":
        """The same split with `change` applied to both parts."""
        return Split(change(self.train), change(self.test), self.classes)
