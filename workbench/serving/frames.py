"""Messages of the kernel protocol as they go over a websocket, joined and taken apart.

A frame is its number of offsets, the offsets, and the parts between them: channel, header, parent header, metadata,
content and buffers. Every number has eight bytes, the least first.
"""

from collections.abc import Sequence
from itertools import pairwise

PROTOCOL: str = "v1.kernel.websocket.jupyter.org"
NUMBER = 8  # bytes of each number before the parts of a message


def joined(parts: Sequence[bytes]) -> bytes:
    """The frame of these parts."""
    offsets = [NUMBER * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join(n.to_bytes(NUMBER, "little") for n in (len(offsets), *offsets)) + b"".join(parts)


def parted(frame: bytes) -> list[bytes]:
    """The parts of a frame that a server sent; what a stranger sent is weighed by `connection.is_message` first.

    >>> parted(joined([b"shell", b"{}"]))
    [b'shell', b'{}']
    """
    offsets = [number(frame, place) for place in range(1, number(frame, 0) + 1)]
    return [frame[one:other] for one, other in pairwise(offsets)]


def number(frame: bytes, place: int) -> int:
    """The number at a place of the row before the parts."""
    return int.from_bytes(frame[NUMBER * place : NUMBER * (place + 1)], "little")
