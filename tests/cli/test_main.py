"""The program `workbench` as a whole: exit codes, wrong usage, and pipes that close."""

import re
import subprocess
import sys
import warnings

import pytest

from workbench.cli import list as listing
from workbench.cli.main import COMMANDS, FAILED, UNREAD, USAGE, build_parser, main

NAMES = [command.__name__.rpartition(".")[2] for command in COMMANDS]


def run(*arguments, **options):
    command = [sys.executable, "-m", "workbench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


@pytest.mark.parametrize(
    ("arguments", "usage", "words"),
    [
        ([], "workbench", "the following arguments are required: COMMAND"),
        (["trian"], "workbench", "there is no command 'trian'; did you mean 'train'? (there are app, lab"),
        (["xyz"], "workbench", "there is no command 'xyz'; there are app, lab"),
        (["train", "fashion-events", "--lr", "1"], "workbench train", "there is no option '--lr'"),
        (["train", "fashion-events", "--sed", "1"], "workbench train", "no option '--sed'; did you mean '--seed'?"),
        (["list", "more"], "workbench list", "'more' is more than this command takes"),
        (
            ["train", "fashion-event"],
            "workbench train",
            "no experiment 'fashion-event'; did you mean 'fashion-events'?",
        ),
        (["train", "fashion-events", "--rule", "stlr"], "workbench train", "did you mean 'stllr'? (it has stllr, "),
        (["audit", "stlr"], "workbench audit", "there is no rule 'stlr'; did you mean 'stllr'?"),
        (["bench", "dens"], "workbench bench", "there is no benchmark 'dens'; did you mean 'dense'?"),
        (["data", "lst"], "workbench data", "there is no action 'lst'; did you mean 'list'?"),
        (["data", "fetch"], "workbench data", "name the data sets to fetch"),
        (["data", "verify", "minst"], "workbench data", "there is no data set 'minst'; did you mean 'mnist'?"),
        (["data", "list", "minst"], "workbench data", "there is no data set 'minst'; did you mean 'mnist'?"),
        (["train", "sound", "--epochs", "0"], "workbench train", "epochs must be a whole number, at least 1, got 0"),
        (
            ["train", "sound", "--epochs", "two"],
            "workbench train",
            "epochs must be a whole number, at least 1, got two",
        ),
        (["train", "sound", "--threads", "0"], "workbench train", "threads must be a whole number, at least 1, got 0"),
        (
            ["train", "sound", "--seed", 20 * "9"],
            "workbench train",
            "a seed must be a whole number from 0 to 4294967295",
        ),
        (["train", "sound", "--seed", "-1"], "workbench train", "from 0 to 4294967295, got -1"),
        (["app", "--port", "99999"], "workbench app", "a port must be a whole number from 1 to 65535, got 99999"),
        (["lab", "--port", "0"], "workbench lab", "from 1 to 65535, got 0"),
    ],
)
def test_wrong_usage_ends_with_2_and_the_usage_of_its_command(capsys, arguments, usage, words):
    assert main(arguments) == USAGE
    out, err = capsys.readouterr()
    assert err.startswith(f"usage: {usage} [-h]")
    assert words in err
    assert out == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "sound", "--resume", "--checkpoint", "no/such.safetensors"], "no checkpoint at"),
        (["app", "--notebook", "no_such.ipynb"], "there is no notebook no_such.ipynb"),
        (["app", "--base-url", "x"], "a base URL is a path"),
    ],
)
def test_what_fails_ends_with_1_and_one_clear_line(capsys, arguments, words):
    assert main(arguments) == FAILED
    out, err = capsys.readouterr()
    assert words in err
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize("name", NAMES)
def test_each_command_has_help_with_an_example(capsys, name):
    assert main([name, "--help"]) == 0
    text = capsys.readouterr().out
    examples = re.findall(rf"^  workbench {name}.*$", text.partition("examples:")[2], re.M)
    assert examples
    for example in examples:
        build_parser().parse_args(example.split()[1:])


def test_help_and_version_are_no_failures(capsys):
    assert main(["--help"]) == main(["--version"]) == 0
    text = capsys.readouterr().out
    assert all(re.search(rf"^    {name}\s", text, re.M) for name in NAMES)


def test_a_warning_is_one_line(capsys, monkeypatch):
    def warn(arguments):
        warnings.warn("the disk is nearly full", UserWarning, stacklevel=1)

    monkeypatch.setattr(listing, "list_experiments", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["list"]) == 0
    assert capsys.readouterr().err == "workbench: note: the disk is nearly full\n"


def test_a_reader_that_goes_away_is_no_error():
    """`| head` closes the pipe while more is to come: no word of it, and a code of its own."""
    command = [sys.executable, "-m", "workbench", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()  # before anything was written
        said = process.stderr.read()
        assert process.wait() == UNREAD
    assert said == b""
