"""A server as a process: it ends with its block, and tells why it did not start."""

import os
import sys

import pytest
from ports import own_port

from workbench.serving.process import running


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_server_that_ends_at_once_is_told_with_its_log(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no such port')"]
    with (
        pytest.raises(RuntimeError, match=r"ended with status 1(.|\n)*no such port"),
        running(command, "http://127.0.0.1:9", tmp_path / "log"),
    ):
        pass


def test_a_server_runs_for_the_length_of_the_block(tmp_path):
    port = own_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with running(command, f"http://127.0.0.1:{port}", tmp_path / "log") as process:
        assert is_running(process)
    assert not is_running(process)
