"""One cell: what its file says, where it lies, and that two runs agree."""

import json

import pytest
import torch
from few_images import few_images
from tiny import TINY
from tiny_streams import HEADS

from workbench.experiments import named, prepare
from workbench.experiments.experiment import Experiment
from workbench.experiments.lls import BLOCK_RULES
from workbench.sweeps.cell import (
    Cell,
    cell_path,
    check_cell,
    numbers,
    read_cell,
    read_cells,
    run_cell,
    settings_hash,
    write_cell,
    written,
)
from workbench.training import Plan, train

FEW = Experiment("few", "few images", BLOCK_RULES, 2, few_images)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(named, "EXPERIMENTS", {"tiny": TINY, "heads": HEADS, "few": FEW})


def test_a_cell_says_what_a_run_says():
    found = run_cell(Cell("tiny", "stllr", 3))
    records = list(train(prepare(TINY, "stllr", 3), Plan(2, 3)))
    assert [point["score"] for point in found["curve"]] == [
        round(r.held_out_score, 4) for r in records if r.held_out_score is not None
    ]
    assert found["cell"] == Cell("tiny", "stllr", 3, 2)._asdict()
    assert found["score"] == {"name": "accuracy", "value": records[-1].totals(TINY.score)["accuracy"]}
    assert found["totals"]["saved_bytes"] == records[-1].saved_bytes
    assert "matrix" not in found


def test_a_stream_brings_its_matrix():
    told = []
    found = run_cell(Cell("heads", "gpm", 0, 1, tasks=2), tell=lambda cell, point: told.append(point))
    A = found["matrix"]
    assert [len(row) for row in A] == [2, 2]
    assert found["score"]["value"] == pytest.approx(sum(A[-1]) / 2, abs=1e-4)
    assert len(found["untrained"]) == 2
    assert told == found["curve"]
    assert len(told) == 2


def test_products_are_counted_per_sample():
    """One dense block network, by hand: forward, error and weights of three maps of bp."""
    found = run_cell(Cell("few", "bp", 0, 1))
    lls = run_cell(Cell("few", "lls", 0, 1))
    assert 0 < lls["macs"] < found["macs"]


def test_two_runs_agree_in_all_but_time():
    one, other = (run_cell(Cell("tiny", "bptt", 1)) for _ in range(2))
    assert numbers(one) == numbers(other)
    assert "seconds" not in numbers(one)["totals"]
    assert "seconds" not in numbers(one)["curve"][0]
    assert numbers(one) != numbers(run_cell(Cell("tiny", "bptt", 2)))


def test_torch_draws_on_as_if_nothing_had_been():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    run_cell(Cell("heads", "gpm", 0, 1, tasks=1))
    assert torch.equal(torch.rand(1), expected)


def test_a_file_is_found_by_its_settings(tmp_path):
    cell = check_cell(Cell("tiny", "stllr", 5))
    assert cell.epochs == 2
    assert cell_path(tmp_path, cell) == tmp_path / "tiny" / f"stllr-5-{settings_hash(cell)}.json"
    others = [cell._replace(epochs=3), cell._replace(per_class=2), cell._replace(learning_rate=0.1)]
    assert len({settings_hash(each) for each in [cell, *others]}) == 4
    assert settings_hash(cell._replace(seed=6)) == settings_hash(cell)
    assert cell_path(tmp_path, cell._replace(rule="own:RULE")).name.startswith("own.RULE-5-")


def test_what_is_written_is_read_again(tmp_path):
    found = run_cell(Cell("heads", "gpm", 0, 1, tasks=2))
    path = write_cell(tmp_path, found)
    assert read_cell(path) == json.loads(written(found)) == json.loads(json.dumps(found))
    assert list(read_cells(tmp_path)) == [read_cell(path)]
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert path.read_text().count("\n") < 25


@pytest.mark.parametrize("text", ["{", "{}", '{"format": 0}', "[]"])
def test_half_a_file_is_refused_with_its_place(tmp_path, text):
    path = tmp_path / "cell.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"cell\.json is no whole result of a sweep .*delete it"):
        read_cell(path)


def test_a_file_that_was_changed_is_refused(tmp_path):
    path = write_cell(tmp_path, run_cell(Cell("tiny", "stllr", 0, 1)))
    path.write_text(path.read_text().replace('"epochs": 1', '"epochs": 9'))
    with pytest.raises(ValueError, match="no whole result"):
        read_cell(path)


def test_what_there_is_not_is_refused():
    with pytest.raises(ValueError, match="there is no experiment 'tyni'"):
        check_cell(Cell("tyni", "stllr"))
    with pytest.raises(ValueError, match="tiny has no rule 'bpt'"):
        check_cell(Cell("tiny", "bpt"))
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        check_cell(Cell("tiny", "bptt", epochs=0))
    with pytest.raises(ValueError, match="tiny is one task, got tasks = 1"):
        check_cell(Cell("tiny", "bptt", tasks=1))
    with pytest.raises(ValueError, match="heads has 1 to 5 tasks, got tasks = 9"):
        check_cell(Cell("heads", "gpm", tasks=9))


def test_a_cell_in_words():
    assert Cell("sound", "stllr", 1, 3, per_class=5).words == "sound, rule stllr, seed 1, epochs 3, per class 5"


def test_other_rates_and_fewer_samples_are_taken():
    usual = run_cell(Cell("tiny", "stllr", 0, 1))
    slow = run_cell(Cell("tiny", "stllr", 0, 1, learning_rate=1e-6))
    few = run_cell(Cell("tiny", "stllr", 0, 1, per_class=2))
    assert len({found["curve"][0]["loss"] for found in (usual, slow, few)}) == 3
