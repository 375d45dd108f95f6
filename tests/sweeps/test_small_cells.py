"""One small cell for every rule and method is trained again: other numbers mean that a rule computes another thing.

Processors round otherwise, and spikes turn rounding into a sample more or less, so that numbers agree closely only.
"""

import gc
import weakref
from pathlib import Path

import pytest

import workbench.meters.kept as meter
from workbench.experiments import LLS_FASHION, SOUND, SPLIT_FASHION
from workbench.sweeps.cell import Cell, cell_path, read_cell, read_cells, run_cell
from workbench.sweeps.spec import read_spec

RESULTS = Path(__file__).resolve().parents[2] / "results"
pytestmark = pytest.mark.usefixtures("unchecked")
SMALL = list(read_cells(RESULTS / "small"))


@pytest.mark.parametrize("kept", SMALL, ids=lambda kept: f"{kept['cell']['experiment']}-{kept['cell']['rule']}")
def test_a_cell_gives_its_numbers_again(kept, monkeypatch):
    saved = weakref.WeakSet()
    monkeypatch.setattr(meter, "Held", lambda tensor, make=meter.Held: saved.add(each := make(tensor)) or each)
    found = run_cell(Cell(**kept["cell"]))
    assert found["curve"][-1]["loss"] == pytest.approx(kept["curve"][-1]["loss"], rel=0.01, abs=0.005)
    assert found["score"]["value"] == pytest.approx(kept["score"]["value"], abs=0.03)
    assert found["macs"] == pytest.approx(kept["macs"], rel=0.05)
    for row, before in zip(found.get("matrix", []), kept.get("matrix", []), strict=True):
        assert row == pytest.approx(before, abs=0.03)
    gc.collect()
    assert not saved, "graphs of batches that are over"


def test_every_rule_and_method_has_one():
    expected = {(e.name, rule) for e in (SOUND, LLS_FASHION, SPLIT_FASHION) for rule in e.rules}
    assert {(kept["cell"]["experiment"], kept["cell"]["rule"]) for kept in SMALL} == expected


@pytest.mark.parametrize("path", sorted((RESULTS / "specs").glob("*.toml")), ids=lambda path: path.stem)
def test_every_file_of_cells_can_be_read(path):
    assert len(read_spec(path)) >= 5


def test_kept_cells_are_whole_and_lie_in_their_place():
    for folder in (RESULTS / "cells", RESULTS / "small"):
        for path in folder.rglob("*.json"):
            assert cell_path(folder, Cell(**read_cell(path)["cell"])) == path
