"""Everything that a stranger may try at one server: nothing is got, nobody is disturbed, no computation begins.

`REQUESTS` go over HTTP, `BYTES` straight into the socket, `MESSAGES` and `FRAMES` over the websocket of a page, `DOORS`
are ways to a websocket. After each attempt the page of another visitor is asked whether it still lives.
"""

import errno
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
import websocket
from prometheus_client.parser import text_string_to_metric_families
from visitors import SECONDS, alive, ask, channels, message, notebook, open_page, parts

from workbench.serving import app_command, free_port, running
from workbench.serving.frames import joined

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SECRET = "nobody should read this"
ROOT_FILE = "root:x:0:0"
NOBODY = "00000000-0000-0000-0000-000000000000"
MARK = "<script>alert(1)</script>"
REQUESTS = {  # of a name: method, path, headers, and body; VICTIM stands for the kernel of another visitor
    **{
        f"read {path}": ("GET", path, {}, None)
        for path in (
            "/../../etc/passwd",
            "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
            "/secret.txt",
            "/page.ipynb",
            "/files/secret.txt",
            "/voila/files/secret.txt",
            "/voila/files/%2e%2e%2fsecret.txt",
            "/voila/render/page.ipynb",
            "/voila/tree",
            "/voila/static/../../../../../../etc/passwd",
            "/voila/static/..%2f..%2f..%2f..%2f..%2fetc/passwd",
            "/voila/static//etc/passwd",
            "/voila/templates/lab/static/../../../../../../../../etc/passwd",
            "/voila/api/contents/secret.txt",
            "/voila/plotly/../../../etc/passwd",
            "/workbench/static/../../server.py",
            "/workbench/static/%2e%2e/%2e%2e/server.py",
            "/workbench/static//etc/passwd",
            "/workbench/static/alive.js%00.txt",
            "/workbench/alive/../../../secret.txt",
            "/api/contents",
            "/api/contents/secret.txt",
            "/api/sessions",
            "/api/terminals",
            "/api/kernelspecs",
            "/api/config/notebook",
            "/api/status",
            "/lab",
            "/tree",
            "/terminals/1",
            "/server-info",
        )
    },
    "list all kernels": ("GET", "/api/kernels", {}, None),
    "start a kernel": ("POST", "/api/kernels", {}, '{"name": "python3"}'),
    "start a terminal": ("POST", "/api/terminals", {}, "{}"),
    "shut the server down": ("POST", "/api/shutdown", {}, ""),
    "end another's kernel": ("DELETE", "/api/kernels/VICTIM", {}, None),
    "end it by the beacon": ("POST", "/voila/api/shutdown/VICTIM", {}, ""),
    "end it from a foreign page": ("POST", "/voila/api/shutdown/VICTIM", {"Origin": "https://evil.example"}, "_xsrf=1"),
    "end it by a made-up token": (
        "POST",
        "/voila/api/shutdown/VICTIM",
        {"Cookie": "_xsrf=2|a|b|c", "X-XSRFToken": "2|a|b|d"},
        "",
    ),
    "interrupt another's kernel": ("POST", "/api/kernels/VICTIM/interrupt", {}, ""),
    "restart another's kernel": ("POST", "/api/kernels/VICTIM/restart", {}, ""),
    "another method by a header": ("POST", "/", {"X-HTTP-Method-Override": "DELETE"}, ""),
    "trace": ("TRACE", "/", {}, None),
    "a method that is none": ("BREW", "/", {}, None),
    "a foreign name": ("GET", "/", {"Host": "evil.example"}, None),
    "a name with a user": ("GET", "/", {"Host": "127.0.0.1@evil.example"}, None),
    "an image of another page": ("GET", "/", {"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site"}, None),
    "a frame of another page": ("GET", "/", {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}, None),
    "a fetch of another page": ("GET", "/", {"Sec-Fetch-Dest": "empty", "Origin": "https://evil.example"}, None),
    "ahead of time": ("GET", "/", {"Sec-Purpose": "prefetch"}, None),
    "a robot": ("GET", "/", {"User-Agent": "curl/8"}, None),
    "a body beyond all bounds": ("POST", "/", {}, "x" * (2 << 20)),
    "a theme that is a path": ("GET", "/?theme=../../../etc", {}, None),
    "a theme that is a script": ("GET", f"/?theme={MARK}", {}, None),
    "a link beyond all bounds": ("GET", f"/?{'x' * 9000}", {}, None),
    "a script in the address": ("GET", f"/{MARK}", {}, None),
    "a header in the address": ("GET", "/x%0d%0aSet-Cookie:%20evil=1", {}, None),
    "a kernel that never was": ("GET", f"/api/kernels/{NOBODY}", {}, None),
}
BYTES = {
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "a request of 1990": b"GET /\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "a length and chunks": (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x"
    ),
    "a chunk beyond all bounds": (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\nx"
    ),
    "a header beyond all bounds": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    "no name of the server": b"GET /secret.txt HTTP/1.1\r\n\r\n",
    "an address of another server": b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
}
CODE = {"code": "open('got', 'w').write('x')", "silent": False, "store_history": False, "allow_stdin": True}
MESSAGES = {  # channel, kind and content of what runs code, reads or stops where the server lets it through
    "run code": ("shell", "execute_request", CODE),
    "run code by the way of control": ("control", "execute_request", CODE),
    "run code silently": ("shell", "execute_request", CODE | {"silent": True, "user_expressions": {"a": CODE["code"]}}),
    "run code on a channel that is none": ("elsewhere", "execute_request", CODE),
    "an answer nobody asked for": ("stdin", "input_reply", {"value": CODE["code"]}),
    "look at a name": ("shell", "inspect_request", {"code": "secret", "cursor_pos": 6, "detail_level": 1}),
    "complete a name": ("shell", "complete_request", {"code": "open('", "cursor_pos": 6}),
    "read what was typed": ("shell", "history_request", {"hist_access_type": "tail", "n": 99, "output": True}),
    "debug": ("control", "debug_request", {"type": "request", "seq": 1, "command": "evaluate", "arguments": CODE}),
    "shut the kernel down": ("control", "shutdown_request", {"restart": False}),
    "shut it down on the other channel": ("shell", "shutdown_request", {"restart": False}),
    "interrupt": ("control", "interrupt_request", {}),
    "speak for the kernel": ("iopub", "stream", {"name": "stdout", "text": MARK}),
    "a kind that is none": ("shell", "no_such_request", {}),
    "open what no widget is": ("shell", "comm_open", {"comm_id": "1", "target_name": "os.system", "data": CODE}),
    "a module as the target": (
        "shell",
        "comm_open",
        {"comm_id": "2", "target_name": "x", "target_module": "os", "data": {}},
    ),
    "a widget that is none": (
        "shell",
        "comm_msg",
        {"comm_id": NOBODY, "data": {"method": "update", "state": {"value": 1}}},
    ),
    "a content that is none": ("shell", "comm_msg", {"comm_id": [1], "data": "x"}),
}
FRAMES = {
    "a number of parts beyond all memory": (2**62).to_bytes(8, "little"),
    "no parts": joined([]),
    "a header that is no JSON": joined([b"shell", b"{", b"{}", b"{}", b"{}"]),
    "a header nested beyond all stacks": joined([b"shell", b"[" * 100_000, b"{}", b"{}", b"{}"]),
    "bytes": b"\xff" * 1000,
}
DOORS = {  # settings of a websocket, and the kernel that it is for
    "from a foreign page": ({"origin": "https://evil.example"}, "VICTIM"),
    "from a file": ({"origin": "null"}, "VICTIM"),
    "under a foreign name": ({"host": "evil.example"}, "VICTIM"),
    "to a kernel that never was": ({}, NOBODY),
    "to a kernel that is a path": ({}, "../../terminals/websocket/1"),
}
CELL = f"""import ipywidgets
secret = {SECRET!r}
slider = ipywidgets.IntSlider(1, 0, 10)
slider"""


