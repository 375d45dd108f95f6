"""`workbench doctor`."""

import json

from workbench import doctor as doctor_module
from workbench.cli.main import main
from workbench.doctor import Check


def test_finds_everything_here(capsys):
    assert main(["doctor"]) == 0
    assert "Everything is in place" in capsys.readouterr().out


def test_json_has_each_check(capsys):
    assert main(["doctor", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["good"] is True
    assert {"python", "torch", "data folder"} <= {check["name"] for check in found["checks"]}


def test_what_is_missing_is_a_failure(capsys, monkeypatch):
    monkeypatch.setattr(doctor_module, "examine", lambda: [Check("torch", False, "not installed", "pip install torch")])
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["good"] is False
