"""`workbench sweep`: several rules and seeds, carried on where it was ended."""

import json

import pytest
from tiny import TINY

from workbench.cli.main import USAGE, main
from workbench.experiments import named


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path):
    monkeypatch.setattr(named, "EXPERIMENTS", {"tiny": TINY})
    monkeypatch.chdir(tmp_path)


def test_each_rule_has_a_line_and_each_run_a_file(capsys, tmp_path):
    assert main(["sweep", "tiny", "--rules", "stllr", "bptt", "--seeds", "0", "1", "1"]) == 0
    out, err = capsys.readouterr()
    head, *lines = out.splitlines()
    assert head.split()[:2] == ["rule", "accuracy:"]
    assert [(line.split()[0], line.split()[-1]) for line in lines] == [("stllr", "2"), ("bptt", "2")]
    assert "4/4 tiny, rule bptt, seed 1" in err
    assert len(list((tmp_path / "runs").iterdir())) == 4


def test_finished_runs_are_not_trained_again(capsys):
    command = ["sweep", "tiny", "--rules", "stllr", "--json", "--resume"]
    assert main([*command, "--seeds", "0"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main([*command, "--seeds", "0", "1"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert second["runs"][0] == first["runs"][0]
    scores = [run["accuracy"] for run in second["runs"]]
    assert second["rules"]["stllr"]["mean"] == pytest.approx(sum(scores) / 2, abs=1e-4)
    assert second["rules"]["stllr"]["deviation"] == pytest.approx(abs(scores[0] - scores[1]) / 2**0.5, abs=1e-4)
    assert first["rules"]["stllr"]["deviation"] is None


def test_all_rules_are_looked_at_before_the_first_run(capsys, tmp_path):
    assert main(["sweep", "tiny", "--rules", "stllr", "bpt"]) == USAGE
    assert "tiny has no rule 'bpt'; did you mean 'bptt'?" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
