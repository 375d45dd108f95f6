"""Runs a training generator in a thread, so that the one who looks on keeps every control alive."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Generic, TypeVar

R = TypeVar("R")


class RunState(Enum):
    """Where a run stands."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"


class Runner(Generic[R]):
    """Start, pause, resume and stop a generator of records that runs in a daemon thread.

    `make` is called in the thread and returns the generator, so that slow preparation does not block either. Records
    are fetched by `drain`; an error of the run is kept in `error` and also raised by `join`.
    """

    def __init__(self, make: Callable[[], Iterator[R]]):
        self._make = make
        self._records: deque[R] = deque()
        self._go = threading.Event()
        self._stop = threading.Event()
        self._held = threading.Event()
        self._thread: threading.Thread | None = None
        self.state = RunState.IDLE
        self.error: BaseException | None = None

    def start(self) -> None:
        """Start the run; a runner runs once."""
        if self._thread is not None:
            raise ValueError("this run was started before; make a new Runner for another run")
        self.state = RunState.RUNNING
        self._go.set()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Hold after the current record; `held` tells when that point is reached."""
        if self.state is RunState.RUNNING:
            self.state = RunState.PAUSED
            self._go.clear()

    @property
    def held(self) -> bool:
        """Whether the thread has reached the pause: no record comes until `resume` or `stop`."""
        return self._held.is_set()

    def resume(self) -> None:
        """Go on after `pause`."""
        if self.state is RunState.PAUSED:
            self.state = RunState.RUNNING
            self._go.set()

    def stop(self) -> None:
        """End the run after the current record."""
        self._stop.set()
        self._go.set()

    def drain(self) -> list[R]:
        """The records since the last call, oldest first."""
        return [self._records.popleft() for _ in range(len(self._records))]

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end; raise the run's error, or TimeoutError when it still runs after `timeout` seconds."""
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                raise TimeoutError(f"the run is still {self.state.value} after {timeout} s")
        if self.error is not None:
            raise self.error

    def _work(self) -> None:
        try:
            for record in self._make():
                self._records.append(record)
                self._hold()
                if self._stop.is_set():
                    break
            self.state = RunState.STOPPED if self._stop.is_set() else RunState.FINISHED
        except BaseException as error:
            self.error, self.state = error, RunState.FAILED

    def _hold(self) -> None:
        """Wait here while paused."""
        if not self._go.is_set():
            self._held.set()
            self._go.wait()
            self._held.clear()
