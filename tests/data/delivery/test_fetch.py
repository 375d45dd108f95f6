"""Downloads: checked, whole or not at all, and one clear message for each way to fail."""

import contextlib
import errno
import gzip
import hashlib
import os
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path

import pooch
import pytest
from gate import PATIENCE, wait_for

from workbench.data.delivery.fetch import RemoteFile, check, fetch, find

fetch_module = import_module("workbench.data.delivery.fetch")  # the face gives the function of this name
BODY = bytes(range(256)) * 4000
MD5 = hashlib.md5(BODY).hexdigest()
ZIPPED = gzip.compress(BODY, mtime=0)
OTHER = BODY[:-1] + b"!"


class Server(ThreadingHTTPServer):
    """Answers on 127.0.0.1 and counts its requests; until `go_on`, `/held` waits to begin and `/stall` half-way."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.go_on = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        if self.path == "/missing":
            self.send_error(404)
            return
        body = {"/wrong": OTHER, "/labelled": ZIPPED}.get(self.path, BODY)
        self.send_response(200)
        if self.path == "/labelled" and "gzip" in self.headers["Accept-Encoding"]:
            self.send_header("Content-Encoding", "gzip")  # some servers say so of any `.gz` file
        if self.path not in ("/unannounced", "/endless"):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path == "/endless":
            with contextlib.suppress(OSError):  # until the other side goes away
                while True:
                    self.wfile.write(BODY)
        if self.path == "/held":
            self.server.go_on.wait(PATIENCE)
        if self.path in ("/dies", "/unannounced", "/stall"):
            self.wfile.write(body[: len(body) // 2])
            if self.path == "/stall":
                self.server.go_on.wait(PATIENCE)
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.go_on.set()
        running.shutdown()
        thread.join()


def remote(*urls: str) -> RemoteFile:
    return RemoteFile("set.bin", urls, MD5, len(BODY))


def kept(folder: Path) -> list[str]:
    """Names in `folder`, less the empty lock file."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_file_is_downloaded_once(server, tmp_path):
    folder = tmp_path / "not" / "yet" / "there"
    for _ in range(2):
        assert fetch(remote(server.url("good")), folder).read_bytes() == BODY
    assert server.requests == ["/good"]
    assert kept(folder) == ["set.bin"]


def test_a_compressed_file_is_kept_as_published(server, tmp_path):
    md5 = hashlib.md5(ZIPPED).hexdigest()
    file = RemoteFile("a.gz", (server.url("labelled"),), md5, len(ZIPPED))
    assert fetch(file, tmp_path).read_bytes() == ZIPPED


def test_the_next_link_is_tried(server, tmp_path):
    links = [server.url(path) for path in ("missing", "dies", "wrong", "good", "never")]
    assert fetch(remote(*links), tmp_path).read_bytes() == BODY
    assert server.requests == ["/missing", "/dies", "/wrong", "/good"]
    assert kept(tmp_path) == ["set.bin"]


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("missing", ConnectionError, "404"),
        ("dies", ConnectionError, "broke after"),
        ("wrong", ValueError, hashlib.md5(OTHER).hexdigest()),
        ("unannounced", ValueError, f"gave {len(BODY) // 2} bytes"),
        ("endless", ConnectionError, "the server sent more than the 1.0 MB of this file"),
    ],
)
def test_a_failed_download_leaves_nothing_and_says_what_to_do(server, tmp_path, path, kind, words):
    with pytest.raises(kind) as caught:
        fetch(remote(server.url(path)), tmp_path)
    message = str(caught.value)
    for part in (words, server.url(path), str(tmp_path / "set.bin"), MD5, "by hand"):
        assert part in message
    report = "".join(traceback.format_exception(caught.value))
    assert "During handling" not in report
    assert "requests" not in report
    assert kept(tmp_path) == []


def test_a_server_that_sends_too_slowly_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_module, "PATIENCE_S", 0)
    monkeypatch.setattr(fetch_module, "SLOWEST", 1e15)
    with pytest.raises(ConnectionError, match=r"the server sent \d+ bytes in 0 s, which is too slow to wait for"):
        fetch(remote(server.url("endless")), tmp_path)
    assert kept(tmp_path) == []


def test_a_bar_shows_the_bytes_that_came(server, tmp_path, capsys):
    fetch(remote(server.url("good")), tmp_path, progress=True)
    assert "1.02M/1.02M" in capsys.readouterr().err


def test_no_network(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=f"no answer from {address}.*online") as caught:
            fetch(remote(f"http://{address}/set.bin"), tmp_path)
    assert "Traceback" not in str(caught.value)
    assert kept(tmp_path) == []


