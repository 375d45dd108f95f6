"""The processes behind the pages: how many there may be, which of them still live, and how the others ended."""

import asyncio
import hmac
import math
import statistics
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import zmq
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Float, Integer, default

from workbench.serving.files import files_for

IDLE = "It was ended after a time without use."
UNCLAIMED = "Its page was never shown."
DIED = "It ended by itself or was ended by the system, perhaps for want of memory."
UNKNOWN = "The server was started anew, or the computation ended long ago."
ENDINGS = (IDLE, UNCLAIMED, DIED, UNKNOWN)  # in English: whoever shows one says it in the language of the page
_WHY = {IDLE: "idle", UNCLAIMED: "unclaimed", DIED: "died"}  # in a word
_REMEMBERED = 1000  # endings that can still be told
_WAITS = (15, 600)  # seconds: the shortest and the longest estimate that is given


class Arrival:
    """A visitor at the door: whether there is a place, and the kernel once it is there."""

    def __init__(self, free: bool) -> None:
        self.free = free
        self.kernel: str | None = None


class Page(NamedTuple):
    """What was sent to the browser of a kernel, and the name by which the server knows that browser."""

    owner: str
    html: str


class AppKernelManager(AsyncMappingKernelManager):
    """Kernels up to a number of places; a dead one is noticed within `watch_period`, not restarted, its place freed.

    A restarted kernel would know nothing of its page. A kernel whose page never connects is ended as well: one request
    without a browser behind it holds a place for `claim_timeout` seconds after its answer at most. A page may be
    reloaded, and opened again within `grace` seconds after it was closed; then its kernel ends.

    What a kernel says is noted by the connection of its page, which reads it anyway, not by a second socket of the
    server, whose reading is a third of what a message costs. Without a page nothing is heard, and the time without use
    begins, whatever the kernel computes: nobody sees it.
    """

    places = Integer(40, min=1, help="kernels at once; more visitors are asked to come back").tag(config=True)
    claim_timeout = Float(120.0, help="seconds within which a page that was sent must connect").tag(config=True)
    grace = Float(3.0, help="seconds that the kernel of a closed page waits for the page to come back").tag(config=True)
    watch_period = Float(1.0, help="seconds between two looks at the kernels").tag(config=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._endings: OrderedDict[str, str] = OrderedDict()
        self._arrivals: dict[Any, Arrival] = {}
        self._started: dict[str, float] = {}
        self._unclaimed: dict[str, float] = {}  # kernels whose page was sent, and when
        self._pages: dict[str, Page] = {}
        self._closed: dict[str, float] = {}  # kernels whose page was closed, and when
        self._stays: deque[float] = deque(maxlen=100)
        self.visits = self.turned_away = 0
        self.ended: Counter[str] = Counter()

    @default("context")
    def _context_default(self) -> Any:
        """ZeroMQ with sockets for all places; of itself it has 1,023, of which 200 visitors and some take all."""
        context = super()._context_default()
        context.max_sockets = min(max(context.max_sockets, files_for(self.places)), context.get(zmq.SOCKET_LIMIT))
        return context

    @property
    def taken(self) -> int:
        """Places that are taken, or will be in a moment."""
        starting = sum(1 for arrival in self._arrivals.values() if arrival.kernel is None)
        return len(self._started) + starting  # a kernel that is still starting may stand in the list of kernels already

    @contextmanager
    def arrival(self) -> Iterator[Arrival]:
        """Holds a place from the look at the door until the kernel is there, and knows the kernel while it is shown."""
        arrival, visitor = Arrival(self.taken < self.places), asyncio.current_task()
        if arrival.free:
            self._arrivals[visitor] = arrival
            self.visits += 1
        else:
            self.turned_away += 1
        try:
            yield arrival
        finally:
            self._arrivals.pop(visitor, None)
            if arrival.kernel is not None and arrival.kernel in self:
                self._unclaimed.setdefault(arrival.kernel, time.monotonic())

    def keep(self, kernel: str, page: Page) -> None:
        """Remember a page as long as its kernel lives."""
        if kernel in self._started:
            self._pages[kernel] = page

    def page_again(self, kernels: Iterable[str], owner: str) -> tuple[str, Page] | None:
        """The first of these kernels that is the owner's, with its page, which must connect as a new one must.

        A kernel whose page has just been sent comes after the others: tabs that are reloaded at once get one each.
        """
        for kernel in sorted(kernels, key=lambda kernel: self._unclaimed.get(kernel) != math.inf):
            page = self._pages.get(kernel)
            if page is not None and hmac.compare_digest(page.owner.encode(), owner.encode()):
                self._unclaimed[kernel] = time.monotonic()
                self._closed.pop(kernel, None)
                return kernel, page
        return None

    def close_page(self, kernel: str) -> None:
        """A page says that it is closed. Its kernel ends after a while, unless a page is connected to it by then.

        A page that is reloaded says so when the next one has been sent already.
        """
        if self._unclaimed.get(kernel) == math.inf:
            self._closed[kernel] = time.monotonic()

    @property
    def wait(self) -> int:
        """Seconds until a place will be free, estimated: as long as visitors stay on average, shared by the places."""
        stay = statistics.fmean(self._stays) if self._stays else self.cull_idle_timeout
        return round(min(max(stay / self.places, _WAITS[0]), _WAITS[1]))

    async def ending(self, kernel: str) -> str | None:
        """How a kernel ended, in a sentence; None while it lives."""
        if kernel not in self or kernel in self._endings:
            return self._endings.get(kernel, UNKNOWN)
        manager: Any = self.get_kernel(kernel)
        return None if await manager.is_alive() else DIED

    async def start_kernel(self, **settings: Any) -> str:  # type: ignore[override]
        kernel = await super().start_kernel(**settings)
        if arrival := self._arrivals.get(asyncio.current_task()):
            arrival.kernel = kernel
        self._started[kernel] = time.monotonic()
        return kernel

    async def shutdown_kernel(self, kernel_id: str, *arguments: Any, **settings: Any) -> None:  # type: ignore[override]
        self._pages.pop(kernel_id, None)
        await super().shutdown_kernel(kernel_id, *arguments, **settings)
        self.ended[_WHY.get(self._endings.get(kernel_id, ""), "closed")] += 1
        self._left(kernel_id)

    def start_watching_activity(self, kernel_id: str) -> None:
        """A kernel is ready; from now on `heard` says what it does."""
        kernel: Any = self._kernels[kernel_id]
        kernel.reason, kernel.last_activity, kernel.execution_state = "", datetime.now(UTC), "idle"

    def heard(self, kernel_id: str, state: str | None) -> None:
        """A kernel has said something to its page: "busy" or "idle", or anything else (None)."""
        if kernel_id in self:
            kernel: Any = self._kernels[kernel_id]
            self.last_kernel_activity = kernel.last_activity = datetime.now(UTC)
            kernel.execution_state = state or kernel.execution_state

    def notify_connect(self, kernel_id: str) -> None:
        super().notify_connect(kernel_id)
        self._unclaimed[kernel_id] = math.inf

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        await super().cull_kernel_if_idle(kernel_id)
        if kernel_id not in self:
            self._end(kernel_id, IDLE)

    async def watch(self) -> None:
        """Look at all kernels again and again; runs as long as the server."""
        while True:
            await asyncio.sleep(self.watch_period)
            for kernel in list(self.list_kernel_ids()):
                try:
                    await self._look_at(kernel)
                except Exception:
                    self.log.exception("kernel %s could not be looked at", kernel)

    async def _look_at(self, kernel: str) -> None:
        if kernel not in self._started or kernel not in self:
            return  # not there yet, or not any more
        reason = await self.ending(kernel)
        if reason is None and time.monotonic() - self._unclaimed.get(kernel, math.inf) > self.claim_timeout:
            reason = UNCLAIMED
        if reason and kernel in self:
            self.log.warning("kernel %s is gone: %s", kernel, reason)
            self._end(kernel, reason)
            await self.shutdown_kernel(kernel, now=True)
        elif time.monotonic() - self._closed.get(kernel, math.inf) > self.grace:
            del self._closed[kernel]
            if not self._kernel_connections.get(kernel):
                await self.shutdown_kernel(kernel, now=True)

    def _end(self, kernel: str, reason: str) -> None:
        self._endings[kernel] = reason
        while len(self._endings) > _REMEMBERED:
            self._endings.popitem(last=False)

    def _left(self, kernel: str) -> None:
        self._unclaimed.pop(kernel, None)
        self._closed.pop(kernel, None)
        started = self._started.pop(kernel, None)
        if started is not None:
            self._stays.append(time.monotonic() - started)
