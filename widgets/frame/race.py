"""`Race`: training runs side by side in threads of their own, looked at ten times a second."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic

from workbench.training.runner import R, Runner, RunState

PERIOD = 0.1  # seconds between two looks
ACTIVE = (RunState.RUNNING, RunState.PAUSED)


class Race(Generic[R]):
    """Runs in threads of their own, and one more thread that collects their records and calls `changed`.

    Stop takes effect at once for the one who looks on: what the runs still do until the end of their batch is not
    collected any more.
    """

    def __init__(self, makes: Sequence[Callable[[], Iterator[R]]], changed: Callable[[], None]) -> None:
        self.runners = [Runner(make) for make in makes]
        self.records: list[list[R]] = [[] for _ in makes]
        self._changed = changed
        self._stopped = threading.Event()
        for runner in self.runners:
            runner.start()
        self._collector = threading.Thread(target=self._collect, daemon=True)
        self._collector.start()

    @property
    def states(self) -> list[RunState]:
        """Where the runs stand; a run that was told to stop counts as stopped."""
        states = [runner.state for runner in self.runners]
        return [RunState.STOPPED if self._stopped.is_set() and state in ACTIVE else state for state in states]

    def toggle_pause(self) -> None:
        """Hold all runs after their present batch, or let them go on."""
        paused = RunState.PAUSED in self.states
        for runner in self.runners:
            (runner.resume if paused else runner.pause)()

    def stop(self) -> None:
        """End all runs after their present batch."""
        self._stopped.set()
        for runner in self.runners:
            runner.stop()

    def _collect(self) -> None:
        active = True
        while active and not self._stopped.is_set():
            active = any(state in ACTIVE for state in self.states)  # asked first: what comes after it is drained below
            news = [runner.drain() for runner in self.runners]
            for records, new in zip(self.records, news, strict=True):
                records.extend(new)
            if any(news) or not active:
                self._changed()
            self._stopped.wait(PERIOD)
