"""A stranger among the visitors of `bench.classroom`, who tries again and again what would disturb or betray a server.

Frames that are no messages, floods, messages that a page may not send, requests for what is nobody's business, bodies
without end, connections that never finish their question, and pages that are opened only to be closed. Whatever is
let in that should not be is counted in `got`. It is bounded in time, in sockets and in bytes, and knows one address.
"""

import asyncio
import itertools
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

from bench.visitor import BROWSER, Visitor, frame
from workbench.serving import joined

WITHIN = 60.0  # seconds for any one attempt
FLOOD, HALF_QUESTIONS, BODY = 3_000, 40, 20_000_000  # messages, connections, bytes
PATHS = (
    "../../../../etc/passwd",
    "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "voila/static/../../../../../../etc/passwd",
    "voila/files/app.ipynb",
    "voila/render/app.ipynb",
    "files/app.ipynb",
    "api/contents",
    "api/sessions",
    "api/terminals",
    "api/kernels",
    "lab",
    "tree",
    "terminals/1",
)
SECRETS = (b"root:x:0:0", b'"cells"', b'"content"', b'"connections"', b"Traceback")  # what no answer to them may hold
FRAMES = (
    (2**62).to_bytes(8, "little"),  # a number of parts beyond all memory
    joined([]),
    joined([b"shell", b"{", b"{}", b"{}", b"{}"]),
    joined([b"shell", b"[" * 100_000, b"{}", b"{}", b"{}"]),
    b"\xff" * 1000,
)
FORBIDDEN = (
    ("shell", "execute_request", {"code": "open('got', 'w')", "silent": False}),
    ("control", "shutdown_request", {"restart": False}),
    ("control", "interrupt_request", {}),
    ("shell", "complete_request", {"code": "open('", "cursor_pos": 6}),
    ("control", "debug_request", {"type": "request", "seq": 1, "command": "evaluate", "arguments": {}}),
)


class Attacker:
    """One stranger at `url`, the address of the app with a slash at its end; `attempts` by kind, and what it `got`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.attempts: Counter[str] = Counter()
        self.got: list[str] = []
        self._visitor = Visitor(url)
        self._client = AsyncHTTPClient(force_instance=True)

    async def attack(self, seconds: float) -> None:
        """One attempt after the other, of each kind in turn, until the time is over; of each kind one at least."""
        kinds: tuple[Callable[[], Awaitable[None]], ...] = (
            self.frames,
            self.flood,
            self.forbidden,
            self.requests,
            self.body,
            self.half_questions,
            self.pages,
        )
        end = time.monotonic() + seconds
        await self._visitor.arrive()
        for number, kind in enumerate(itertools.cycle(kinds)):
            if number >= len(kinds) and time.monotonic() > end:
                break
            self.attempts[kind.__name__] += 1
            try:
                await asyncio.wait_for(kind(), WITHIN)
            except TimeoutError:
                self.got.append(f"{kind.__name__} went on for {WITHIN:.0f} s")
            except (OSError, WebSocketClosedError):
                continue  # put out: that is what should happen
        await self._visitor.leave()
        self._client.close()

    async def frames(self) -> None:
        """What is no message, each on a socket of its own."""
        for broken in FRAMES:
            async with self._socket() as socket:
                await socket.write_message(broken, binary=True)
                while await socket.read_message() is not None:  # until it is put out
                    pass

    async def flood(self) -> None:
        """Messages without a pause."""
        message = frame(uuid.uuid4().hex, "shell", "comm_info_request", {})
        async with self._socket() as socket:
            for _ in range(FLOOD):
                await socket.write_message(message, binary=True)
            while await socket.read_message() is not None:  # until it is put out
                pass

    async def forbidden(self) -> None:
        """Messages that a page has no use for."""
        async with self._socket() as socket:
            for channel, kind, content in FORBIDDEN:
                await socket.write_message(frame(uuid.uuid4().hex, channel, kind, content), binary=True)

    async def requests(self) -> None:
        """Files, other pages, other people's kernels."""
        for path in PATHS:
            headers = {"User-Agent": BROWSER, "Sec-Fetch-Dest": "document"}
            answer = await self._client.fetch(HTTPRequest(self.url + path, headers=headers), raise_error=False)
            if answer.code == 200 and any(secret in (answer.body or b"") for secret in SECRETS):
                self.got.append(f"{path}: {answer.body[:100]!r}")

    async def body(self) -> None:
        """A request whose body is larger than any."""
        reader, writer = await self._raw()
        writer.write(f"POST / HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {BODY}\r\n\r\n".encode())
        for _ in range(BODY // 100_000):
            writer.write(bytes(100_000))
            await writer.drain()
        await reader.read(100)
        writer.close()

    async def half_questions(self) -> None:
        """Many connections that begin a request and do not end it."""
        open_ = [await self._raw() for _ in range(HALF_QUESTIONS)]
        for _, writer in open_:
            writer.write(b"GET / HTTP/1.1\r\nHost: ")
        await asyncio.sleep(1.0)
        for _, writer in open_:
            writer.close()

    async def pages(self) -> None:
        """Three pages that are opened and closed as fast as it goes; whoever finds no place is told so."""
        visitors = [Visitor(self.url) for _ in range(3)]
        await asyncio.gather(*(visitor.arrive() for visitor in visitors), return_exceptions=True)
        await asyncio.gather(*(visitor.leave() for visitor in visitors if visitor.kernel))

    @property
    def _host(self) -> str:
        return self.url.split("/")[2]

    async def _raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self._host.split(":")
        return await asyncio.open_connection(host, int(port))

    @asynccontextmanager
    async def _socket(self) -> AsyncIterator[WebSocketClientConnection]:
        socket = await self._visitor.connect()
        try:
            yield socket
        finally:
            socket.close()
