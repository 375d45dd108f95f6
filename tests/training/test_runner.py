"""The background runner: every control works while the run goes on, and errors reach the one who started it."""

import itertools
import os
import sys
import threading

import pytest
from gate import PATIENCE

from workbench.background import BEHIND
from workbench.training.runner import Runner, RunState


@pytest.fixture
def counting(gate):
    """A run that counts without end, one number at each pass of the gate."""
    runner = Runner(lambda: gate.records(itertools.count()))
    gate.told = lambda: f"the run is {runner.state.value}, its error {runner.error!r}"
    return runner


def test_runs_to_the_end_and_gives_every_record_once():
    runner = Runner(lambda: iter(range(100)))
    runner.start()
    runner.join(60)
    assert runner.state is RunState.FINISHED
    assert runner.drain() == list(range(100))
    assert runner.drain() == []


def test_pause_resume_stop(counting, gate):
    counting.start()
    gate.pass_(2)
    assert counting.drain() == [0, 1]
    assert not counting.held
    counting.pause()
    assert counting.state is RunState.PAUSED
    gate.let(3)  # more than it may use
    assert counting.wait(60) is RunState.PAUSED
    assert counting.held
    assert counting.drain() == [2]
    counting.resume()
    assert not counting.held
    gate.arrive()
    assert counting.drain() == [3, 4]
    counting.stop()
    gate.let(9)
    counting.join(60)
    assert counting.state is RunState.STOPPED
    assert counting.drain() == [5]


def test_stop_while_paused(counting, gate):
    counting.start()
    counting.pause()
    gate.let(9)
    counting.wait(60)
    counting.stop()
    counting.join(60)
    assert counting.state is RunState.STOPPED
    assert counting.drain() == [0]


def test_pause_before_the_first_record_then_stop(counting, gate):
    counting.start()
    gate.arrive()
    counting.pause()
    counting.stop()
    gate.let(9)
    counting.join(60)
    assert counting.state is RunState.STOPPED
    assert counting.drain() == [0]


def test_a_run_that_has_ended_stays_so():
    """A click that comes with the last record changes nothing: it would be a pause without end."""
    runner = Runner(lambda: iter(range(3)))
    assert runner.wait() is RunState.IDLE
    runner.start()
    assert runner.wait(60) is RunState.FINISHED
    for late in (runner.pause, runner.resume, runner.stop, runner.pause):
        late()
        assert runner.wait(60) is RunState.FINISHED
    assert not runner.held


def test_error_reaches_the_starter():
    def fails():
        yield 1
        raise FloatingPointError("hidden.0 diverged")

    runner = Runner(fails)
    runner.start()
    with pytest.raises(FloatingPointError, match=r"hidden\.0"):
        runner.join(60)
    assert runner.state is RunState.FAILED
    assert runner.drain() == [1]


def test_preparation_runs_in_the_thread_and_the_generator_is_closed(gate):
    seen, closed = [], threading.Event()

    def make():
        seen.append(threading.current_thread())
        try:
            yield from gate.records(itertools.count())
        finally:
            closed.set()

    runner = Runner(make)
    runner.start()
    gate.pass_(1)
    runner.stop()
    gate.let(1)
    runner.join(60)
    assert seen[0] is not threading.main_thread()
    assert closed.is_set()


def test_who_is_stopped_while_another_prepares_does_not_prepare():
    """Twenty quick starts: each run but the last is stopped before it is its turn."""
    begun, go, prepared = threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        assert go.wait(60)
        return iter([1])

    first = Runner(slow)
    first.start()
    assert begun.wait(60)
    quick = [Runner(lambda number=number: iter([prepared.append(number)])) for number in range(20)]
    for runner in quick:
        runner.start()
    for runner in quick[:-1]:
        runner.stop()
    go.set()
    for runner in (first, *quick):
        runner.join(60)
    assert prepared == [19]
    assert [runner.state for runner in quick] == 19 * [RunState.STOPPED] + [RunState.FINISHED]


def test_a_runner_runs_once_and_waiting_ends(counting, gate):
    counting.start()
    gate.arrive()
    with pytest.raises(ValueError, match="started before"):
        counting.start()
    for waiting in (counting.join, counting.wait):
        with pytest.raises(TimeoutError, match=r"still running after 0\.01 s"):
            waiting(0.01)
    counting.stop()
    gate.open()
    counting.join(60)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux only")
def test_a_run_and_what_it_starts_yield_to_others_and_nobody_else_does():
    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def records():
        yield nice()
        found = []
        thread = threading.Thread(target=lambda: found.append(nice()))
        thread.start()
        thread.join()
        yield found[0]

    before = nice()
    runner = Runner(records)
    runner.start()
    runner.join(60)
    assert runner.drain() == [max(BEHIND, before)] * 2
    assert nice() == before < BEHIND


def test_step_by_step(gate):
    runner = Runner(lambda: gate.records(range(5)))
    gate.open()
    runner.start(paused=True)
    runner.wait(PATIENCE)
    assert runner.state is RunState.PAUSED
    assert runner.drain() == [0]
    for record in (1, 2):
        runner.step()
        runner.wait(PATIENCE)
        assert runner.held
        assert runner.drain() == [record]
    runner.resume()
    runner.join(PATIENCE)
    assert runner.drain() == [3, 4]
    runner.step()  # nothing is held any more
    assert runner.state is RunState.FINISHED


def test_the_last_step_ends_the_run():
    runner = Runner(lambda: iter(range(2)))
    runner.start(paused=True)
    runner.wait(PATIENCE)
    runner.step()
    runner.wait(PATIENCE)
    runner.step()
    assert runner.wait(PATIENCE) is RunState.FINISHED
    assert runner.drain() == [0, 1]
