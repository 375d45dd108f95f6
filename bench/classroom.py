"""A class on one server: visitors who arrive within a minute, drag, train and leave, beside ordinary kernels.

The visitors are real clients of the server (`bench.visitor`) in a process beside it, on the same cores; they draw
nothing, so a step lasts from the slider's message until the kernel's answer is there in full. What a person sees among
them tells one more visitor in a real Chromium, if there is one: its page draws the moved picture by itself before the
kernel has answered. Memory is the share of each process (PSS, Linux): what several hold together is divided among them.
`cores_busy` says how many cores other programs kept busy while it was measured.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from bench.attacker import Attacker
from bench.browser import Steps, chromium, chromium_path, open_ready, step_times
from bench.visitor import Visitor
from workbench.serving import app_command, free_port, running

TRAINED, MOVED = "training", "lif"  # the panel in which people train, and the one in which the others move a slider
SEEN = "decay γ"  # the slider that the one before a Chromium moves
DRAGGED = 20.0  # seconds
INTO = 8.0  # seconds from the first Start until the others are looked at: data are read, and all train
SINGLES = 5  # pages that are opened one after the other
AT_ONCE = 10  # pages that are opened in the same moment
FIVE = 5  # panels that a curious visitor opens
ORDINARY = 30  # sessions at most with kernels started the ordinary way, which take 220 MB each
BESIDE = 20  # visitors at the same time in a soak
MB = 1e6


class Server(NamedTuple):
    """A server of the app: its address and its process."""

    url: str
    process: psutil.Process

    def kernels(self) -> list[psutil.Process]:
        """The processes behind the pages: children of the parent that forks them, or of the server."""
        children = self.process.children()
        parents = [child for child in children if "workbench.serving.forking.parent" in command(child)]
        return parents[0].children() if parents else children

    def memory(self) -> tuple[float, float]:
        """Megabytes of all kernels together, and of the server with the parent of kernels."""
        kernels = self.kernels()
        others = [each for each in (self.process, *self.process.children()) if each not in kernels]
        return sum(map(share, kernels)), sum(map(share, others))


def command(process: psutil.Process) -> list[str]:
    """The command line of a process; empty when it has ended."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def share(process: psutil.Process) -> float:
    """Megabytes that a process has, pages in common divided by those who share them; none when it has ended."""
    try:
        return process.memory_full_info().pss / MB
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return 0.0


@contextmanager
def served(forked: bool, places: int) -> Iterator[Server]:
    """The app with forked kernels or with ordinary ones."""
    port = free_port()
    command = [*app_command(port, browser=False, places=places), f"--AppServer.fork_kernels={forked}"]
    url = f"http://127.0.0.1:{port}/"
    with tempfile.TemporaryDirectory() as folder, running(command, f"{url}api", Path(folder) / "log") as process:
        yield Server(url, psutil.Process(process))


class Lesson:
    """What happens on a server; `errors` say what went wrong (at once, too), and nothing stops at one."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.errors: list[str] = []

    async def arrive(self, count: int, within: float, trained: int = 0) -> tuple[list[Visitor], list[float]]:
        """So many visitors evenly within so many seconds, and how long each page took; the first `trained` train."""
        queries = [f"tab={TRAINED if number < trained else MOVED}" for number in range(count)]
        visitors = [Visitor(self.server.url, query) for query in queries]
        pause = within / count

        async def come(number: int) -> float | None:
            await asyncio.sleep(number * pause)
            return await self.tried(visitors[number].arrive())

        times = await asyncio.gather(*map(come, range(count)))
        return visitors, [seconds for seconds in times if seconds is not None]

    async def leave(self, visitors: Sequence[Visitor]) -> None:
        """All close their pages; returns when the processes behind them are gone."""
        await asyncio.gather(*(self.tried(visitor.leave()) for visitor in visitors if visitor.kernel))
        end = time.monotonic() + 60
        while self.server.kernels() and time.monotonic() < end:
            await asyncio.sleep(0.1)
        if left := self.server.kernels():
            self._wrong(f"{len(left)} kernels live on after all have left")

    async def drag(self, visitors: Sequence[Visitor], seconds: float, watcher: "Watcher") -> dict[str, Any]:
        """All move a slider of their first panel; milliseconds of a step, and those until the watcher has seen one."""
        for visitor in visitors:
            visitor.times.clear()
        dragging = (self.tried(visitor.drag(slider(visitor), seconds)) for visitor in visitors)
        *_, seen = await asyncio.gather(*dragging, self.tried(watcher.drag(seconds)))
        found: dict[str, Any] = milliseconds([one for visitor in visitors for one in visitor.times])
        return found | {"seen": milliseconds(seen)} if seen else found

    async def tried(self, doing: Any) -> Any:
        try:
            return await doing
        except Exception as error:  # of whatever part: it is counted, and the lesson goes on
            self._wrong(f"{type(error).__name__}: {error}")
            return None

    def _wrong(self, sentence: str) -> None:
        say(sentence)
        self.errors.append(sentence)


class Watcher:
    """A person before a Chromium; Playwright wants a thread of its own. Without a Chromium nobody watches."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._thread = ThreadPoolExecutor(1)
        self._open = ExitStack()
        self._page: Any = None

    async def arrive(self) -> None:
        """Open the page of the panel whose slider everybody drags."""
        if chromium_path():
            await self._do(self._arrive)

    async def drag(self, seconds: float) -> list[float]:
        """Press an arrow key on the slider again and again: seconds until each picture stood."""
        return [] if self._page is None else await self._do(self._drag, seconds)

    async def leave(self) -> None:
        """Close the page and the browser."""
        await self._do(self._leave)
        self._thread.shutdown()

    async def _do(self, what: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, what, *arguments)

    def _arrive(self) -> None:
        browser = self._open.enter_context(chromium())
        self._page, _ = open_ready(browser, f"{self._server.url}?tab={MOVED}", SEEN)

    def _drag(self, seconds: float) -> list[float]:
        times, end = Steps([], []), time.monotonic() + seconds
        while time.monotonic() < end:
            step_times(self._page, 4, times)
        return [each / 1e3 for each in times.drawn]

    def _leave(self) -> None:
        before, end = len(self._server.kernels()), time.monotonic() + 60
        if self._page is not None:
            self._page.goto("about:blank")  # the page says that it leaves, and its kernel ends
            while len(self._server.kernels()) == before and time.monotonic() < end:
                time.sleep(0.1)
        self._open.close()


