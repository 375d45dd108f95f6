"""`History`: the states that a panel had, to go back through."""

import time
from collections.abc import Callable, Mapping
from typing import Any

State = Mapping[str, Any]
STROKE = 1.0  # seconds: changes of one control that follow one another faster are one step back
LONGEST = 100  # steps back that are kept


class History:
    """The states before the present one. A drag of a slider is one step, however many values it went through."""

    def __init__(self, state: State, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._past: list[State] = []
        self._now, self._at, self._moved = state, clock(), frozenset()

    def __len__(self) -> int:
        return len(self._past)

    def note(self, state: State) -> None:
        """The panel has come to `state`."""
        moved = frozenset(name for name, value in state.items() if value != self._now[name])
        if not moved:
            return
        now = self._clock()
        if not (self._past and moved == self._moved and now - self._at < STROKE):
            self._past = [*self._past[-LONGEST + 1 :], self._now]
        self._now, self._at, self._moved = state, now, moved

    def back(self) -> State | None:
        """The state before, None at the beginning."""
        if not self._past:
            return None
        self._now, self._moved = self._past.pop(), frozenset()
        return self._now
