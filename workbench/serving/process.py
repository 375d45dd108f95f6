"""A server as a child process: started, waited for, and stopped by its own process id."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

# Systems give away the ports above by themselves, to whoever asks: kernels would get one before its server has begun.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, kept from others who ask here until this process ends.

    Raises RuntimeError where none of 20000 to 31999 is free.
    """
    for port in _PORTS:
        # Servers listen by TCP, so the same number of UDP can say that it is taken: a mark that ends with its process.
        claim = _bound(port, socket.SOCK_DGRAM)
        if claim is None:
            continue
        claim.detach()
        if probe := _bound(port, socket.SOCK_STREAM):
            probe.close()
            return port
    raise RuntimeError(f"no port from {_PORTS.start} to {_PORTS.stop - 1} is free")


def _bound(port: int, kind: socket.SocketKind) -> socket.socket | None:
    bound = socket.socket(socket.AF_INET, kind)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        return None
    return bound


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
    except (OSError, HTTPException):  # nobody, or somebody who speaks something else
        return False


def _stop(process: subprocess.Popen, seconds: float = 20.0) -> None:
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