def say(text: str) -> None:
    """How far it is."""
    print(f"  {text}", file=sys.stderr, flush=True)


def slider(visitor: Visitor) -> str:
    """The slider that visitors drag."""
    return visitor.find("FloatSliderModel")[0]


def milliseconds(times: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    if len(times) < 2:
        return {"median_ms": float("nan"), "p95_ms": float("nan"), "steps": len(times)}
    p95 = statistics.quantiles(times, n=20)[-1]
    return {"median_ms": 1e3 * statistics.median(times), "p95_ms": 1e3 * p95, "steps": len(times)}


async def opening(server: Server) -> dict[str, Any]:
    """Seconds until a page is there, one after the other, and until the last of ten at once is."""
    lesson, alone = Lesson(server), []
    await lesson.leave((await lesson.arrive(1, 0.0))[0])  # the server and the parent of kernels are warm
    for _ in range(SINGLES):
        visitors, times = await lesson.arrive(1, 0.0)
        alone += times
        await lesson.leave(visitors)
    visitors, times = await lesson.arrive(AT_ONCE, 0.0)
    await lesson.leave(visitors)
    return {"page_s": statistics.median(alone), "ten_at_once_s": max(times), "errors": lesson.errors}


async def ordinary(server: Server, sessions: int, training: int, within: float) -> dict[str, Any]:
    """The same arrivals with kernels that are started the ordinary way."""
    report, lesson = await opening(server), Lesson(server)
    visitors, _ = await lesson.arrive(sessions, within, training)
    kernels, _ = server.memory()
    await lesson.leave(visitors)
    return report | {"session_mb": kernels / sessions, "errors": report["errors"] + lesson.errors}


async def whole(
    server: Server, sessions: int, dragging: int, training: int, within: float, attacking: int = 0
) -> dict[str, Any]:
    """A lesson from its beginning to its end; in its last third strangers attack the server, if there are any."""
    report, lesson = await opening(server), Lesson(server)
    _, before = server.memory()
    visitors, times = await lesson.arrive(sessions, within, training)
    kernels, others = server.memory()
    workers, draggers = visitors[:training], visitors[training : training + dragging]
    report |= {
        "arriving_page_s": statistics.median(times),
        "arriving_page_p95_s": statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0],
        "session_mb": kernels / sessions,
        "server_mb": others,
    }
    say(f"{sessions} are there, {dragging} drag")
    watcher = Watcher(server)
    await lesson.tried(watcher.arrive())
    report["dragging"] = await lesson.drag(draggers, DRAGGED, watcher)
    worked = INTO + DRAGGED * (2 if attacking else 1) + 2
    runs = [asyncio.ensure_future(lesson.tried(visitor.train(worked))) for visitor in workers]
    say(f"{len(workers)} train")
    await asyncio.sleep(INTO if workers else 0.0)
    report["dragging_while_training"] = await lesson.drag(draggers, DRAGGED, watcher)
    if attacking:
        say(f"{attacking} attack")
        strangers = [Attacker(server.url) for _ in range(attacking)]
        attacks = [asyncio.ensure_future(lesson.tried(stranger.attack(DRAGGED))) for stranger in strangers]
        report["dragging_under_attack"] = await lesson.drag(draggers, DRAGGED, watcher)
        await asyncio.gather(*attacks)
        report["attempts"] = sum(stranger.attempts.total() for stranger in strangers)
        report["got"] = [each for stranger in strangers for each in stranger.got]
    await lesson.tried(watcher.leave())
    report["runs"] = sum(filter(None, await asyncio.gather(*runs)))
    curious = draggers[0]
    for number in range(1, FIVE + 1):
        await lesson.tried(curious.open_tab(number))
    report["five_panels_mb"] = of_kernel(server, curious)
    answers = await asyncio.gather(*(lesson.tried(visitor.ask()) for visitor in visitors))
    report["sessions_lost"] = answers.count(None)
    await lesson.leave(visitors)
    _, after = server.memory()
    return report | {"server_before_mb": before, "server_after_mb": after, "errors": report["errors"] + lesson.errors}


