"""`quicken`: traces of plotly that take arrays of numbers at once while their figure is drawn.

plotly looks at every array that is set with some hundred calls of Python, 0.4 ms each time, which is the larger part of
what the step of a slider costs. What a panel computes are arrays of numbers for sure. Within `batch_update` they go
straight to where plotly gathers what it will send, unless the trace has them already: plotly would send such arrays
again, for others that changed. Everything else is set as ever.
"""

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

NUMBERS = frozenset({"x", "y", "z"})
_KINDS = "fiu"  # of numpy: floats, integers with a sign and without


class _Quick:
    figure: Any  # plotly is typed in part only

    def __setitem__(self, name: str, value: Any) -> None:
        figure = self.figure
        if name in NUMBERS and is_numbers(value) and figure is not None and figure._in_batch_mode:
            if not self._has(name, value):
                figure._restyle_child(self, name, held(value))
        else:
            super().__setitem__(name, value)  # type: ignore[misc]  (plotly's, once it is mixed in)

    def _has(self, name: str, value: np.ndarray) -> bool:
        """Whether the trace has these numbers, and no others wait to be set."""
        if name in self.figure._batch_trace_edits.get(self._trace_ind, ()):  # type: ignore[attr-defined]
            return False
        now = (self._props or {}).get(name)  # type: ignore[attr-defined]
        if not isinstance(now, np.ndarray) or now.dtype != value.dtype:
            return False
        return np.array_equal(now, value, equal_nan=value.dtype.kind == "f")

    def update(self, dict1: Any = None, overwrite: bool = False, **values: Any) -> Any:
        if dict1 is not None or overwrite or not NUMBERS.issuperset(values):
            return super().update(dict1, overwrite, **values)  # type: ignore[misc]
        for name, value in values.items():
            self[name] = value
        return self


def quicken(traces: Iterable[Any]) -> None:
    """Let these traces, in place, take arrays at once."""
    for trace in traces:
        if not isinstance(trace, _Quick):
            trace.__class__ = _quick(type(trace))


def is_numbers(value: Any) -> bool:
    """Whether something is an array of numbers.

    >>> is_numbers(np.arange(3)), is_numbers(np.array(["a"])), is_numbers([1.0])
    (True, False, False)
    """
    return isinstance(value, np.ndarray) and value.dtype.kind in _KINDS


def held(value: np.ndarray) -> np.ndarray:
    """A copy in one piece that nobody changes any more, as plotly keeps them."""
    copy = np.array(value, order="C")
    copy.flags.writeable = False
    return copy


@functools.cache
def _quick(kind: type) -> type:
    return type(kind.__name__, (_Quick, kind), {})
