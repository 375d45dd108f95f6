"""Sweeps on a real Dask scheduler with workers on loopback, of which one is killed, and the scheduler once, too."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from gate import wait_for
from tiny import TINY
from tiny_cells import CELLS, held, train

from workbench.experiments import named
from workbench.serving import free_port
from workbench.sweeps import cluster
from workbench.sweeps.cell import numbers
from workbench.sweeps.cluster import on_cluster
from workbench.sweeps.engine import serial

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def dask():
    return pytest.importorskip("distributed", reason="the extra `sweep` is not installed")


@pytest.fixture
def started(tmp_path):
    """Start `dask scheduler` or `dask worker`, with this folder of tests on its path; all end with the test."""
    running = []

    def start(kind, *options):
        path = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options]
        log = (tmp_path / f"{kind}-{len(running)}.log").open("w")
        environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        running.append(subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=log, stderr=log))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def scheduler(started):
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    options = ("--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-jupyter")
    return address, lambda: started("scheduler", *options)


def worker(started, address):
    options = ("--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60")
    return started("worker", address, *options)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(named, "EXPERIMENTS", {"tiny": TINY})


@pytest.fixture
def expected():
    return {done.cell: numbers(done.found) for done in serial(CELLS, train)}


class Sweep(threading.Thread):
    """A sweep in a thread of its own, so that the test can kill somebody in the middle."""

    def __init__(self, address, held_train):
        super().__init__(daemon=True)
        self.done, self.error = [], None
        self.address, self.train = address, held_train

    def run(self):
        try:
            for done in on_cluster(self.address)(CELLS, self.train):
                self.done.append(done)
        except BaseException as error:
            self.error = error

    def found(self):
        self.join(120)
        assert not self.is_alive()
        assert self.error is None, self.error
        return {done.cell: done.error or numbers(done.found) for done in self.done}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_killed_worker_costs_its_task_only(dask, started, scheduler, expected, tmp_path):
    address, begin = scheduler
    begin()
    workers = [worker(started, address) for _ in range(2)]
    sweep = Sweep(address, held(tmp_path))
    sweep.start()
    wait_for(lambda: (tmp_path / "taken").exists() or sweep.error is not None)
    assert sweep.error is None, sweep.error
    victim = int((tmp_path / "taken").read_text())
    assert victim in [process.pid for process in workers]
    os.kill(victim, signal.SIGKILL)
    assert sweep.found() == expected


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_comes_back_is_asked_for_the_rest(dask, started, scheduler, expected, tmp_path):
    address, begin = scheduler
    first, lost = begin(), worker(started, address)
    sweep = Sweep(address, held(tmp_path))
    sweep.start()
    wait_for(lambda: (tmp_path / "taken").exists() or sweep.error is not None)
    assert sweep.error is None, sweep.error
    first.kill()
    first.wait()
    lost.kill()
    lost.wait()
    begin()
    worker(started, address)
    assert sweep.found() == expected
    assert len(sweep.done) == len(CELLS)


def test_nobody_at_the_address_is_said(dask, monkeypatch):
    monkeypatch.setattr(cluster, "WAIT", 0.2)
    with pytest.raises(ConnectionError, match=r"does not answer .* goes on with the 4 cells that are left"):
        list(on_cluster(f"tcp://127.0.0.1:{free_port()}")(CELLS, train))


def test_nothing_to_do_starts_nothing(dask):
    assert list(on_cluster("tcp://nowhere:1")([], train)) == []


def test_where_dask_is_missing_the_way_to_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"Dask is not installed.*local-learning-workbench\[sweep\]"):
        on_cluster()
