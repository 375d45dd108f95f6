"""A gate that runs wait at until the test lets them pass, and waiting that says what it waited for: for tests only."""

import inspect
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

PATIENCE = 120.0  # seconds; only a test that fails waits so long


class Closed(Exception):
    """Raised in a run that comes to a gate after the end of its test."""


class Gate:
    """Holds every run, a thread of its own, before each step until the test lets it pass.

    A run that stands at the gate has done all that comes before. `told` gives more words for a failure.

    >>> panel = make(gate.before(rule))
    >>> panel.start()
    >>> gate.pass_(2)     # two steps are done, and the run stands before the third
    >>> gate.open()       # nothing holds it any more
    """

    def __init__(self, runs: int = 1, seconds: float = PATIENCE) -> None:
        self.runs, self.seconds = runs, seconds
        self.told: Callable[[], object] = lambda: "nothing more is known"
        self.passed = 0
        self._moved = threading.Condition()
        self._leave: dict[threading.Thread, int] = {}  # how many steps each run may still make
        self._standing: set[threading.Thread] = set()
        self._open = self._closed = False

    # What the run does.

    def wait(self) -> None:
        """Stand here until the test lets this thread pass."""
        me = threading.current_thread()
        with self._moved:
            if not self._leave.setdefault(me, 0):
                self._standing.add(me)
                self._moved.notify_all()
                patience = 2 * self.seconds  # the test's own waiting ends first
                let = self._moved.wait_for(lambda: self._open or self._closed or self._leave[me], patience)
                self._standing.discard(me)
                assert let, f"nobody opens the gate: {self}"
            if self._closed:
                raise Closed
            self._leave[me] = max(self._leave[me] - 1, 0)
            self.passed += 1

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, that waits at the gate before it begins."""

        def held(*arguments: Any, **options: Any) -> Any:
            self.wait()
            return function(*arguments, **options)

        return held

    def records(self, records: Iterable[Any]) -> Iterator[Any]:
        """The same records, with a wait at the gate before each."""
        for record in records:
            self.wait()
            yield record

    # What the test does.

    def arrive(self) -> None:
        """Return when all runs stand at the gate."""
        with self._moved:
            end = time.monotonic() + self.seconds
            while len(self._standing) < self.runs:
                lost = len(self._leave) >= self.runs > sum(thread.is_alive() for thread in self._leave)
                if lost or time.monotonic() > end:
                    pytest.fail(f"{'a run ended' if lost else f'{self.seconds:g} s went by'} while waiting for {self}")
                self._moved.wait(1.0)  # looks at the threads now and then; whoever arrives notifies at once

    def pass_(self, steps: int = 1) -> None:
        """Let all runs make so many steps, and return when they stand at the gate again."""
        self.let(steps)
        self.arrive()

    def let(self, steps: int = 1) -> None:
        """Let all runs make so many steps, as soon as they stand here, and do not wait until they come again."""
        self.arrive()
        with self._moved:
            for thread in self._standing:
                self._leave[thread] = steps
            self._standing.clear()
            self._moved.notify_all()

    def open(self) -> None:
        """Hold nobody any more."""
        with self._moved:
            self._open = True
            self._standing.clear()
            self._moved.notify_all()

    def close(self) -> None:
        """End every run that stands at the gate, and every one that comes to it later."""
        with self._moved:
            ended, self._closed = list(self._standing), True
            self._moved.notify_all()
        for thread in ended:
            thread.join(self.seconds)

    @property
    def standing(self) -> int:
        """How many runs stand at the gate now."""
        return len(self._standing)

    def __repr__(self) -> str:
        alive = sum(thread.is_alive() for thread in self._leave)
        return (
            f"{self.runs} runs at the gate: {self.standing} stand there, {alive} of {len(self._leave)} that ever came "
            f"still run, {self.passed} steps were let through; {self.told()}"
        )


class Door:
    """A lock in the place of another, that tells whoever is inside how many have come to it so far."""

    def __init__(self, lock: Any) -> None:
        self._lock, self._came = lock, 0
        self._moved = threading.Condition()

    def __enter__(self) -> None:
        with self._moved:
            self._came += 1
            self._moved.notify_all()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def wait_for(self, number: int) -> None:
        """Return when so many have come, those inside counted too."""
        with self._moved:
            if not self._moved.wait_for(lambda: self._came >= number, PATIENCE):
                pytest.fail(f"{self._came} came to the lock in {PATIENCE:g} s, {number} were waited for")


def wait_for(condition: Callable[[], Any], what: str = "", seconds: float = PATIENCE) -> None:
    """Return when `condition()` holds, for what sends no event: another process, a browser.

    Fails after `seconds` with `what` was waited for (the condition's own text when empty) and its last value.
    """
    end = time.monotonic() + seconds
    pause = threading.Event()  # never set: between two looks
    while not (value := condition()):
        if time.monotonic() > end:
            pytest.fail(
                f"waited {seconds:g} s for {what or inspect.getsource(condition).strip()}; last seen: {value!r}"
            )
        pause.wait(0.01)
