"""The process that kernels are forked from: given up when it cannot warm up, replaced when it is gone."""

import asyncio
import os
import signal

import pytest
from forked import Kernel
from gate import wait_for
from visitors import gone

from workbench.serving.forking.forkserver import AGAIN, Forkserver, NoFork
from workbench.serving.forking.provisioner import can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux 5.3 or newer only")


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
