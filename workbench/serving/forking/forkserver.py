"""The server's side of the parent of kernels: started once, asked for kernels, started again when it has died."""

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

from workbench.serving.forking.parent import LARGEST, READY

WARM = "widgets.app"  # its function `warm` imports the panels
WARMING, ANSWER = 30.0, 5.0  # seconds until the parent has imported everything, and until it has forked
AGAIN = 3  # parents that may fail before kernels are started the ordinary way for good


class NoFork(OSError):
    """There is no kernel from the parent this time; start one the ordinary way."""


class Forked:
    """A kernel that another process has forked: what `subprocess.Popen` is for a child."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._descriptor = descriptor

    def poll(self) -> int | None:
        """None while it lives; 0 after that, for a process that is no child does not tell how it ended."""
        if self.returncode is None and self._ends_within(0.0):
            self.returncode = 0
            os.close(self._descriptor)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired."""
        if self.returncode is None and not self._ends_within(timeout):
            raise subprocess.TimeoutExpired(f"kernel {self.pid}", timeout or 0.0)
        return self.poll() or 0

    def _ends_within(self, seconds: float | None) -> bool:
        """By poll: `select.select` takes no descriptor above 1,023, and a hundred kernels have more than that open."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(None if seconds is None else 1e3 * seconds))

    def send_signal(self, signum: int) -> None:
        """To the kernel and to what it has started; nothing when it has ended."""
        if self.poll() is None:
            try:
                os.killpg(self.pid, signum)  # it leads a group of its own
            except ProcessLookupError:
                signal.pidfd_send_signal(self._descriptor, signum)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Forkserver:
    """Starts the parent beside the server's own start, and asks it for one kernel at a time."""

    def __init__(self, warm: str = WARM) -> None:
        self._warm = warm
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._ready = False
        self._failures = 0

    @property
    def pid(self) -> int | None:
        """The process id of the parent, None when there is none."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Begin to warm up a parent; returns at once."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        own = os.pidfd_open(os.getpid())
        try:
            command = [sys.executable, "-m", "workbench.serving.forking.parent", self._warm, str(own)]
            environment = {**os.environ, "MALLOC_ARENA_MAX": "2"}  # a heap for each thread is memory of each kernel
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), pass_fds=[own], start_new_session=True, env=environment
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(own)
        self._socket, self._ready = ours, False

    async def fork(self, request: dict[str, Any]) -> Forked:
        """A kernel, without holding up the server meanwhile. Raises NoFork."""
        return await asyncio.to_thread(self._fork, request)

    def _fork(self, request: dict[str, Any]) -> Forked:
        packet = json.dumps(request).encode()
        if len(packet) > LARGEST:
            raise NoFork(f"the request has {len(packet)} bytes, at most {LARGEST} fit")
        with self._lock:
            if self._failures >= AGAIN:
                raise NoFork(f"the parent of kernels has failed {self._failures} times")
            try:
                return self._ask(packet)
            except (OSError, ValueError) as error:
                self._failures += 1
                self.stop()
                raise NoFork(f"the parent of kernels does not answer: {error}") from error

    def _ask(self, packet: bytes) -> Forked:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self.start()
        connection = self._socket
        assert connection is not None
        if not self._ready:
            connection.settimeout(WARMING)
            if connection.recv(len(READY)) != READY:
                raise OSError("it ended while it warmed up")
            self._ready = True
        connection.settimeout(ANSWER)
        connection.send(packet)
        number, descriptors, _, _ = socket.recv_fds(connection, 64, 1)
        if not descriptors:
            raise OSError("it ended instead of forking")
        self._failures = 0
        return Forked(int(number), descriptors[0])

    def stop(self) -> None:
        """End the parent; the kernels it has forked live on."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._socket = None
