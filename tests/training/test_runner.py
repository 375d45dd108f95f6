"""The background runner: every control works while the run goes on, and errors reach the one who started it."""

import threading
import time

import pytest
from house import wait_for

from workbench.training.runner import Runner, RunState


def count(step=0.002):
    for i in range(1_000_000):
        time.sleep(step)
        yield i


def test_runs_to_the_end_and_gives_every_record_once():
    runner = Runner(lambda: iter(range(100)))
    runner.start()
    runner.join(60)
    assert runner.state is RunState.FINISHED
    assert runner.drain() == list(range(100))
    assert runner.drain() == []


def test_pause_resume_stop():
    runner = Runner(count)
    runner.start()
    wait_for(runner.drain)
    assert not runner.held
    runner.pause()
    wait_for(lambda: runner.held)
    runner.drain()
    time.sleep(0.1)
    assert runner.state is RunState.PAUSED
    assert runner.drain() == []
    runner.resume()
    wait_for(lambda: not runner.held)
    wait_for(runner.drain)
    runner.stop()
    runner.join(60)
    assert runner.state is RunState.STOPPED


def test_stop_while_paused():
    runner = Runner(count)
    runner.start()
    runner.pause()
    runner.stop()
    runner.join(60)
    assert runner.state is RunState.STOPPED


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


def test_preparation_runs_in_the_thread_and_the_generator_is_closed():
    seen, closed = [], threading.Event()

    def make():
        seen.append(threading.current_thread())
        try:
            yield from count()
        finally:
            closed.set()

    runner = Runner(make)
    runner.start()
    wait_for(runner.drain)
    runner.stop()
    runner.join(60)
    assert seen[0] is not threading.main_thread()
    assert closed.wait(60)


def test_a_runner_runs_once_and_waiting_ends():
    runner = Runner(count)
    runner.start()
    with pytest.raises(ValueError, match="started before"):
        runner.start()
    with pytest.raises(TimeoutError, match="still running"):
        runner.join(0.01)
    runner.stop()
    runner.join(60)
