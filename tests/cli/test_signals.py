"""A signal ends every command soon: no child, no port, no half file, and a code that says why it ended."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from gate import PATIENCE, wait_for

from workbench.serving import free_port

SECONDS = 5  # after which the command must have ended, on a machine that does nothing else
SLACK = 6  # times as long where others work too
SIGNALS = pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")


class Command:
    """A command in a session of its own, whose output is read until a word comes."""

    def __init__(self, command, cwd):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        with heard():
            self.process = subprocess.Popen(command, cwd=cwd, start_new_session=True, **pipes)
        self.said = b""
        self._stop = threading.Timer(PATIENCE, self._kill)  # a command that never says it does not hold the tests

    def wait_for(self, word):
        """Return when it has said the word."""
        self._stop.start()
        while word not in self.said:
            more = os.read(self.process.stdout.fileno(), 1 << 16)
            assert more, f"it ended without {word!r}: {self.said.decode()}"
            self.said += more

    def end(self, signum):
        """Send the signal to this process alone; the code with which it ends."""
        self.process.send_signal(signum)
        rest, _ = self.process.communicate(timeout=SLACK * SECONDS)
        self.said += rest
        wait_for(lambda: not self._group_lives(), "the end of all children", SLACK * SECONDS)
        return self.process.returncode

    def _group_lives(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 0)
            return True
        return False

    def _kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self):
        self._stop.cancel()
        self._kill()
        self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def heard():
    """Processes that start inside hear SIGINT, though those of a shell's background are started without ears for it."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def started(tmp_path):
    """`started(arguments)` starts `workbench` in an empty folder."""
    commands = []

    def start(*arguments, code=("-m", "workbench")):
        commands.append(Command([sys.executable, *code, *arguments], tmp_path))
        return commands[-1]

    yield start
    for command in commands:
        command.close()


@SIGNALS
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("train", "lls-fashion", "--checkpoint", "run.safetensors"), b"epoch 1/"),
        (("train", "permuted-fashion"), b"loss"),  # a minute: it does not end before the signal comes
        (("audit", "lls"), b"one rule takes"),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_long_commands(started, tmp_path, arguments, word, signum, code):
    command = started(*arguments)
    command.wait_for(word)
    assert command.end(signum) == code
    assert b"Traceback" not in command.said
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".part")]


class Stalling(BaseHTTPRequestHandler):
    """Sends half of what it promises, and then nothing until the other side goes away."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(bytes(500_000))
        self.wfile.flush()
        self.server.half_way.set()
        self.rfile.read()

    def log_message(self, format, *args):
        pass


FETCH = """
import sys
from workbench.cli.main import main
from workbench.data.delivery import catalogue
from workbench.data.delivery.fetch import RemoteFile
from workbench.data.delivery.sources import Source
from importlib import import_module
module = import_module("workbench.data.delivery.catalogue")
file = RemoteFile("set.bin", (sys.argv[1],), "0" * 32, 1_000_000)
module.ALL = (Source("stalling", "half a file", "none", "stalling", (file,)),)
sys.exit(main(["data", "fetch", "stalling"]))
"""


@SIGNALS
def test_a_download_that_stalls(started, tmp_path, monkeypatch, signum, code):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), Stalling) as server:
        server.daemon_threads = True
        server.half_way = threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            command = started(f"http://127.0.0.1:{server.server_address[1]}/", code=("-c", FETCH))
            command.wait_for(b"stalling: 1.0 MB")
            assert server.half_way.wait(PATIENCE)
            wait_for(lambda: list(tmp_path.glob("stalling/.set.bin.part")), "a part of the file")
            assert command.end(signum) == code
        finally:
            server.shutdown()
            thread.join()
    assert [path.name for path in (tmp_path / "stalling").iterdir()] in ([], [".set.bin.lock"])


DOCTOR = """
import sys, threading
from importlib import import_module
from workbench.cli.main import main

def look():
    print("looking at a folder that does not answer", flush=True)
    threading.Event().wait()

import_module("workbench.doctor").check_folder = look
sys.exit(main(["doctor"]))
"""


@SIGNALS
def test_the_doctor_before_a_folder_that_does_not_answer(started, signum, code):
    command = started(code=("-c", DOCTOR))
    command.wait_for(b"does not answer")
    assert command.end(signum) == code
    assert b"Traceback" not in command.said


@SIGNALS
def test_the_lab(started, tmp_path, signum, code):
    """A server is there until it is ended, so that its end is no failure: 0."""
    port = free_port()
    command = started("lab", "work", "--no-browser", "--allow-root", "--port", str(port))
    command.wait_for(f":{port}/lab".encode())
    assert command.end(signum) == 0, command.said.decode()
    assert (tmp_path / "work" / "00_start_here.ipynb").is_file()
