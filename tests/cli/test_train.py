"""`workbench train`, run as a person or a script runs it."""

import json
import os
import signal
import subprocess
import sys

import pytest


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
