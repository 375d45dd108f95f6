"""What can be dragged on a figure, as data: the browser sends where the pointer is, `pulled` says what that means.

plotly's points cannot be dragged. static/handles.js draws rings over what a figure names in `Fig.handles`, follows
mouse, pen or finger, and puts into `Fig.dragged` where they are, in the units of the axes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

X, Y, R, ANGLE = (
    "x",
    "y",
    "r",
    "angle",
)  # r and angle (degrees, from 0 to 180, as of an axis) are about the point (0, 0)


class Pull(NamedTuple):
    """How a control follows the pointer: along a direction, and by `value` of the coordinate there."""

    along: str
    value: Callable[[float], float] = float


class Handle(NamedTuple):
    """A point of a trace, or a level line all along (`point` None), that moves controls by name.

    `train` names the control that counts the points of the trace: a click beside them adds one, a double click on one
    removes it. The trace has one handle for each point that there may be, in order.
    """

    trace: int
    point: int | None
    pulls: Mapping[str, Pull]
    train: str = ""


def train(trace: int, names: Sequence[str], count: str = "") -> list[Handle]:
    """The handles of a row of spikes, whose times are the controls `names` and whose number is the control `count`.

    >>> [handle.pulls["t_1"].along for handle in train(0, ["t_1"])]
    ['x']
    """
    return [Handle(trace, point, {name: Pull(X)}, count) for point, name in enumerate(names)]


def pulled(handles: Sequence[Handle], message: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, float]:
    """What a message of the page asks for: new values by control, neither snapped nor clipped; empty for nonsense.

    `message` has the number of a `handle` and the place `x`, `y` that it was drawn to, or the number of a handle to
    `remove`, or a handle of the train to `add` a point to at `x`. `values` are those of the controls now.

    >>> pulled(train(0, ["t_1", "t_2"], "n"), {"handle": 1, "x": 30.2, "y": 1.0}, {"n": 2})
    {'t_2': 30.2}
    >>> pulled(train(0, ["t_1", "t_2"], "n"), {"remove": 0}, {"n": 2, "t_1": 5, "t_2": 9})
    {'t_1': 9, 't_2': 5, 'n': 1}
    """
    action = next((name for name in ("handle", "add", "remove") if name in message), "")
    number = message.get(action)
    if not isinstance(number, int) or not 0 <= number < len(handles):
        return {}
    handle = handles[number]
    if action == "handle":
        x, y = (_number(message.get(name)) for name in (X, Y))
        return {} if x is None or y is None else _moved(handle, x, y)
    row = [each for each in handles if handle.train and (each.trace, each.train) == (handle.trace, handle.train)]
    return _added(row, _number(message.get(X)), values) if action == "add" else _removed(row, handle, values)


def _number(value: Any) -> float | None:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if whole else None


def _moved(handle: Handle, x: float, y: float) -> dict[str, float]:
    at = {X: x, Y: y, R: math.hypot(x, y), ANGLE: math.degrees(math.atan2(y, x)) % 180.0}
    return {name: pull.value(at[pull.along]) for name, pull in handle.pulls.items()}


def _times(row: Sequence[Handle]) -> list[str]:
    return [next(iter(handle.pulls)) for handle in row]


def _added(row: Sequence[Handle], x: float | None, values: Mapping[str, Any]) -> dict[str, float]:
    """One point more, as the last."""
    if not row or x is None or values[row[0].train] >= len(row):
        return {}
    count = values[row[0].train]
    return {_times(row)[count]: x, row[0].train: count + 1}


def _removed(row: Sequence[Handle], handle: Handle, values: Mapping[str, Any]) -> dict[str, float]:
    """One point less: those behind it move up, it waits behind the last."""
    if not row or values[row[0].train] <= 1:
        return {}
    times = _times(row)
    k = row.index(handle)
    if k >= values[row[0].train]:  # it has not come
        return {}
    order = [*times[:k], *times[k + 1 :], times[k]]
    return {time: values[old] for time, old in zip(times, order, strict=True)} | {
        row[0].train: values[row[0].train] - 1
    }
