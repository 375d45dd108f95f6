"""The process that kernels are forked from: given up when it cannot warm up, replaced when it is gone."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
from forked import Kernel
from gate import wait_for
from visitors import SECONDS, gone

from workbench.serving.forking.forkserver import AGAIN, Forked, Forkserver, NoFork
from workbench.serving.forking.provisioner import can_fork

fcntl, resource = (pytest.importorskip(name, reason="kernels are forked on Linux") for name in ("fcntl", "resource"))
pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux 5.3 or newer only")
HIGH = 1100  # a descriptor above what `select.select` takes


def test_kernels_outlive_their_parent_and_the_next_has_another(parent):
    with Kernel() as old:
        first = parent.pid
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: gone(first))
        assert old.say("print(1 + 1)") == "2"
        with Kernel() as new:
            assert new.say("print(2 + 2)") == "4"
            assert parent.pid != first


def test_a_parent_that_cannot_warm_up_is_given_up():
    parent = Forkserver("no_such_module_at_all")
    for _ in range(AGAIN):
        with pytest.raises(NoFork, match="does not answer"):
            asyncio.run(parent.fork({}))
    with pytest.raises(NoFork, match=f"failed {AGAIN} times"):
        asyncio.run(parent.fork({}))
    parent.stop()


def test_the_end_of_a_kernel_is_seen_by_a_server_with_a_thousand_files_open():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < HIGH + 1:
        pytest.skip(f"this system lets a process have {hard} files open")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, HIGH + 1), hard))
    low = os.pidfd_open(child.pid)
    try:
        kernel = Forked(child.pid, fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, HIGH))
        assert kernel.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            kernel.wait(0.01)
        child.communicate(b"\n")
        assert kernel.wait(SECONDS) == 0
        assert kernel.poll() == 0
    finally:
        os.close(low)
        child.kill()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
