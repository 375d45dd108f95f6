"""Messages that are none: told by their bytes, and refused by a real server that stays well."""

import json
import struct

import pytest
import websocket
from hypothesis import given
from hypothesis import strategies as st
from visitors import alive, ask, channels, closing, message, notebook, open_page, reply, resident

from workbench.serving import app_command
from workbench.serving.connection import POLICY_VIOLATION, PROTOCOL_ERROR, NoDelayConnection, is_message
from workbench.serving.frames import joined
from workbench.serving.kernels import AppKernelManager
from workbench.serving.process import free_port, running

GOOD = message("kernel_info_request", {})
NUMBERS = 8 * (1 + int.from_bytes(GOOD[:8], "little"))  # bytes of the numbers before the parts


def with_number(place: int, value: int) -> bytes:
    return GOOD[: 8 * place] + value.to_bytes(8, "little") + GOOD[8 * place + 8 :]


BAD = {
    "a number of parts beyond all memory": (2**62).to_bytes(8, "little"),
    "the same with something behind it": (2**62).to_bytes(8, "little") + bytes(64),
    "nothing": b"",
    "fewer bytes than a number": b"abc",
    "no parts": joined([]),
    "too few parts": joined([b"shell", b"{}", b"{}"]),
    "an offset beyond the end": with_number(3, len(GOOD) + 1),
    "the last offset beyond the end": with_number(6, 2**40),
    "offsets that go back": with_number(2, NUMBERS),
    "an offset within the numbers": with_number(1, 8),
    "cut off": GOOD[: NUMBERS + 4],
    "a header that is no JSON": joined([b"shell", b"{", b"{}", b"{}", b"{}"]),
    "a header that is a list": joined([b"shell", b"[]", b"{}", b"{}", b"{}"]),
    "a header without a type": joined([b"shell", b"{}", b"{}", b"{}", b"{}"]),
    "a header nested beyond all stacks": joined([b"shell", b"[" * 100_000, b"{}", b"{}", b"{}"]),
    "a text": "hello",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_message_is_told(name):
    assert not is_message(BAD[name])


def test_a_message_is_one():
    assert is_message(GOOD)
    assert is_message(
        joined([b"shell", json.dumps({"msg_type": "comm_msg"}).encode(), b"{}", b"{}", b"{}", b"", b"12"])
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_judged_without_an_error(data):
    is_message(data)
    is_message(data, None)


def test_a_connection_notes_what_passes_it(monkeypatch):
    """Whatever a kernel says is a sign of life; whether it is busy stands in the messages of one topic."""
    heard, manager = [], AppKernelManager()
    monkeypatch.setattr(manager, "heard", lambda *facts: heard.append(facts))
    monkeypatch.setattr(NoDelayConnection, "multi_kernel_manager", manager)
    monkeypatch.setattr(NoDelayConnection, "kernel_id", "k")
    connection = NoDelayConnection.__new__(NoDelayConnection)
    connection._note([b"kernel.k.status", b"<IDS|MSG>", b"", b"{}", b"{}", b"{}", b'{"execution_state": "busy"}'])
    connection._note([b"kernel.k.comm_msg", b"<IDS|MSG>", b"", b"{}", b"{}", b"{}", b"{}", b"no JSON"])
    assert heard == [("k", "busy"), ("k", None)]


def test_the_old_protocol_counts_its_buffers_too():
    assert is_message("{}", None)
    assert is_message(struct.pack("!ii", 1, 8) + b"{}", None)
    assert not is_message(struct.pack("!I", 2**31 - 1) + b"{}", None)
    assert not is_message(bytes(8), None)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Port and process of a server whose notebook needs next to nothing."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    command = app_command(port, notebook=notebook(folder / "page.ipynb", "print(1 + 1)"), browser=False)
    options = ["--NoDelayConnection.message_burst=100", "--NoDelayConnection.message_rate=0.001"]
    with running([*command, *options], f"http://127.0.0.1:{port}/api", folder / "log") as process:
        yield port, process


@pytest.fixture(scope="module")
def kernel(server):
    return open_page(server[0])


def answers(port: int, kernel: str) -> bool:
    """Whether a page still gets what it asks for."""
    with channels(port, kernel) as socket:
        socket.send_binary(message("kernel_info_request", {}))  # the kernel answers the same message once
        content = reply(socket, "kernel_info_reply")
    return content["status"] == "ok" and ask(port, "/nothing").status == 404 and alive(port, kernel) == {"alive": True}


@pytest.mark.parametrize("name", BAD)
def test_the_server_closes_on_it_and_stays_well(server, kernel, name):
    port, process = server
    before, data = resident(process), BAD[name]
    with channels(port, kernel) as socket:
        socket.send(data, websocket.ABNF.OPCODE_TEXT if isinstance(data, str) else websocket.ABNF.OPCODE_BINARY)
        assert closing(socket) == PROTOCOL_ERROR
    assert answers(port, kernel)
    assert resident(process) - before < 50e6


@pytest.mark.parametrize("wish", [{}, {"Sec-WebSocket-Protocol": "v2.kernel.websocket.jupyter.org"}])
def test_a_page_that_does_not_speak_the_protocol_is_closed(server, kernel, wish):
    port, process = server
    before = resident(process)
    with channels(port, kernel, None, header=wish) as socket:
        assert closing(socket) == PROTOCOL_ERROR
    assert answers(port, kernel)
    assert resident(process) - before < 50e6


def test_a_flood_of_messages_is_closed(server, kernel):
    port, _ = server
    with channels(port, kernel) as socket:
        for _ in range(101):
            socket.send_binary(message("kernel_info_request", {}))
        assert closing(socket) == POLICY_VIOLATION
    assert answers(port, kernel)