def of_kernel(server: Server, visitor: Visitor) -> float:
    """Megabytes of the kernel behind a page: that whose sockets bear its name."""
    inodes = {line.split()[6] for line in Path("/proc/net/unix").read_text().splitlines() if visitor.kernel in line}
    names = {f"socket:[{inode}]" for inode in inodes}
    for process in server.kernels():
        files = Path(f"/proc/{process.pid}/fd")
        if names & {os.readlink(file) for file in files.iterdir()}:
            return share(process)
    raise RuntimeError(f"no process holds the sockets of kernel {visitor.kernel}")


async def soak(server: Server, turns: int) -> dict[str, Any]:
    """So many visitors, `BESIDE` at a time: each arrives, drags a little and leaves; memory of the server after."""
    lesson, curve = Lesson(server), []
    beside = min(BESIDE, turns)

    async def one() -> None:
        visitor = Visitor(server.url, f"tab={MOVED}")
        if await lesson.tried(visitor.arrive()) is not None:
            await lesson.tried(visitor.drag(slider(visitor), 0.5))
            await lesson.tried(visitor.leave())

    for _ in range(0, turns, beside):
        await asyncio.gather(*(one() for _ in range(beside)))
        await lesson.leave([])
        curve.append(round(server.memory()[1], 1))
        say(f"{len(curve) * beside} have come and gone")
    return {"turns": len(curve) * beside, "server_mb": curve, "errors": lesson.errors}


def classroom(
    sessions: int = 30, dragging: int = 10, training: int = 5, within: int = 60, turns: int = 0, attacking: int = 0
) -> dict[str, Any]:
    """A class on forked kernels beside one on ordinary kernels; `within` seconds all have come.

    The ratio is the memory of an ordinary session, of which there are `ORDINARY` at most, divided by that of a forked
    one. `turns` visitors more come and go in a soak; `attacking` strangers do what they can while others work.
    """
    if dragging < 1 or dragging + training > sessions:
        raise ValueError(
            f"of {sessions} sessions at least one drags, and those who drag or train are not more than all; "
            f"got {dragging} and {training}"
        )
    load = Load()
    places = max(sessions, AT_ONCE, BESIDE) + 2 + 4 * attacking  # one is the watcher's
    with served(True, places) as server:
        ours = asyncio.run(whole(server, sessions, dragging, training, within, attacking))
        gone = asyncio.run(soak(server, turns)) if turns else None
    with served(False, places) as server:
        beside = min(sessions, ORDINARY)
        peer = asyncio.run(ordinary(server, beside, min(training, beside), within))
    return {
        "name": "class",
        "peer": "kernels started the ordinary way",
        "ratio": peer["session_mb"] / ours["session_mb"],
        "page_ratio": peer["page_s"] / ours["page_s"],
        "ten_at_once_ratio": peer["ten_at_once_s"] / ours["ten_at_once_s"],
        "sessions": sessions,
        **ours,
        **({"soak": gone} if gone else {}),
        "ordinary": peer,
        "machine": load.report(),
    }


class Load:
    """What the machine does beside us from now on."""

    def __init__(self) -> None:
        self._started, self._times = time.monotonic(), psutil.cpu_times()

    def report(self) -> dict[str, Any]:
        """Cores of the machine, how many were busy on average, and how long the row for them is now."""
        now, seconds = psutil.cpu_times(), time.monotonic() - self._started
        idle = now.idle + now.iowait - self._times.idle - self._times.iowait
        cores = psutil.cpu_count() or 1
        return {"cores": cores, "cores_busy": cores - idle / seconds, "load": os.getloadavg()[0]}


BENCHMARKS = {"class": classroom}