class Scene(NamedTuple):
    """A server, its folder, and the kernels of the visitor who is to be disturbed and of the one who disturbs."""

    port: int
    folder: object
    victim: str
    own: str

    def visits(self) -> float:
        """Computations that were ever begun."""
        families = text_string_to_metric_families(ask(self.port, "/metrics").text)
        return {sample.name: sample.value for family in families for sample in family.samples}["workbench_visits_total"]

    def unharmed(self) -> None:
        assert alive(self.port, self.victim) == {"alive": True}
        assert not (self.folder / "got").exists()
        assert self.visits() == 2


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("attacked"), free_port()
    (folder / "secret.txt").write_text(SECRET)
    page = notebook(folder / "page.ipynb", CELL)
    command = app_command(port, notebook=page, browser=False, public=True, places=3)
    with running(command, f"http://127.0.0.1:{port}/healthz", folder / "log"):
        victim, own = (open_page(port, User_Agent=FIREFOX) for _ in range(2))
        with channels(port, victim):  # its page is open
            yield Scene(port, folder, victim, own)


def test_there_are_at_least_ninety():
    assert sum(map(len, (REQUESTS, BYTES, MESSAGES, FRAMES, DOORS))) >= 90


def got_nothing(text: str) -> None:
    for found in (SECRET, ROOT_FILE, "kernelId", MARK, "Traceback"):
        assert found not in text


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request(scene, name):
    method, path, headers, body = REQUESTS[name]
    try:
        answer = ask(
            scene.port, path.replace("VICTIM", scene.victim), method, body, **{"User-Agent": FIREFOX} | headers
        )
    except (BrokenPipeError, ConnectionResetError):
        answer = None  # the server did not hear it to its end
    if answer is not None:
        assert answer.status in range(400, 500) or answer.status in (501, 503) or name == "a robot"
        assert "evil" not in answer.headers.get("set-cookie", "")
        got_nothing(answer.text)
    scene.unharmed()


