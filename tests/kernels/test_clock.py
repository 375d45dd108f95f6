"""The clock of work: it stands while its thread compiles a loop, and goes on for all others."""

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest

from workbench.kernels import clock

numba = pytest.importorskip("numba")
pytest.importorskip("workbench.kernels.compiling")  # has numba tell the clock


def test_the_clock_of_work_stands_while_its_thread_compiles(monkeypatch):
    """Time that goes by one second each time that somebody asks."""
    ticks = itertools.count()
    monkeypatch.setattr(clock, "perf_counter", lambda: float(next(ticks)))

    def took(work) -> float:
        began = clock.working_time()
        work()
        return clock.working_time() - began

    loop = numba.njit(lambda n: n + 1)
    nothing = took(lambda: None)
    first, second = took(lambda: loop(1)), took(lambda: loop(1))
    assert next(ticks) == 8  # two questions for each, and two of the compiler
    assert first == second + 1.0 == nothing + 1.0  # the compiler asked twice, and one second lay between
    other = numba.njit(lambda n: n + 2)
    with ThreadPoolExecutor(1) as thread:
        assert took(lambda: thread.submit(other, 1).result()) == nothing + 2.0  # another thread's compiling is not ours


def test_a_loop_that_began_before_anybody_listened_does_not_count():
    """Numba may be compiling in a thread while this one imports what listens."""
    compiling = clock.Compiling()
    compiling.end()
    assert compiling.seconds == 0.0
    compiling.begin()
    compiling.begin()  # a loop that the first one needs
    compiling.end()
    assert compiling.seconds == 0.0
    compiling.end()
    assert compiling.seconds > 0.0


def test_the_clock_can_be_read_while_another_thread_imports_the_loops(monkeypatch):
    """The module is listed from the beginning of its import, when none of its names is there yet."""
    half_imported = ModuleType("workbench.kernels.compiling")
    monkeypatch.setitem(sys.modules, half_imported.__name__, half_imported)
    assert clock.working_time() <= clock.working_time()
