"""A clock that stands while its thread compiles loops: what work takes once everything is there.

A loop is compiled at its first call, and where numba's cache does not have it that takes a second or more. The first
batch of a rule would take the compiler's time, not the rule's.
"""

import threading
from time import perf_counter


class Compiling(threading.local):
    """How long this thread has compiled so far; `compiling` has numba tell it when that begins and ends.

    It lives here and not beside numba, so that asking needs no module which another thread may still be importing.
    """

    seconds = 0.0
    _depth = 0  # loops being compiled: one may need another
    _began = 0.0

    def begin(self) -> None:
        """A loop begins to compile."""
        if self._depth == 0:
            self._began = perf_counter()
        self._depth += 1

    def end(self) -> None:
        """A loop is compiled. One that began before anybody listened does not count."""
        if self._depth == 0:
            return
        self._depth -= 1
        if self._depth == 0:
            self.seconds += perf_counter() - self._began


COMPILING = Compiling()


def working_time() -> float:
    """Seconds, of which only differences within a thread mean anything: `perf_counter` less what compiling took."""
    return perf_counter() - COMPILING.seconds
