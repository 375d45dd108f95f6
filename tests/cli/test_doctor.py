"""`workbench doctor`."""

import json
import os
from pathlib import Path

from workbench import doctor as doctor_module
from workbench.cli.main import main
from workbench.doctor import Check, check_folder, check_version, report


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


def test_says_what_to_do():
    text = report([Check("anywidget", False, "not installed", "pip install anywidget")])
    assert "MISSING" in text
    assert "pip install anywidget" in text


def test_names_a_version_that_the_figures_were_not_tested_with():
    check = check_version("plotly", "5.0")
    assert not check.good
    assert "pip install plotly==5.0.*" in check.advice
    assert not check_version("no_such_package", "1.0").good


def test_the_data_folder_is_a_whole_path_wherever_it_lies(monkeypatch):
    def other_drive(*_):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", other_drive)
    monkeypatch.setenv("WORKBENCH_DATA", "some/folder")
    assert check_folder().found == str(Path("some/folder").absolute())