@contextmanager
def put_out() -> Iterator[None]:
    """Inside, the server may close the connection at any moment, also while more is being said."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN):
            raise


@pytest.mark.parametrize("name", BYTES)
def test_bytes(scene, name):
    with socket.create_connection(("127.0.0.1", scene.port), timeout=SECONDS) as connection:
        text = b""
        with put_out():
            connection.sendall(BYTES[name])
            connection.shutdown(socket.SHUT_WR)
        with put_out():
            while more := connection.recv(1 << 16):
                text += more
    assert not text.startswith(b"HTTP/1.1 2")
    got_nothing(text.decode("utf-8", "replace"))
    scene.unharmed()


def heard(connection: websocket.WebSocket) -> list[str]:
    """What the kernel says until it has answered a greeting."""
    connection.send_binary(message("kernel_info_request", {}))
    said = []
    while True:
        frame = connection.recv()
        assert isinstance(frame, bytes), "the server closed"
        assert frame, "the server closed"
        _, (header, _, _, content) = parts(frame)
        if header["msg_type"] == "kernel_info_reply":
            return said
        said.append(json.dumps(content))


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message(scene, name):
    channel, kind, content = MESSAGES[name]
    with channels(scene.port, scene.own) as connection:
        heard(connection)
        connection.send_binary(message(kind, content, channel))
        got_nothing(" ".join(heard(connection)))
    assert alive(scene.port, scene.own) == {"alive": True}
    scene.unharmed()


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame(scene, name):
    with channels(scene.port, scene.own) as connection:
        connection.send_binary(FRAMES[name])
        while connection.recv_data()[0] != websocket.ABNF.OPCODE_CLOSE:
            pass
    assert alive(scene.port, scene.own) == {"alive": True}
    scene.unharmed()


@pytest.mark.parametrize("name", DOORS)
def test_a_way_to_a_websocket(scene, name):
    settings, kernel = DOORS[name]
    kernel = kernel.replace("VICTIM", scene.victim)
    with (
        pytest.raises(websocket.WebSocketBadStatusException, match=r"40[034]"),
        channels(scene.port, kernel, **settings),
    ):
        pass
    scene.unharmed()


@contextmanager
def many(port: int, count: int):
    """So many connections that ask half a question each."""
    opened = []
    try:
        for _ in range(count):
            opened.append(socket.create_connection(("127.0.0.1", port), timeout=SECONDS))
            opened[-1].sendall(b"GET / HTTP/1.1\r\nHost: 127")
        yield
    finally:
        for each in opened:
            each.close()


def test_two_hundred_who_never_finish_their_question(scene):
    with many(scene.port, 200):
        scene.unharmed()


def test_the_visitor_was_served_all_the_time(scene):
    with channels(scene.port, scene.victim) as connection:
        heard(connection)
    assert ask(scene.port, "/healthz").status == 200
