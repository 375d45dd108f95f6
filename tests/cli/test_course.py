"""`workbench course`."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from workbench.cli.course import KINDS
from workbench.cli.main import FAILED, USAGE, main
from workbench.course import BUILDS


def test_a_course_is_built_and_told(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tuple(BUILDS) == KINDS
    assert main(["course", "build", "student"]) == 0
    assert "course-student/01_lif_and_traces.ipynb" in capsys.readouterr().out.replace("\\", "/")
    assert main(["course", "build", "nbgrader", "--to", "grading", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "nbgrader"
    assert "grading/source/01_lif_and_traces/01_lif_and_traces.ipynb" in found["files"]
    assert main(["course", "build", "student"]) == FAILED
    assert "take --force" in capsys.readouterr().err
    assert main(["course", "build", "student", "--force"]) == 0
    assert (tmp_path / "course-student.kept-1").is_dir()


def test_a_class_is_reported(tmp_path, capsys):
    cell = new_code_cell('print(check("trace", f))', outputs=[new_output("stream", text="Not answered yet: …")])
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "a.ipynb")
    assert main(["course", "report", str(tmp_path), "--picture", str(tmp_path / "a.svg")]) == 0
    out, err = capsys.readouterr()
    assert "1 of 1 did not answer" in out
    assert "a.svg" in err
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<svg")
    assert main(["course", "report", str(tmp_path), "--json"]) == 0
    (count,) = json.loads(capsys.readouterr().out)["exercises"]
    assert count == {"name": "trace", "answers": 1, "right": 0, "mistakes": {"did not answer": 1}}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["build", "studnet"], USAGE, "there is no course 'studnet'; did you mean 'student'?"),
        (["biuld", "student"], USAGE, "there is no action 'biuld'; did you mean 'build'?"),
        (["report", "no/such"], FAILED, "there is no folder"),
        (["report", ".", "--picture", "a.png"], USAGE, "name a file that ends with .svg, got a.png"),
        (["report", ".", "--to", "a"], USAGE, "--to and --force belong to build"),
        (["build", "student", "--picture", "a.svg"], USAGE, "--picture belongs to report"),
    ],
)
def test_what_cannot_be_done_is_told(capsys, arguments, code, words):
    assert main(["course", *arguments]) == code
    assert words in capsys.readouterr().err
