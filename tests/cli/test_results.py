"""`workbench results`: tables of cells, the papers, and README written anew."""

import csv
import io
import json
from pathlib import Path

import pytest
from sweeps_cells import cell

from workbench.cli import results
from workbench.cli.main import USAGE, main
from workbench.shipped import results_folder
from workbench.sweeps.cell import write_cell


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A checkout with four cells, a table and a paper."""
    monkeypatch.setattr(results, "CHECKOUT", tmp_path)
    monkeypatch.chdir(tmp_path)
    for seed in (0, 1):
        for rule, base in (("stllr", 0.8), ("bptt", 0.7)):
            write_cell(tmp_path / "results" / "cells", cell(rule, seed, base + 0.01 * seed))
    (tmp_path / "results" / "tables.toml").write_text(
        '[[table]]\nname = "t"\nexperiment = "sound"\nepochs = 3\nhead = "rule"\n'
        'rows = [{ rule = "stllr", label = "S-TLLR" }]\ncolumns = [{ head = "accuracy" }]\n'
    )
    (tmp_path / "results" / "papers").mkdir()
    (tmp_path / "results" / "papers" / "p.toml").write_text(
        'name = "P"\nwhere = "there"\nstanding = "here"\n[[row]]\nsource = "T"\nwhat = "ahead"\nsays = "7 points"\n'
        '[row.ours]\nexperiment = "sound"\nrule = "stllr"\nagainst = "bptt"\nepochs = 3\nleast = 0.0\n'
    )
    (tmp_path / "README.md").write_text("# R\n<!-- results: t -->\n<!-- end of results -->\n")
    return tmp_path


def test_cells_of_the_checkout_are_compared(folder, capsys):
    assert main(["results"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[1:3]] == ["bptt", "stllr"]
    assert "+10.0" in lines[-1]


def test_forms_for_programs(folder, capsys):
    assert main(["results", "--json", "--against", "stllr"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["runs"] for row in found["rows"]] == [2, 2]
    assert (found["pairs"][0]["rule"], found["pairs"][0]["against"], found["pairs"][0]["wins"]) == ("bptt", "stllr", 0)
    assert main(["results", "--csv"]) == 0
    assert len(list(csv.DictReader(io.StringIO(capsys.readouterr().out)))) == 2
    assert main(["results", "--markdown", "--experiment", "sound"]) == 0
    assert capsys.readouterr().out.startswith("| experiment |")


def test_papers(folder, capsys):
    assert main(["results", "--papers"]) == 0
    assert "P        reproduced ahead: 7 points | +10.0" in capsys.readouterr().out
    assert main(["results", "--papers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["verdict"] == "reproduced"


def test_readme_is_written_and_checked(folder, capsys):
    assert main(["results", "--check"]) == 1
    assert "README.md, docs/results/p.md differ from results/" in capsys.readouterr().err
    assert main(["results", "--readme"]) == 0
    assert "wrote README.md, docs/results/p.md" in capsys.readouterr().out
    assert "| S-TLLR | 80.5 ± 0.7 |" in (folder / "README.md").read_text()
    assert main(["results", "--check"]) == 0
    assert "everything is as results/ say" in capsys.readouterr().out


def test_what_is_not_there_is_said(folder, capsys):
    assert main(["results", "nowhere"]) == 1
    assert "there is no folder nowhere" in capsys.readouterr().err
    assert main(["results", "--experiment", "flow"]) == 1
    assert "holds no cell of flow" in capsys.readouterr().err
    assert main(["results", "--csv", "--markdown"]) == USAGE
    (folder / "results" / "tables.toml").unlink()
    assert main(["results", "--papers"]) == 1
    assert "results lie in the folder results of a checkout" in capsys.readouterr().err


def test_without_a_checkout_own_sweeps_are_read(folder, monkeypatch):
    monkeypatch.setattr(results, "CHECKOUT", folder / "elsewhere")
    assert results.own_cells() == results_folder() / "cells"
    Path("runs/cells").mkdir(parents=True)
    assert results.own_cells().as_posix() == "runs/cells"
