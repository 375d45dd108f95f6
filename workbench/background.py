"""Threads that end before the interpreter does.

A daemon thread that is inside compiled code when the interpreter ends takes the process down with it (SIGABRT,
"terminate called without an active exception"). Threads that are started here are told to stop and waited for.
"""

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 5.0  # seconds that all threads together have to end
BEHIND: Final = 19  # nice value of long work: a seventieth of the share of whoever wants the processor at the same time
_stops: dict[threading.Thread, Callable[[], None]] = {}


def start_thread(work: Callable[[], None], stop: Callable[[], None], name: str) -> threading.Thread:
    """Run `work()` in a daemon thread; `stop()` is called at the end of the interpreter and has to make it end soon."""

    def run() -> None:
        try:
            work()
        finally:
            del _stops[thread]  # `stop` mostly belongs to what knows the thread, and neither would ever go

    thread = threading.Thread(target=run, name=name, daemon=True)
    _stops[thread] = stop
    thread.start()
    return thread


def stand_behind() -> None:
    """Let everybody else have the processor first: this thread, and those it starts, until they end (Linux).

    A nice value rises without a privilege and falls only with one, so nobody's thread but a worker's should call this.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(BEHIND, os.getpriority(os.PRIO_PROCESS, thread)))


@atexit.register
def end_threads() -> None:
    """Stop every thread of `start_thread` and wait for them, `PATIENCE` seconds at most."""
    threads = [(thread, stop) for thread, stop in list(_stops.items()) if thread.is_alive()]
    for _, stop in threads:
        stop()
    end = time.monotonic() + PATIENCE
    for thread, _ in threads:
        thread.join(max(end - time.monotonic(), 0.0))
