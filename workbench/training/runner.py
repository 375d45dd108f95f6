"""Runs a training generator in a thread, so that the one who looks on keeps every control alive."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Generic, TypeVar

from workbench.background import stand_behind, start_thread

R = TypeVar("R")


class RunState(Enum):
    """Where a run stands."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"


ACTIVE = (RunState.RUNNING, RunState.PAUSED)  # states in which a run can still give records
_PREPARING = threading.Lock()  # who was stopped while others prepared does not prepare any more


class Runner(Generic[R]):
    """Start, pause, resume and stop a generator of records that runs in a daemon thread.

    The thread yields to whoever else wants the processor: sliders stay quick, also those of other people on a server.

    `make` is called in the thread and returns the generator, so that slow preparation does not block either. Records
    are fetched by `drain`; an error of the run is kept in `error` and also raised by `join`.
    """

    def __init__(self, make: Callable[[], Iterator[R]]):
        self._make = make
        self._records: deque[R] = deque()
        self._changed = threading.Condition()  # held to change what follows, notified after it
        self._stopping = self._held = self._once = False
        self._thread: threading.Thread | None = None
        self.state = RunState.IDLE
        self.error: BaseException | None = None

    def start(self, paused: bool = False) -> None:
        """Start the run, or only its first record and then hold; a runner runs once."""
        if self._thread is not None:
            raise ValueError("this run was started before; make a new Runner for another run")
        self.state = RunState.PAUSED if paused else RunState.RUNNING
        self._thread = start_thread(self._work, self.stop, "run")

    def pause(self) -> None:
        """Hold after the current record; `held` tells when that point is reached, and `wait` waits for it."""
        with self._changed:
            if self.state is RunState.RUNNING:
                self.state = RunState.PAUSED

    @property
    def held(self) -> bool:
        """Whether the thread has reached the pause: no record comes until `resume` or `stop`."""
        return self._held

    def resume(self) -> None:
        """Go on after `pause`."""
        with self._changed:
            if self.state is RunState.PAUSED:
                self.state, self._held = RunState.RUNNING, False
                self._changed.notify_all()

    def step(self) -> None:
        """While paused: let exactly one more record come, and hold again."""
        with self._changed:
            if self._held:
                self._once, self._held = True, False
                self._changed.notify_all()

    def stop(self) -> None:
        """End the run after the current record."""
        with self._changed:
            self._stopping, self._held = True, False
            self._changed.notify_all()

    def drain(self) -> list[R]:
        """The records since the last call, oldest first."""
        return [self._records.popleft() for _ in range(len(self._records))]

    def wait(self, timeout: float | None = None) -> RunState:
        """Wait until no record comes by itself: the run has reached its pause, or has ended, or was never started.

        Gives where it stands; raises TimeoutError when it still goes on after `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._held or self.state not in ACTIVE, timeout):
                raise TimeoutError(f"the run is still {self.state.value} after {timeout} s")
            return self.state

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
            stand_behind()
            with _PREPARING:
                records = iter(()) if self._stopping else self._make()
            for record in records:
                self._records.append(record)
                if self._hold():
                    break
            self._end(RunState.STOPPED if self._stopping else RunState.FINISHED)
        except BaseException as error:
            self.error = error
            self._end(RunState.FAILED)

    def _hold(self) -> bool:
        """Wait here while paused; whether the run was told to stop."""
        with self._changed:
            while self.state is RunState.PAUSED and not self._stopping and not self._once:
                self._held = True
                self._changed.notify_all()
                self._changed.wait()
            self._once = False
            return self._stopping

    def _end(self, state: RunState) -> None:
        with self._changed:
            self.state = state
            self._changed.notify_all()
