"""Runs side by side: no record is lost, and waiting ends."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest
from gate import PATIENCE

import widgets.frame.race as race_module
from widgets.frame.race import Race
from workbench.serving import SERVED
from workbench.training.runner import RunState


def test_no_record_is_lost_and_none_comes_twice():
    race = Race([lambda: iter(range(3000))] * 2, lambda: None)
    while race.collect():  # two threads look, as fast as they can
        pass
    race.wait(PATIENCE)
    assert race.records == [list(range(3000))] * 2


def test_at_most_ten_looks_a_second():
    """Each look lets the next record through, so that there is news whenever the race looks."""
    looks, looked = [], threading.Semaphore()

    def records():
        for step in range(5):
            assert looked.acquire(timeout=PATIENCE), "nobody looks any more"
            yield step

    race = Race([records], lambda: (looks.append(time.monotonic()), looked.release()))
    race._collector.join(PATIENCE)
    assert race.records == [list(range(5))]
    assert len(looks) >= 5
    assert min(np.diff(looks)) > 0.09


def test_stop_while_the_race_looks_on(gate):
    """What comes after the stop is not collected any more, whoever asks."""
    race = Race([lambda: gate.records(range(5))], lambda: None)
    gate.pass_(2)
    assert race.collect()
    race.stop()
    gate.open()
    race.wait(PATIENCE)
    assert not race.collect()
    assert race.records == [[0, 1]]
    assert race.states == [RunState.STOPPED]


def test_waiting_for_a_race_ends(gate):
    race = Race([lambda: gate.records(range(5))], lambda: None)
    gate.arrive()
    with pytest.raises(TimeoutError, match="still running"):
        race.wait(0.01)
    gate.open()
    race.wait(PATIENCE)
    assert race.records == [list(range(5))]


def test_a_race_that_goes_step_by_step():
    race = Race([lambda: iter(range(5))] * 2, lambda: None, paused=True)
    race.wait(PATIENCE)
    race.step()
    race.wait(PATIENCE)
    assert race.records == [[0, 1]] * 2
    assert race.states == [RunState.PAUSED] * 2
    race.toggle_pause()
    race.wait(PATIENCE)
    assert race.records == [list(range(5))] * 2


class Loop:
    """Garbage that only the collector finds, as large networks are."""

    def __init__(self):
        self.itself = self


def test_the_memory_of_a_page_is_free_again_when_its_race_is_over(monkeypatch):
    """Others on the same machine want it; what a run left behind waits for no later collection."""
    monkeypatch.setenv(SERVED, "1")
    left, given = [], []
    monkeypatch.setattr(race_module, "give_back_memory", lambda: given.append([each() for each in left]))

    def run():
        left.append(weakref.ref(Loop()))
        yield 1

    gc.disable()
    try:
        race = Race([run, run], lambda: None)
        race.wait(PATIENCE)
        assert given == [[None, None]]
    finally:
        gc.enable()
    known = weakref.ref(race)
    del race
    gc.collect()
    assert known() is None
