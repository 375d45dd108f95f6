"""Cells that are killed go on where they were, with the numbers of a run that was not; nothing of them is left over."""

import json

import pytest
from few_images import few_images
from tiny import TINY
from tiny_streams import HEADS

from workbench.experiments import named
from workbench.experiments.experiment import Experiment
from workbench.experiments.lls import BLOCK_RULES
from workbench.sweeps import halfway
from workbench.sweeps.cell import Cell, cell_path, halfway_of, numbers, run_cell
from workbench.sweeps.engine import sweep

FEW = Experiment("few", "few images", BLOCK_RULES, 3, few_images)
CELLS = [Cell("tiny", "stllr", 1, 3), Cell("few", "lls", 0, 3), Cell("heads", "gpm", 0, 2, tasks=3)]


class Killed(BaseException):
    """Ends a run where it stands."""


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(named, "EXPERIMENTS", {"tiny": TINY, "heads": HEADS, "few": FEW})


@pytest.fixture(params=[1, 3])
def every(request, monkeypatch):
    """Steps from one checkpoint to the next."""
    monkeypatch.setattr(halfway, "EVERY", request.param)
    return request.param


def killed_after(cell, folder, points):
    """Run a cell until it has so many points, and end it there; what it told."""
    told = []

    def tell(cell, point):
        told.append(point)
        if len(told) == points:
            raise Killed

    with pytest.raises(Killed):
        run_cell(cell, tell=tell, keep=folder)
    return told


@pytest.mark.parametrize("points", [1, 2])
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.experiment)
def test_a_killed_cell_has_the_numbers_of_one_that_was_not(cell, points, every, tmp_path):
    whole = numbers(run_cell(cell))
    killed_after(cell, tmp_path, points)
    told = []
    again = run_cell(cell, tell=lambda cell, point: told.append(point), keep=tmp_path)
    assert numbers(again) == whole
    if every == 1:
        assert len(told) <= len(whole["curve"]) - points + 1  # only what was not there, and the one it was killed at


def test_a_cell_that_was_trained_but_not_written_is_not_trained_again(tmp_path):
    cell = CELLS[0]
    first = run_cell(cell, keep=tmp_path)
    told = []
    assert numbers(run_cell(cell, tell=lambda *each: told.append(each), keep=tmp_path)) == numbers(first)
    assert len(told) == 1  # the last record, once more


def test_a_sweep_leaves_cells_and_nothing_else(tmp_path):
    killed_after(CELLS[0], tmp_path, 1)
    assert sorted(path.suffix for path in tmp_path.rglob("*.*")) != [".json"]
    done = sweep(CELLS, tmp_path, halfway=True)
    assert [each.error for each in done] == ["", "", ""]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == sorted(cell_path(tmp_path, cell) for cell in CELLS)
    assert [numbers(each.found) for each in done] == [numbers(run_cell(cell)) for cell in CELLS]


def damaged(keep):
    keep.checkpoint.write_bytes(keep.checkpoint.read_bytes()[:-7])


def with_a_broken_curve(keep):
    next(keep.checkpoint.parent.glob("*.curve")).write_text('{"steps": [1')


@pytest.mark.parametrize("spoil", [damaged, with_a_broken_curve])
def test_what_is_not_whole_is_begun_anew(spoil, tmp_path, monkeypatch):
    monkeypatch.setattr(halfway, "EVERY", 1)
    cell = CELLS[0]
    killed_after(cell, tmp_path, 2)
    spoil(halfway_of(cell, tmp_path))
    told = []
    found = run_cell(cell, tell=lambda cell, point: told.append(point), keep=tmp_path)
    assert numbers(found) == numbers(run_cell(cell))
    assert len(told) == 3


def test_what_another_machine_left_is_not_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setattr(halfway, "EVERY", 1)
    cell = CELLS[0]
    killed_after(cell, tmp_path, 2)
    monkeypatch.setattr("workbench.sweeps.cell.made_by", lambda device: dict.fromkeys(MADE, "other"))
    told = []
    run_cell(cell, tell=lambda cell, point: told.append(point), keep=tmp_path)
    assert len(told) == 3


MADE = ("device", "processor", "threads", "workbench", "torch", "python")


def test_a_cell_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def failing(setting, plan, path, *rest):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half")
        raise FloatingPointError("training diverged")
        yield

    monkeypatch.setattr(halfway, "train", failing)
    with pytest.raises(FloatingPointError):
        run_cell(CELLS[0], keep=tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_curve_is_kept_with_its_steps(tmp_path):
    keep = halfway_of(CELLS[0], tmp_path)
    keep.checkpoint.parent.mkdir(parents=True)
    keep.add({"epoch": 1}, 9)
    keep.add({"epoch": 2}, 19)
    (notes,) = keep.checkpoint.parent.glob("*.curve")
    assert json.loads(notes.read_text()) == {"steps": [9, 19], "curve": [{"epoch": 1}, {"epoch": 2}]}
