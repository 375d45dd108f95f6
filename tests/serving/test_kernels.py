"""Places for kernels without any kernel: who is let in, how long the next one waits, and how kernels ended."""

import asyncio
import json
from datetime import timedelta
from importlib.resources import files
from types import SimpleNamespace

import pytest
import zmq
from traitlets.config import Config

from workbench.serving import kernels
from workbench.serving.files import files_for
from workbench.serving.kernels import IDLE, UNCLAIMED, UNKNOWN, AppKernelManager, Page


@pytest.fixture
def manager():
    return AppKernelManager(places=2)


async def visit(manager, door, leave):
    with manager.arrival() as arrival:
        door.put_nowait(arrival.free)
        await leave.wait()


@pytest.mark.parametrize("places", [2, 400, 100_000])
def test_zeromq_has_sockets_for_all_places(places):
    """Beyond its limit ZeroMQ answers "Too many open files", whatever the system allows."""
    manager = AppKernelManager(places=places)  # which ends its context with itself
    assert manager.context.max_sockets == min(max(1023, files_for(places)), manager.context.get(zmq.SOCKET_LIMIT))


def test_a_place_is_held_from_the_door_on(manager):
    """Two visitors who come at once take both places before any kernel is there; the third is turned away."""

    async def three():
        door, leave = asyncio.Queue(), asyncio.Event()
        visits = [asyncio.ensure_future(visit(manager, door, leave)) for _ in range(3)]
        let_in = [await door.get() for _ in visits]
        assert manager.taken == 2
        leave.set()
        await asyncio.gather(*visits)
        return let_in

    assert asyncio.run(three()) == [True, True, False]
    assert manager.taken == 0
    assert (manager.visits, manager.turned_away) == (2, 1)


def test_a_kernel_that_is_listed_before_its_start_has_ended_takes_one_place(manager, monkeypatch):
    async def start(self, **settings):
        self._kernels["kernel"] = object()
        listed.set()
        await go_on.wait()
        return "kernel"

    async def visitor():
        with manager.arrival() as arrival:
            assert await manager.start_kernel() == arrival.kernel

    async def look():
        visit = asyncio.ensure_future(visitor())
        await listed.wait()
        taken = manager.taken
        go_on.set()
        await visit
        return taken, manager.taken

    listed, go_on = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(kernels.AsyncMappingKernelManager, "start_kernel", start)
    assert asyncio.run(look()) == (1, 1)
    manager._kernels.clear()


@pytest.mark.parametrize(("stays", "wait"), [([100.0, 300.0], 100), ([1.0], 15), ([1e6], 600)])
def test_the_wait_is_the_mean_stay_shared_by_the_places_within_bounds(manager, stays, wait):
    manager._stays.extend(stays)
    assert manager.wait == wait


def test_before_anybody_left_the_wait_is_the_time_until_an_idle_kernel_ends():
    assert AppKernelManager(places=3, cull_idle_timeout=300).wait == 100


