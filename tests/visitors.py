"""Visitors without a browser: they open a page of a server, speak over its websocket, and misbehave when asked to."""

import http.client
import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import websocket
from nbformat.v4 import new_code_cell, new_notebook

from workbench.serving.frames import PROTOCOL, joined, parted

KERNEL = "() => JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"  # on a page
SECONDS = 60.0  # a busy machine may take as long, and no test waits longer


class Answer(NamedTuple):
    """Status, headers and text of an answer, its cookies as a browser sends them back, and the kernel of its page."""

    status: int
    headers: dict[str, str]
    text: str
    cookies: str = ""

    @property
    def kernel(self) -> str:
        found = re.search(r'"kernelId": "([0-9a-f-]{36})"', self.text)
        assert found, self.text[-2000:]
        return found[1]


def notebook(path: Path, *cells: str) -> Path:
    """A notebook of these cells."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(metadata={"kernelspec": kernel}, cells=[new_code_cell(cell) for cell in cells]), path)
    return path


def ask(port: int, path: str = "/", method: str = "GET", body: str | None = None, **headers: str) -> Answer:
    """One request on 127.0.0.1, sent as it stands; underscores in the names of `headers` stand for hyphens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        cookies = "; ".join(line.split(";")[0] for line in answer.headers.get_all("Set-Cookie", []))
        return Answer(answer.status, told, answer.read().decode("utf-8", "replace"), cookies)
    finally:
        connection.close()


def open_page(port: int, path: str = "/", **headers: str) -> str:
    """Open the app as a browser does: the name of its kernel."""
    answer = ask(port, path, **headers)
    assert answer.status == 200
    return answer.kernel


def alive(port: int, kernel: str) -> dict[str, Any]:
    """What the page is told about its kernel."""
    return json.loads(ask(port, f"/workbench/alive/{kernel}").text)


@contextmanager
def channels(port: int, kernel: str, protocol: str | None = PROTOCOL, **settings: Any) -> Iterator[websocket.WebSocket]:
    """A websocket to a kernel."""
    url = f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels?session_id={uuid.uuid4()}"
    protocols = [protocol] if protocol else []
    socket = websocket.create_connection(url, timeout=SECONDS, subprotocols=protocols, **settings)
    try:
        yield socket
    finally:
        socket.shutdown()


def message(kind: str, content: dict[str, Any], channel: str = "shell") -> bytes:
    """A message of the kernel protocol as a page sends it."""
    header = {
        "msg_id": str(uuid.uuid4()),
        "msg_type": kind,
        "session": "s",
        "username": "",
        "version": "5.3",
        "date": "",
    }
    parts = [channel.encode(), *(json.dumps(part).encode() for part in (header, {}, {}, content))]
    return joined(parts)


def parts(frame: bytes) -> tuple[str, list[dict[str, Any]]]:
    """The channel of a message from the kernel, and its header, parent, metadata and content."""
    pieces = parted(frame)
    return pieces[0].decode(), [json.loads(piece) for piece in pieces[1:5]]


def reply(socket: websocket.WebSocket, kind: str) -> dict[str, Any]:
    """The content of the next message of a kind."""
    end = time.monotonic() + SECONDS  # the server's pings keep each single read alive
    while True:
        assert time.monotonic() < end, f"no {kind} within {SECONDS} s"
        frame = socket.recv()
        assert isinstance(frame, bytes), f"closed before {kind}"
        assert frame, f"closed before {kind}"
        _, (header, _, _, content) = parts(frame)
        if header["msg_type"] == kind:
            return content


def closing(socket: websocket.WebSocket) -> int:
    """Read until the server closes: its code of the reason."""
    end = time.monotonic() + SECONDS
    while True:
        assert time.monotonic() < end, f"still open after {SECONDS} s"
        opcode, data = socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(data[:2], "big")


def resident(process: int) -> int:
    """Bytes of memory that a process holds (Linux)."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"no memory of process {process}")


def process_of(kernel: str) -> int:
    """The process of a kernel (Linux): named in its command line, or, when it was forked, the owner of its sockets."""
    inodes = {line.split()[6] for line in Path("/proc/net/unix").read_text().splitlines() if kernel in line}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if kernel.encode() in (folder / "cmdline").read_bytes():
                return int(folder.name)
            files = {os.readlink(file) for file in (folder / "fd").iterdir()}
        except OSError:
            continue
        if files & {f"socket:[{inode}]" for inode in inodes}:
            return int(folder.name)
    raise AssertionError(f"no process of {kernel}")


def gone(process: int) -> bool:
    """Whether a process is no more, or only waits to be counted."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
