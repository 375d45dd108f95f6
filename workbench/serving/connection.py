"""The server's end of the websocket between a page and its kernel: quick, and closed to what is no message."""

import json
import time
from itertools import pairwise
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.iostream import StreamBufferFullError
from traitlets import Float

from workbench.serving.bucket import Bucket
from workbench.serving.frames import NUMBER, PROTOCOL, number
from workbench.serving.kernels import AppKernelManager

PROTOCOL_ERROR, POLICY_VIOLATION = 1002, 1008  # RFC 6455, 7.4.1
_FEWEST = 6  # numbers at least: begin of channel, header, parent, metadata, content, and the end
_UNSENT = 64 << 20  # bytes that wait for a page that does not read


class NoDelayConnection(ZMQChannelsWebsocketConnection):
    """Sends small messages at once, and closes on whoever sends what is no message or too many.

    jupyter_server leaves Nagle's algorithm on, and a browser acknowledges late: each redraw of a widget then waits
    40 ms. Without it a plotly figure follows a dragged slider at nearly twice the rate. `jupyter/config/voila.json` and
    `jupyter/config/jupyter_server_config.json` name this class.

    jupyter_server and Voila build a list as long as the first eight bytes of a message say, and Voila reads outgoing
    messages as if each page spoke the protocol that has them. One frame could so hold the server for ever.
    """

    message_rate = Float(200.0, help="messages a second that a page may send in the long run").tag(config=True)
    message_burst = Float(2000.0, help="messages that a page may send at once").tag(config=True)
    byte_rate = Float(5e6, help="bytes a second that a page may send in the long run").tag(config=True)
    byte_burst = Float(50e6, help="bytes that a page may send at once").tag(config=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._messages = Bucket(self.message_rate, self.message_burst)
        self._bytes = Bucket(self.byte_rate, self.byte_burst)

    def connect(self) -> Any:
        handler: Any = self.websocket_handler
        handler.set_nodelay(True)
        if not self._speaks():
            return handler.close(PROTOCOL_ERROR, f"this server speaks {PROTOCOL} only")
        return super().connect()

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        now, handler = time.monotonic(), self.websocket_handler
        if not (self._messages.take(1, now) and self._bytes.take(len(incoming_msg), now)):
            handler.close(POLICY_VIOLATION, "too many messages")
        elif not self._speaks() or not is_message(incoming_msg, self.subprotocol):
            handler.close(PROTOCOL_ERROR, "not a message of the kernel protocol")
        else:
            super().handle_incoming_message(incoming_msg)

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        handler: Any = self.websocket_handler
        if handler.ws_connection is None:
            return  # closed, and what the kernel still says has no reader
        handler.ws_connection.stream.max_write_buffer_size = _UNSENT
        self._note(outgoing_msg)
        try:
            super().handle_outgoing_message(stream, outgoing_msg)
        except StreamBufferFullError:
            handler.close(POLICY_VIOLATION, "the page does not read")

    def _note(self, message: list[Any]) -> None:
        """Tell the manager of an app's kernels that a kernel is alive, and whether it is busy."""
        manager: Any = self.multi_kernel_manager
        if isinstance(manager, AppKernelManager):
            state = json.loads(message[-1])["execution_state"] if message[0].endswith(b".status") else None
            manager.heard(self.kernel_id, state)

    def _speaks(self) -> bool:
        """Whether the page speaks a protocol that this server can read: the old one where anything may be sent."""
        return self.subprotocol == PROTOCOL or not self.multi_kernel_manager.allowed_message_types


def is_message(message: str | bytes, protocol: str | None = PROTOCOL) -> bool:
    """Whether what came over the websocket can be read at the cost of its own length.

    >>> is_message((2**62).to_bytes(8, "little"))
    False
    """
    if protocol != PROTOCOL:  # text, or a number of buffers of four bytes each before them
        return isinstance(message, str) or 0 < int.from_bytes(message[:4], "big") <= len(message) // 4
    if not isinstance(message, bytes):
        return False
    count = number(message, 0)
    if not _FEWEST <= count <= len(message) // NUMBER - 1:
        return False
    offsets = [number(message, place) for place in range(1, count + 1)]
    ends = [NUMBER * (count + 1), *offsets, len(message)]
    return all(one <= other for one, other in pairwise(ends)) and _is_header(message[offsets[1] : offsets[2]])


def _is_header(part: bytes) -> bool:
    try:
        header = json.loads(part)
    except (ValueError, RecursionError):
        return False
    return isinstance(header, dict) and isinstance(header.get("msg_type"), str)
