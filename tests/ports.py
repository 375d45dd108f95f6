"""Ports that no other process of a test run gets: for tests only."""

import socket
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

PORTS = range(20_000, 32_000)  # systems give away those above by themselves, to whoever asks in between
_held: list[FileLock] = []


def own_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, kept from other test processes until this one ends."""
    folder = Path(tempfile.gettempdir()) / "workbench-test-ports"
    folder.mkdir(exist_ok=True)
    for port in PORTS:
        lock = FileLock(folder / f"{port}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        _held.append(lock)
        if _is_free(port):
            return port
    raise RuntimeError(f"no port from {PORTS.start} to {PORTS.stop - 1} is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
