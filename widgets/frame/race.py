"""`Race`: training runs side by side in threads of their own, looked at ten times a second."""

import gc
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Generic

from workbench.background import start_thread
from workbench.meters import give_back_memory
from workbench.serving import is_served
from workbench.training.runner import ACTIVE, R, Runner, RunState

PERIOD = 0.1  # seconds between two looks


class Race(Generic[R]):
    """Runs in threads of their own, and one more thread that collects their records and calls `changed`.

    paused: hold all after their first record.
    Stop takes effect at once for the one who looks on: what the runs still do until the end of their batch is not
    collected any more.
    """

    def __init__(
        self, makes: Sequence[Callable[[], Iterator[R]]], changed: Callable[[], None], paused: bool = False
    ) -> None:
        self.runners = [Runner(make) for make in makes]
        self.records: list[list[R]] = [[] for _ in makes]
        self._changed = changed
        self._stopped, self._over = threading.Event(), threading.Event()
        self._looking = threading.Lock()
        for runner in self.runners:
            runner.start(paused)
        self._collector = start_thread(self._look_on, self.stop, "collect records")

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

    def step(self) -> None:
        """While all hold: let one more record of each come."""
        for runner in self.runners:
            runner.step()

    def stop(self) -> None:
        """End all runs after their present batch."""
        self._stopped.set()
        self._over.set()
        for runner in self.runners:
            runner.stop()

    def collect(self) -> bool:
        """Take the records that came since the last look, tell `changed` of them, and say whether a run still goes.

        The thread of the race does so ten times a second. Whoever calls it too sees at once all that came before; two
        looks never overlap.
        """
        with self._looking:
            if self._over.is_set():
                return False
            active = any(state in ACTIVE for state in self.states)  # asked first: what comes after it is drained below
            news = [runner.drain() for runner in self.runners]
            for records, new in zip(self.records, news, strict=True):
                records.extend(new)
            if any(news) or not active:
                self._changed()
            if not active:
                self._over.set()
            return active

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all runs hold at their pause or have ended, and `changed` was told of all that came before.

        Raises TimeoutError when a run still goes on after `timeout` seconds; errors of the runs stay in `runners`.
        """
        end = None if timeout is None else time.monotonic() + timeout
        for runner in self.runners:
            runner.wait(end and max(end - time.monotonic(), 0.0))
        if not self.collect():
            self._collector.join()

    def _look_on(self) -> None:
        while self.collect():
            self._over.wait(PERIOD)
        for runner in self.runners:
            with suppress(BaseException):  # it stays in `runner.error`
                runner.join()
        if is_served():  # the one who trained may only look from now on
            gc.collect()
        give_back_memory()
