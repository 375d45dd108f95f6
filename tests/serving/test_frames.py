"""Frames of the kernel protocol: there and back, and against the bytes that jupyter_server makes."""

import json

from hypothesis import given
from hypothesis import strategies as st
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

from workbench.serving.connection import is_message
from workbench.serving.frames import joined, parted


@given(st.lists(st.binary(max_size=20), max_size=9))
def test_parts_come_back_as_they_went(parts):
    assert parted(joined(parts)) == parts


def test_a_frame_is_that_of_jupyter_server():
    header = json.dumps({"msg_type": "comm_msg"}).encode()
    parts = [header, b"{}", b"{}", b"{}", b"a buffer"]
    assert serialize_msg_to_ws_v1(parts, "shell") == joined([b"shell", *parts])
    assert deserialize_msg_from_ws_v1(joined([b"shell", *parts])) == ("shell", parts)
    assert is_message(joined([b"shell", *parts]))