def test_a_name_that_no_server_knows(tmp_path):
    with pytest.raises(ConnectionError, match=r"no answer from nowhere\.invalid"):
        fetch(remote("http://nowhere.invalid/set.bin"), tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device that is always full")
def test_a_full_disk(server, tmp_path):
    (tmp_path / ".set.bin.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"disk is full: set.bin needs 1.0 MB.*WORKBENCH_DATA"):
        fetch(remote(server.url("good"), server.url("good")), tmp_path)
    assert server.requests == ["/good"]  # another link would not help
    assert kept(tmp_path) == []


def test_a_disk_that_fills_up_while_writing(server, tmp_path, monkeypatch):
    def half(self, url: str, output_file: str, _: object) -> None:
        Path(output_file).write_bytes(BODY[:1000])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", half)
    with pytest.raises(OSError, match="disk is full"):
        fetch(remote(server.url("good")), tmp_path)
    assert kept(tmp_path) == []


def test_a_folder_below_a_file(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cannot be written into .*file/sub: .*directory.*\n.*by hand"):
        fetch(remote(server.url("good")), tmp_path / "file" / "sub")


@contextlib.contextmanager
def as_somebody_else() -> Iterator[None]:
    """The superuser may write anywhere: become nobody for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions of POSIX")
@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_may_not_be_written(server, tmp_path, there):
    folder = tmp_path if there else tmp_path / "sub"
    tmp_path.chmod(0o555)
    try:
        with as_somebody_else(), pytest.raises(PermissionError, match="WORKBENCH_DATA") as caught:
            fetch(remote(server.url("good")), folder)
    finally:
        tmp_path.chmod(0o755)
    assert f"set.bin cannot be written into {folder}: Permission denied" in str(caught.value)
    assert server.requests == []


def test_a_file_placed_by_hand_needs_no_server_and_no_lock(tmp_path):
    (tmp_path / "set.bin").write_bytes(BODY)
    tmp_path.chmod(0o555)
    try:
        assert fetch(remote("http://nowhere.invalid/"), tmp_path) == tmp_path / "set.bin"
    finally:
        tmp_path.chmod(0o755)
    assert os.listdir(tmp_path) == ["set.bin"]  # the superuser could have made a lock file


def test_a_wrong_file_placed_by_hand_is_refused_and_stays(server, tmp_path):
    (tmp_path / "set.bin").write_bytes(OTHER)
    with pytest.raises(ValueError, match="not the file that was published") as caught:
        fetch(remote(server.url("good")), tmp_path)
    message = str(caught.value)
    assert hashlib.md5(OTHER).hexdigest() in message
    assert MD5 in message
    assert server.url("good") in message
    assert (tmp_path / "set.bin").read_bytes() == OTHER
    assert server.requests == []


def test_unpacked_and_recompressed_files_are_accepted(tmp_path):
    published = gzip.compress(BODY, 9, mtime=1)
    file = RemoteFile(
        "a-ubyte.gz", ("http://nowhere.invalid",), hashlib.md5(published).hexdigest(), len(published), MD5
    )
    for name, content in (
        ("a-ubyte.gz", published),
        ("a-ubyte.gz", gzip.compress(BODY, 1, mtime=2)),
        ("a-ubyte", BODY),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert fetch(file, tmp_path / "empty", tmp_path) == path
        path.write_bytes(content[:-9])
        with pytest.raises(ValueError, match="not the file that was published"):
            check(file, path)
        path.unlink()
    assert find(file, tmp_path) is None


FETCH = """
import sys
from importlib import import_module
from pathlib import Path
fetch = import_module("workbench.data.delivery.fetch")
locked = fetch.locked
def told(path):
    print("at the lock", flush=True)
    return locked(path)
fetch.locked = told
url, md5, size, folder = sys.argv[1:]
print(fetch.fetch(fetch.RemoteFile("set.bin", (url,), md5, int(size)), Path(folder)).stat().st_size)
"""


def started(url: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FETCH, url, MD5, str(len(BODY)), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_fetch_at_once(server, tmp_path):
    running = [started(server.url("held"), tmp_path) for _ in range(2)]
    outputs = [process.stdout for process in running if process.stdout is not None]
    assert [output.readline() for output in outputs] == ["at the lock\n"] * 2
    server.go_on.set()
    assert [output.read() for output in outputs] == [f"{len(BODY)}\n"] * 2
    for process in running:
        process.communicate(timeout=PATIENCE)
    assert server.requests == ["/held"]
    assert kept(tmp_path) == ["set.bin"]


def test_a_killed_download_is_done_again(server, tmp_path):
    process = started(server.url("stall"), tmp_path)
    part = tmp_path / ".set.bin.part"
    wait_for(lambda: part.exists() and part.stat().st_size, "a part of the file")
    process.kill()
    process.communicate()
    assert kept(tmp_path) == [".set.bin.part"]
    assert fetch(remote(server.url("good")), tmp_path).read_bytes() == BODY
    assert kept(tmp_path) == ["set.bin"]


OFFLINE = """
import socket, sys
def refused(*_, **__): raise AssertionError("the network was touched")
socket.socket.connect = socket.getaddrinfo = refused
import workbench.data
assert not {"torch", "pooch", "numpy"} & set(sys.modules), "import workbench.data loads too much"
from workbench.data.delivery import catalogue
catalogue()
assert not {"torch", "requests"} & set(sys.modules), "the list of data sets loads too much"
from workbench.data.sets import fashion_mnist_small, image_events, mnist, nmnist
assert fashion_mnist_small().train.images.shape == (5000, 28, 28)
"""


def test_nothing_touches_the_network_before_it_must():
    subprocess.run([sys.executable, "-c", OFFLINE], check=True, timeout=PATIENCE)
