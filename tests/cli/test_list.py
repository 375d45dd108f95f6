"""`workbench list`."""

import json

from workbench.cli.main import main
from workbench.experiments.named import EXPERIMENTS


def test_names_experiments_and_rules(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "fashion-events" in out
    assert "stllr" in out


def test_json_has_all_of_them(capsys):
    assert main(["list", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = {item["name"]: item for item in json.loads(line)["experiments"]}
    assert set(EXPERIMENTS) <= set(found)
    assert found["sound"]["rules"] == list(EXPERIMENTS["sound"].rules)
    assert found["permuted-fashion"]["tasks"] == 10
