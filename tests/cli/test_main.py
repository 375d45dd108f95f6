"""The program `workbench`, run as a person or a script runs it."""

import pytest

from workbench.cli.main import main


def test_list_names_experiments_and_rules(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "fashion-events" in out
    assert "stllr" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "nope"], "no experiment 'nope'; there are fashion-events"),
        (["train", "fashion-events", "--rule", "x"], "no rule 'x'; it has stllr"),
        (["train", "fashion-events", "--epochs", "0"], "epochs must be at least 1, got 0"),
        (["train", "fashion-events", "--threads", "0"], "threads must be at least 1, got 0"),
        (["train", "fashion-events", "--resume", "--checkpoint", "no/such.safetensors"], "no checkpoint at"),
        (["bench", "nope"], "no benchmark 'nope'"),
        (["data", "fetch"], "name the data sets"),
        (["app", "--port", "99999"], "1 to 65535"),
    ],
)
def test_mistakes_are_one_clear_line(capsys, arguments, words):
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert words in err
    assert "Traceback" not in err
    assert out == ""


def test_data_list_and_verify(capsys):
    assert main(["data", "list"]) == 0
    assert main(["data", "verify", "fashion-mnist-small"]) == 0
    assert "good" in capsys.readouterr().out


def test_doctor_finds_everything_here(capsys):
    assert main(["doctor"]) == 0
    assert "Everything is in place" in capsys.readouterr().out
