"""`Pinned`: a figure that keeps a pale copy of its curves to compare the next ones with."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import plotly.graph_objects as go

from workbench.language import say

PALE = 0.45  # opacity of what was pinned


class Pinned(go.FigureWidget):
    """Lines, points and bars of two axes can be pinned; maps and surfaces would cover the new ones."""

    _own: int | None = None  # how many traces are the figure's own, None while nothing is pinned
    _only_own = threading.local()

    @property
    def data(self) -> Any:
        """All traces; inside `own_traces` those that the figure was made with."""
        traces = super().data
        return traces if self._own is None or not getattr(self._only_own, "on", False) else traces[: self._own]

    @data.setter
    def data(self, new_data: Any) -> None:
        go.FigureWidget.data.fset(self, new_data)  # type: ignore[attr-defined]

    @property
    def pinned(self) -> bool:
        """Whether a pale copy is there."""
        return self._own is not None

    @property
    def pinned_traces(self) -> tuple[Any, ...]:
        """The pale copy, for who makes room for it on an axis."""
        traces: Any = super().data
        return () if self._own is None else traces[self._own :]

    @property
    def can_pin(self) -> bool:
        """Whether there is anything that could be pinned."""
        return any(trace.type in ("scatter", "bar") for trace in self.data)

    @contextmanager
    def own_traces(self) -> Iterator[None]:
        """A block, of this thread alone, in which `data` holds no pinned traces: who draws need not know of them."""
        before, self._only_own.on = getattr(self._only_own, "on", False), True
        try:
            yield
        finally:
            self._only_own.on = before

    def pin(self) -> None:
        """Keep a pale copy of the curves as they are; a copy from before is replaced."""
        self.unpin()
        self.pin_traces([trace.to_plotly_json() for trace in self.data if _counts(trace)])

    def pin_traces(self, traces: Sequence[dict], named: bool = False) -> None:
        """Show these traces pale, in the place of what was pinned before; no traces take it away.

        named: they are the only ones to be seen, and the legend names them.
        """
        self.unpin()
        if traces:
            own = len(self.data)
            self.add_traces([_pale(trace, named) for trace in traces])
            self._own = own

    def unpin(self) -> None:
        """Take the pale copy away; without one nothing."""
        if self._own is not None:
            own, self._own = self._own, None
            self.data = self.data[:own]


def _counts(trace: Any) -> bool:
    seen = trace.visible is not False and trace.opacity != 0.0
    return trace.type in ("scatter", "bar") and seen and trace.y is not None and len(trace.y) > 0


def _pale(trace: dict, named: bool) -> dict:
    """A copy of a trace that steps back and says nothing when pointed at; by its name it is an entry of the legend."""
    kept = {name: value for name, value in trace.items() if name not in ("uid", "hovertemplate", "legendgroup")}
    quiet = {"name": say("{curve}, pinned", curve=trace.get("name") or say("curve"))}
    quiet |= {"showlegend": False} if trace["type"] in ("scatter", "bar") else {}
    told = {} if named and trace.get("name") else quiet
    return {**kept, **told, "opacity": PALE, "hoverinfo": "skip"}
