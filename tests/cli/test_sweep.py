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


SPEC = 'experiment = "tiny"\nseeds = 2\nepochs = 1\n'


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text(SPEC)
    return path.name


def test_a_file_becomes_cells_and_a_comparison(spec, capsys, tmp_path):
    assert main(["sweep", spec]) == 0
    out, err = capsys.readouterr()
    assert "4/4 tiny, rule bptt, seed 1, epochs 1: accuracy 0." in err
    assert [line.split()[1] for line in out.splitlines()[1:3]] == ["stllr", "bptt"]
    assert "less stllr" in out
    assert len(list((tmp_path / "runs" / "cells" / "tiny").glob("*.json"))) == 4


def test_cells_that_exist_are_not_trained_again(spec, capsys):
    command = ["sweep", spec, "--folder", "here", "--json"]
    assert main(command) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == (first, "")
    assert (first["cells"], first["folder"], first["failed"]) == (4, "here", [])
    assert [row["runs"] for row in first["rows"]] == [2, 2]


def test_processes_write_the_same_cells(spec, capsys, monkeypatch):
    """Their own processes know no tiny experiment: each cell fails there, is told, and the command says so."""
    assert main(["sweep", spec, "--processes", "2", "--json"]) == 1
    out, err = capsys.readouterr()
    failed = json.loads(out)["failed"]
    assert len(failed) == 4
    assert all("there is no experiment 'tiny'" in each["error"] for each in failed)
    assert "4/4 tiny" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["spec.toml", "--rules", "stllr"], "--rules is no option for a file; write it into spec.toml"),
        (["spec.toml", "--seeds", "1"], "--seeds is no option for a file"),
        (["spec.toml", "--resume"], "--resume is no option for a file"),
        (["none.toml"], "there is no file none.toml"),
        (["spec.toml", "--scheduler", "tcp://a:1", "--processes", "2"], "--processes is for this machine"),
        (["tiny", "--processes", "2"], "--processes is for a file of cells"),
        (["tiny", "--device", "cuda"], "--device is for a file of cells"),
    ],
)
def test_what_does_not_fit_is_refused(spec, capsys, words, message):
    pytest.importorskip("distributed", reason="the extra `sweep` is not installed")
    assert main(["sweep", *words]) == 1
    assert message in capsys.readouterr().err


def test_a_rule_that_there_is_not_is_wrong_usage(spec, capsys, tmp_path):
    (tmp_path / spec).write_text('experiment = "tiny"\nrules = ["bpt"]\n')
    assert main(["sweep", spec]) == USAGE
    assert "tiny has no rule 'bpt'; did you mean 'bptt'?" in capsys.readouterr().err
