"""A server as a process: it ends with its block, and tells why it did not start."""

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from workbench.serving import process
from workbench.serving.process import free_port, running


def is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
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
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with running(command, f"http://127.0.0.1:{port}", tmp_path / "log") as number:
        assert is_running(number)
    assert not is_running(number)


def test_a_port_is_below_those_that_systems_give_away():
    asked = [free_port() for _ in range(20)]
    assert len(set(asked)) == 20
    with socket.socket() as given:
        given.bind(("127.0.0.1", 0))  # as kernels do
        assert max(asked) < 32_768 <= given.getsockname()[1]


def test_a_port_is_kept_from_other_processes():
    mine = {free_port() for _ in range(3)}
    ask = "from workbench.serving import free_port; print(*[free_port() for _ in range(3)])"
    theirs = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout
    assert not mine & set(map(int, theirs.split()))


def test_a_port_on_which_somebody_listens_is_passed_over(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(process, "_PORTS", range(port, port + 1))
        with pytest.raises(RuntimeError, match=f"no port from {port} to {port} is free"):
            free_port()


def test_somebody_who_speaks_something_else_is_not_the_server(tmp_path):
    """A kernel greets whoever comes to its port with bytes of ZeroMQ."""
    with socket.create_server(("127.0.0.1", 0)) as kernel, ThreadPoolExecutor(1) as thread:
        address = f"http://127.0.0.1:{kernel.getsockname()[1]}"

        def greet() -> None:
            visitor, _ = kernel.accept()
            with visitor:
                visitor.sendall(b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\r\n\r\n")

        greeting = thread.submit(greet)
        assert not process._answers(address)
        greeting.result()
