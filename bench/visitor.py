"""A visitor of the app without a browser: opens the page, moves a slider, trains and leaves, over real sockets.

It does what the page's widgets do, message for message, and draws nothing. Many of them live in one event loop.
"""

import asyncio
import functools
import json
import re
import time
import uuid
from typing import Any

import ipywidgets
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httputil import parse_cookie
from tornado.websocket import WebSocketClientConnection, websocket_connect

from workbench.serving import PROTOCOL, joined, parted

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SECONDS = 180.0  # for any single answer
PACE = 1 / 30  # seconds between two values of a slider that is dragged
_MANY = 500  # requests at the same time


@functools.cache
def usual(model: str) -> dict[str, Any]:
    """What a slider or button has unless its kernel says otherwise; kernels leave out what is as usual."""
    kinds = {"ButtonModel": ipywidgets.Button, "FloatSliderModel": ipywidgets.FloatSlider}
    kinds |= {"IntSliderModel": ipywidgets.IntSlider, "FloatLogSliderModel": ipywidgets.FloatLogSlider}
    return dict(kinds[model]().get_state()) if model in kinds else {}


def frame(name: str, channel: str, kind: str, content: dict[str, Any], metadata: dict[str, Any] | None = None) -> bytes:
    """A message of the kernel protocol as it goes over a websocket; its answers bear its name."""
    header = {"msg_id": name, "msg_type": kind, "session": "s", "username": "", "version": "5.3", "date": ""}
    parts = [json.dumps(part).encode() for part in (header, {}, metadata or {}, content)]
    return joined([channel.encode(), *parts])


