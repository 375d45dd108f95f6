"""A server as a child process: started, waited for, and stopped by its own process id."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    """A port of this machine that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(
    command: list[str], url: str, log: Path, environment: Mapping[str, str] | None = None, seconds: float = 60.0
) -> Iterator[int]:
    """Run a server for the length of a `with` block; gives its process id once `url` answers anything at all.

    What it prints goes to the file `log`. A server that ends or does not answer within `seconds` raises RuntimeError
    with the end of the log.
    """
    with log.open("w") as out:
        env = {**os.environ, **(environment or {})}
        process = subprocess.Popen(command, cwd=log.parent, env=env, stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait(process, url, log, seconds)
            yield process.pid
        finally:
            _stop(process)


def _wait(process: subprocess.Popen, url: str, log: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if _answers(url):
            return
        time.sleep(0.1)
    state = "does not answer" if process.poll() is None else f"ended with status {process.returncode}"
    raise RuntimeError(f"the server for {url} {state}; the last of its log:\n{log.read_text()[-3000:]}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as answer:
        answer.close()
        return True
    except OSError:
        return False


def _stop(process: subprocess.Popen, seconds: float = 20.0) -> None:
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