@pytest.fixture
def clock(manager, monkeypatch):
    """Seconds as the manager reads them, and the kernels that it `ended`: of two, of ada, whose pages are connected."""
    clock = SimpleNamespace(now=100.0, ended=[])

    async def shutdown(kernel, **settings):
        clock.ended.append(kernel)

    async def lives(kernel):
        return None

    monkeypatch.setattr(kernels.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(manager, "shutdown_kernel", shutdown)
    monkeypatch.setattr(manager, "ending", lives)
    for kernel in ("one", "other"):
        manager._kernels[kernel], manager._kernel_connections[kernel] = object(), 0
        manager._started[kernel] = clock.now
        manager.keep(kernel, Page("ada", f"page of {kernel}"))
        manager.notify_connect(kernel)
    yield clock
    manager._kernels.clear()


def look(manager, kernel="one"):
    asyncio.run(manager._look_at(kernel))


def test_a_page_is_given_again_to_its_owner_alone(manager, clock):
    assert manager.page_again(["one"], "bob") is None
    assert manager.page_again(["none", "one"], "ada") == ("one", Page("ada", "page of one"))
    assert manager.page_again([], "ada") is None
    manager.keep("never started", Page("ada", ""))
    assert manager.page_again(["never started"], "ada") is None


def test_tabs_that_are_reloaded_at_once_have_a_kernel_each_and_a_second_reload_has_it_again(manager, clock):
    assert [manager.page_again(["one", "other"], "ada")[0] for _ in range(2)] == ["one", "other"]
    assert manager.page_again(["other"], "ada")[0] == "other"


def test_a_page_that_was_given_again_must_connect(manager, clock):
    manager.page_again(["one"], "ada")
    manager.notify_disconnect("one")
    clock.now += manager.claim_timeout + 1
    look(manager)
    assert clock.ended == ["one"]


def test_a_closed_page_ends_its_kernel_after_a_while(manager, clock):
    manager.close_page("one")
    manager.notify_disconnect("one")
    clock.now += manager.grace
    look(manager)
    assert not clock.ended
    clock.now += 0.1
    look(manager)
    look(manager, "other")
    assert clock.ended == ["one"]


def test_a_page_that_comes_back_in_time_keeps_its_kernel(manager, clock):
    manager.close_page("one")
    manager.notify_disconnect("one")
    manager.page_again(["one"], "ada")
    clock.now += manager.grace + 1
    look(manager)
    assert not clock.ended


def test_the_word_of_the_page_before_comes_too_late(manager, clock):
    """When the next one was sent, or is connected already: then it is forgotten."""
    manager.page_again(["one"], "ada")
    manager.close_page("one")
    manager.notify_disconnect("one")
    clock.now += manager.grace + 1
    look(manager)
    manager.notify_connect("one")
    manager.close_page("one")
    clock.now += manager.grace + 1
    look(manager)
    manager.notify_disconnect("one")
    look(manager)
    assert not clock.ended


def test_an_ending_is_told_and_the_oldest_are_forgotten(manager, monkeypatch):
    monkeypatch.setattr(kernels, "_REMEMBERED", 2)
    for number, reason in enumerate((IDLE, UNCLAIMED, IDLE)):
        manager._end(f"kernel {number}", reason)
    told = [asyncio.run(manager.ending(f"kernel {number}")) for number in range(4)]
    assert told == [UNKNOWN, UNCLAIMED, IDLE, UNKNOWN]


def test_a_stay_lasts_from_the_start_to_the_end(manager, monkeypatch):
    manager._started["kernel"] = 10.0
    monkeypatch.setattr(kernels.time, "monotonic", lambda: 75.0)
    manager._left("kernel")
    manager._left("kernel")  # a second time says nothing new
    assert list(manager._stays) == [65.0]


@pytest.fixture
def kernel(manager):
    """A kernel without a process, from which nothing was heard for an hour."""
    kernel = SimpleNamespace(kernel_name="python", kernel_spec=SimpleNamespace(metadata={}))
    manager._kernels["kernel"] = kernel
    manager.start_watching_activity("kernel")
    kernel.last_activity -= timedelta(hours=1)
    yield kernel
    manager._kernels.clear()


def test_what_a_kernel_says_to_its_page_is_its_activity(manager, kernel):
    old = kernel.last_activity
    manager.heard("kernel", "busy")
    assert kernel.last_activity - old > timedelta(minutes=59)
    assert manager.last_kernel_activity == kernel.last_activity
    manager.heard("kernel", None)
    assert kernel.execution_state == "busy"
    manager.heard("kernel", "idle")
    assert kernel.execution_state == "idle"
    manager.heard("one that has ended", "busy")


@pytest.mark.parametrize("state", ["busy", "idle"])
def test_a_kernel_whose_page_went_away_an_hour_ago_is_ended_whatever_it_does(manager, kernel, monkeypatch, state):
    config = json.loads((files("workbench.serving") / "jupyter/config/voila.json").read_text("utf-8"))
    manager.update_config(Config(config))
    ended = []

    async def shut(kernel_id, **_):
        ended.append(kernel_id)

    monkeypatch.setattr(manager, "shutdown_kernel", shut)
    for pages in (1, 0):
        manager._kernel_connections["kernel"], kernel.execution_state = pages, state
        asyncio.run(manager.cull_kernel_if_idle("kernel"))
        assert ended == ["kernel"] * (not pages)