class Visitor:
    """One page at `url`, the address of the app with a slash at its end. `times` are the seconds of its slider steps.

    A step ends when the kernel is idle again and has sent all that it changed: then the page has what it draws.
    """

    def __init__(self, url: str, query: str = "") -> None:
        self.url, self.query = url, query
        self.kernel = ""
        self.times: list[float] = []
        self.models: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._client = AsyncHTTPClient(force_instance=True, max_clients=_MANY)
        self._socket: WebSocketClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._cookie = ""

    async def arrive(self) -> float:
        """Open the page and fetch the state of its widgets, as Voila's page does: the seconds that it took."""
        started = time.perf_counter()
        answer = await self._ask("GET", f"?{self.query}" if self.query else "")
        found = re.search(r'"kernelId": "([0-9a-f-]{36})"', answer.body.decode())
        if found is None:
            raise RuntimeError(f"the page of {self.url} names no kernel; it begins with {answer.body[:300]!r}")
        self.kernel = found[1]
        for cookie in answer.headers.get_list("Set-Cookie"):
            self._cookie = parse_cookie(cookie.partition(";")[0]).get("_xsrf", self._cookie)
        self._socket = await self.connect()
        self._reader = asyncio.ensure_future(self._read())
        control = uuid.uuid4().hex
        content = {"comm_id": control, "target_name": "jupyter.widget.control", "data": {}}
        await self._say("comm_open", content, {"version": "1.0.0"})
        await self._tell(control, {"method": "request_states"})
        if not self.models:
            raise RuntimeError(f"the kernel of {self.url} told no widgets")
        return time.perf_counter() - started

    async def connect(self) -> WebSocketClientConnection:
        """One more websocket to the kernel of this page."""
        address = self.url.replace("http", "ws", 1) + f"api/kernels/{self.kernel}/channels?session_id={uuid.uuid4()}"
        request = HTTPRequest(address, headers={"User-Agent": BROWSER})
        return await websocket_connect(request, subprotocols=[PROTOCOL], max_message_size=1 << 30)

    def find(self, model: str, **state: Any) -> list[str]:
        """The widgets of a model whose state holds what is asked for, oldest first."""
        wanted = state.items()
        return [
            name
            for name, found in self.models.items()
            if found.get("_model_name") == model and all(found.get(key) == value for key, value in wanted)
        ]

    async def step(self, slider: str, value: float) -> None:
        """Move a slider to a value and wait for what it changes."""
        started = time.perf_counter()
        await self._tell(slider, {"method": "update", "state": {"value": value}, "buffer_paths": []})
        self.times.append(time.perf_counter() - started)

    async def drag(self, slider: str, seconds: float) -> None:
        """Move a slider to and fro, with one value under way at a time and `1 / PACE` values a second at most."""
        state = self.models[slider]
        low, high, width = state["min"], state["max"], state["step"]
        count = max(1, min(20, round((high - low) / width)))
        end, number = time.perf_counter() + seconds, 0
        while (now := time.perf_counter()) < end:
            place = abs((number := number + 1) % (2 * count) - count)
            value = low + place * width
            await self.step(slider, type(state["value"])(value))
            await asyncio.sleep(max(0.0, now + PACE - time.perf_counter()))

    async def click(self, label: str) -> None:
        """Press the first button of this label that can be pressed."""
        buttons = self.find("ButtonModel", description=label, disabled=False)
        if not buttons:
            raise RuntimeError(f"the page of {self.url} has no button {label!r} that can be pressed")
        await self._tell(buttons[0], {"method": "custom", "content": {"event": "click"}})

    async def train(self, seconds: float) -> int:
        """Press Start whenever it can be pressed, then Stop: how many runs were begun."""
        end, runs = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            if self.find("ButtonModel", description="Start", disabled=False):
                await self.click("Start")
                runs += 1
            await asyncio.sleep(0.25)
        if self.find("ButtonModel", description="Stop", disabled=False):
            await self.click("Stop")
        return runs

    async def open_tab(self, number: int) -> None:
        """Choose a tab of the app; number 0 is its start page."""
        (stack,) = self.find("StackModel")
        await self._tell(stack, {"method": "update", "state": {"selected_index": number}, "buffer_paths": []})

    async def ask(self) -> bool:
        """Whether the kernel answers; raises RuntimeError where the server has closed the socket."""
        await self._say("kernel_info_request", {})
        return True

    async def leave(self) -> None:
        """Close the page as a browser does: a beacon that ends the kernel, and the end of the socket."""
        headers = {"Cookie": f"_xsrf={self._cookie}", "X-XSRFToken": self._cookie}
        await self._ask("POST", f"voila/api/shutdown/{self.kernel}", headers, "")
        if self._socket is not None:
            self._socket.close()
        if self._reader is not None:
            await self._reader
        self._client.close()

    async def _ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None) -> Any:
        request = HTTPRequest(
            self.url + path,
            method,
            {"User-Agent": BROWSER, "Sec-Fetch-Dest": "document", **(headers or {})},
            body,
            connect_timeout=SECONDS,
            request_timeout=SECONDS,
        )
        return await self._client.fetch(request)

    async def _tell(self, comm: str, data: dict[str, Any]) -> None:
        await self._say("comm_msg", {"comm_id": comm, "data": data})

    async def _say(self, kind: str, content: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        """Send a message and wait until the kernel has done what it asks for."""
        assert self._socket is not None
        name = uuid.uuid4().hex
        done = self._waiting[name] = asyncio.get_running_loop().create_future()
        await self._socket.write_message(frame(name, "shell", kind, content, metadata), binary=True)
        try:
            await asyncio.wait_for(done, SECONDS)
        finally:
            self._waiting.pop(name, None)

    async def _read(self) -> None:
        assert self._socket is not None
        while (heard := await self._socket.read_message()) is not None:
            if isinstance(heard, bytes):
                self._hear(parted(heard))
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(RuntimeError(f"the server closed the socket ({self._socket.close_reason})"))

    def _hear(self, parts: list[bytes]) -> None:
        kind = json.loads(parts[1])["msg_type"]
        if kind == "status":
            waiting = self._waiting.get(json.loads(parts[2]).get("msg_id", ""))
            if waiting and not waiting.done() and json.loads(parts[4])["execution_state"] == "idle":
                waiting.set_result(None)
        elif kind == "comm_open":
            content = json.loads(parts[4])
            self.models.setdefault(content["comm_id"], {}).update(content["data"].get("state", {}))
        elif kind == "comm_msg":
            content = json.loads(parts[4])
            data = content["data"]
            if data.get("method") == "update":
                self.models.setdefault(content["comm_id"], {}).update(data["state"])
            elif data.get("method") == "update_states":
                for name, model in data["states"].items():
                    state = usual(model["model_name"]) | model["state"] | {"_model_name": model["model_name"]}
                    self.models.setdefault(name, {}).update(state)
