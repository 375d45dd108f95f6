"""Sweeps in this process and in several: whole files, no cell twice, equal numbers."""

from functools import partial

import pytest
from tiny import TINY
from tiny_cells import CELLS, UNSTEADY, dying, train

from workbench.experiments import named
from workbench.sweeps.cell import cell_path, numbers, read_cells
from workbench.sweeps.engine import TRIES, Done, missing, processes, serial, sweep


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(named, "EXPERIMENTS", {"tiny": TINY})


class Killed(BaseException):
    """Ends a sweep where it stands."""


def test_a_sweep_that_is_killed_goes_on_where_it_was(tmp_path):
    seen = []

    def kill(done, number, of):
        seen.append(done.cell)
        if number == 2:
            raise Killed

    with pytest.raises(Killed):
        sweep(CELLS, tmp_path, tell=kill)
    assert missing(CELLS, tmp_path) == CELLS[2:]
    resumed = sweep(CELLS, tmp_path, tell=lambda done, *_: seen.append(done.cell))
    assert seen == CELLS
    whole = sweep(CELLS, tmp_path / "whole")
    assert [numbers(done.found) for done in resumed] == [numbers(done.found) for done in whole]
    assert [done.cell for done in whole] == CELLS


def test_a_cell_that_exists_is_read_and_not_run_again(tmp_path):
    first = sweep(CELLS[:1], tmp_path)
    path = cell_path(tmp_path, CELLS[0])
    path.write_text(path.read_text().replace('"threads"', '"were"'))
    again = sweep(CELLS[:1], tmp_path, engine=lambda cells, train: iter(list(map(pytest.fail, cells))))
    assert "were" in again[0].found["made"]
    assert numbers(again[0].found) == numbers(first[0].found)


def test_a_cell_that_fails_does_not_stop_the_others(tmp_path):
    def broken(cell):
        if cell == UNSTEADY:
            raise FloatingPointError("training diverged")
        return train(cell)

    done = list(serial(CELLS, broken))
    assert [each.error for each in done] == ["", "FloatingPointError: training diverged", "", ""]
    found = sweep(CELLS, tmp_path, engine=lambda cells, _: iter(done))
    assert found[1].found is None
    assert missing(CELLS, tmp_path) == [UNSTEADY]
    assert len(list(read_cells(tmp_path))) == 3


def test_processes_give_the_numbers_of_one_and_outlive_a_death(tmp_path):
    one = {done.cell: numbers(done.found) for done in serial(CELLS, train)}
    several = list(processes(2)(CELLS, partial(dying, folder=str(tmp_path))))
    assert (tmp_path / "taken").exists()
    assert {done.cell: numbers(done.found) for done in several} == one


def test_a_cell_that_kills_every_process_is_given_up():
    done = list(processes(1)(CELLS[:1], die))
    assert done == [Done(CELLS[0], None, f"its process died {TRIES} times; look for what ends it, such as memory")]


def die(cell):
    import os

    os._exit(9)
