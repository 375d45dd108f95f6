"""Threads are told to stop, and waited for, before the interpreter ends."""

import gc
import subprocess
import sys
import weakref

from workbench.background import start_thread

ENDS = """
import sys, threading
from workbench.background import start_thread

told = threading.Event()
begun = threading.Event()

def work():
    begun.set()
    told.wait()
    print("ended in order", flush=True)

start_thread(work, told.set, "worker")
begun.wait()
"""
STAYS = """
import threading, workbench.background as background
background.PATIENCE = 0.1
background.start_thread(threading.Event().wait, lambda: print("told", flush=True), "deaf")
background.start_thread(lambda: None, lambda: print("told too late"), "over").join()
"""


def printed(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert not run.stderr
    return run.stdout


def test_a_thread_ends_before_the_interpreter():
    assert printed(ENDS) == "ended in order\n"


def test_a_thread_that_does_not_listen_holds_nobody_up_and_one_that_ended_is_left_alone():
    assert printed(STAYS) == "told\n"


def test_a_thread_that_ended_holds_nobody():
    """What stops a thread mostly knows it as well."""

    class Owner:
        def __init__(self):
            self.thread = start_thread(lambda: None, self.stop, "short")

        def stop(self):
            pass

    owner = Owner()
    owner.thread.join()
    known = weakref.ref(owner)
    del owner
    gc.collect()
    assert known() is None


RUNNER = """
import itertools, threading, torch
from workbench.training.runner import Runner

running = threading.Event()

def records():
    x = torch.randn(300, 300)
    for number in itertools.count():
        x @ x
        running.set()
        yield number

runner = Runner(records)
runner.start()
running.wait()
"""


def test_a_run_that_goes_on_does_not_take_the_process_down():
    assert printed(RUNNER) == ""
