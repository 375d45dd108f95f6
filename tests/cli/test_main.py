"""The program `workbench`, run as a person or a script runs it."""

import json
import os
import signal
import subprocess
import sys

import pytest

from workbench.cli import serve as serving
from workbench.cli.main import main
from workbench.doctor import Check, check_version, report


def run(*arguments, cwd):
    command = [sys.executable, "-m", "workbench.cli.main", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


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


HELD = """
import sys
from workbench.cli.main import main
from workbench.training import loop
save = loop.save_checkpoint
def save_and_wait(*arguments):
    save(*arguments)
    print("kept", flush=True)
    sys.stdin.read()
loop.save_checkpoint = save_and_wait
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_killed_training_resumes_to_the_same_accuracy(tmp_path):
    train = ["train", "fashion-events", "--epochs", "1", "--json"]
    whole = run(*train, "--checkpoint", "whole.safetensors", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    (line,) = whole.stdout.splitlines()
    expected = json.loads(line)
    assert {"experiment", "rule", "seed", "epochs", "accuracy", "seconds", "peak_state_bytes", "saved_bytes"} <= set(
        expected
    )
    assert 0.6 < expected["accuracy"] < 0.95

    command = [sys.executable, "-c", HELD, *train]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:
        assert process.stdout.readline() == b"kept\n"  # now it waits, with most of the training before it
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    resumed = run(*train, "--resume", cwd=tmp_path)
    assert json.loads(resumed.stdout)["accuracy"] == expected["accuracy"]
    assert json.loads(resumed.stdout)["loss"] == expected["loss"]


def test_a_server_ends_with_the_program_that_started_it():
    """The program starts a server that tells its number and waits; SIGTERM to the program must end the server too."""
    server = "import os, threading; print(os.getpid(), flush=True); threading.Event().wait()"
    code = f"from workbench.cli.serve import serve; import sys; serve([sys.executable, '-c', {server!r}])"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as program:
        number = int(program.stdout.readline())
        program.terminate()
        program.wait(timeout=120)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_server_ends_when_the_program_is_told_to_end_while_it_starts_it(monkeypatch):
    """SIGTERM that comes between the start of the server and the next line finds it all the same."""
    told = []

    class Started:
        def __init__(self, command):
            signal.raise_signal(signal.SIGTERM)

        def terminate(self):
            told.append("terminate")

        def wait(self):
            return 0

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(serving.subprocess, "Popen", Started)
    try:
        assert serving.serve_as_child(["a server"]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == ["terminate"]


def test_data_list_and_verify(capsys):
    assert main(["data", "list"]) == 0
    assert main(["data", "verify", "fashion-mnist-small"]) == 0
    assert "good" in capsys.readouterr().out


def test_doctor_finds_everything_here(capsys):
    assert main(["doctor"]) == 0
    assert "Everything is in place" in capsys.readouterr().out


def test_doctor_says_what_to_do():
    text = report([Check("anywidget", False, "not installed", "pip install anywidget")])
    assert "MISSING" in text
    assert "pip install anywidget" in text


def test_doctor_names_a_version_that_the_figures_were_not_tested_with():
    check = check_version("plotly", "5.0")
    assert not check.good
    assert "pip install plotly==5.0.*" in check.advice
    assert not check_version("no_such_package", "1.0").good
