"""`workbench bench`: one line each, or all as JSON."""

import json

from workbench.cli import bench
from workbench.cli.main import main


def test_results_and_how_far_it_is(monkeypatch, capsys):
    known = {name: lambda name=name: {"name": name, "peer": "another", "ratio": 2.345678} for name in ("one", "two")}
    monkeypatch.setattr(bench, "all_benchmarks", lambda: known)
    assert main(["bench"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["name=one  peer=another  ratio=2.346", "name=two  peer=another  ratio=2.346"]
    assert err.splitlines() == ["1/2 one ...", "2/2 two ..."]
    assert main(["bench", "two", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "two", "peer": "another", "ratio": 2.345678}


def test_a_name_stands_for_all_that_go_on_after_it(monkeypatch, capsys):
    known = {
        name: lambda name=name: {"name": name, "ratio": None} for name in ("peers-a", "dense", "dense-b", "peers-c")
    }
    monkeypatch.setattr(bench, "all_benchmarks", lambda: known)
    assert main(["bench", "peers", "dense"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "name=peers-a",
        "name=peers-c",
        "name=dense",
    ]
    assert main(["bench", "peer"]) != 0
    assert "there is no benchmark 'peer'" in capsys.readouterr().err


def test_options_of_a_class_reach_it_and_are_refused_elsewhere(monkeypatch, capsys):
    taken = []

    def lesson(sessions=30, turns=0):
        taken.append((sessions, turns))
        return {"name": "class", "peer": "another", "ratio": 1.0}

    monkeypatch.setattr(bench, "all_benchmarks", lambda: {"class": lesson, "dense": lambda: {"name": "dense"}})
    assert main(["bench", "class", "--sessions", "3"]) == 0
    assert taken == [(3, 0)]
    assert main(["bench", "dense", "--turns", "3"]) != 0
    assert main(["bench", "class", "--sessions", "0"]) != 0
    said = capsys.readouterr().err
    assert "--turns is an option of `workbench bench class` and not of dense" in said
    assert "at least 1, got 0" in said


def test_runs_are_kept_where_they_have_a_ratio(monkeypatch, capsys, tmp_path):
    known = {"one": lambda: {"name": "one", "ratio": 2.0}, "two": lambda: {"name": "two", "ratio": None}}
    monkeypatch.setattr(bench, "all_benchmarks", lambda: known)
    monkeypatch.setattr(bench, "KEPT", tmp_path / "runs")
    assert main(["bench", "--keep"]) == 0
    said = capsys.readouterr().err
    assert f"kept in {tmp_path / 'runs' / 'one.json'}" in said
    assert "not kept: two gave no ratio" in said
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["one.json"]
