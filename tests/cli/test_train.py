"""`workbench train`, run as a person or a script runs it."""

import json
import os
import re
import signal
import subprocess
import sys
import warnings

import pytest
from tiny import TINY

from workbench.cli.main import main
from workbench.cli.train import follow
from workbench.experiments import named
from workbench.training.score import ACCURACY
from workbench.training.setting import Record


def record(step, steps=4, held_out=None):
    return Record(step // 2, step, steps, 0.5, 0.9, 1.0, 2.0, 30, 40, {}, held_out, held_out)


def test_progress_counts_every_step_once(capsys):
    """From the first step to the last, and from where a resumed run stands."""
    found = follow(iter([record(0), record(1, held_out=0.7), record(2), record(3, held_out=0.8)]), 2, ACCURACY)
    err = capsys.readouterr().err
    assert found["accuracy"] == 0.8
    assert "4/4" in err
    assert not re.search(r"(?<![\d.])0step", err)  # a rate may end with 0, the count does not
    assert "5/4" not in err
    follow(iter([record(2), record(3, held_out=0.8)]), 2, ACCURACY)
    err = capsys.readouterr().err
    assert "2/4" in err
    assert "4/4" in err


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    monkeypatch.setattr(named, "EXPERIMENTS", {"tiny": TINY})
    monkeypatch.chdir(tmp_path)


def result(capsys):
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_a_finished_run_shows_its_numbers_and_goes_on_with_more_epochs(tiny, capsys):
    assert main(["train", "tiny", "--json"]) == 0
    first = result(capsys)
    assert main(["train", "tiny", "--json", "--resume"]) == 0
    assert result(capsys) == first
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["train", "tiny", "--json", "--resume", "--epochs", "4"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["epochs"] == 4
    assert "workbench: note: the learning rate follows the cosine_decay over the whole run" in err
    assert "16/16" in err
    assert main(["train", "tiny", "--resume", "--epochs", "3"]) == 1
    assert "has done 4 epochs already" in capsys.readouterr().err


def test_a_checkpoint_that_cannot_be_written_is_told_before_the_first_step(tiny, capsys, tmp_path):
    assert main(["train", "tiny", "--checkpoint", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert err.splitlines() == ["preparing tiny for stllr", err.splitlines()[1]]
    assert "is a folder; name a file" in err
    assert out == ""


def run(*arguments, cwd):
    command = [sys.executable, "-m", "workbench.cli.main", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


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


def test_the_command_line_lists_and_trains_a_stream(tmp_path):
    command = [sys.executable, "-m", "workbench.cli.main", "train", "split-fashion", "--epochs", "1", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert {"experiment", "rule", "seed", "epochs", "accuracy", "seconds", "peak_state_bytes", "saved_bytes"} <= set(
        result
    )
    assert [result[name] for name in ("experiment", "rule", "seed", "epochs", "tasks")] == [
        "split-fashion",
        "code-cl",
        0,
        1,
        5,
    ]
    assert result["accuracy"] == result["acc"] > 0.9
    assert -0.05 < result["bwt"] <= 0.05
    assert result["saved_bytes"] > 0 < result["peak_state_bytes"]
    assert result["checkpoint"] == "runs/split-fashion-code-cl-0.safetensors"
    assert (tmp_path / result["checkpoint"]).is_file()
