"""Kernels forked from a warm process: independent of each other, ended with the server, and never the only way."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from forked import LIMIT, Kernel
from gate import wait_for
from visitors import SECONDS

from workbench.serving.forking.parent import LATER, bring, threads_in
from workbench.serving.forking.provisioner import can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux 5.3 or newer only")


def test_a_kernel_is_a_process_of_its_own(parent):
    with Kernel(QUERY_STRING="tab=lif") as one, Kernel(QUERY_STRING="tab=stdp") as other:
        assert one.say("import os; print(os.getppid())") == str(parent.pid)
        assert one.say("print(os.environ['QUERY_STRING'])") == "tab=lif"
        assert other.say("import os; print(os.environ['QUERY_STRING'])") == "tab=stdp"
        one.say("mine = 1")
        assert "NameError" in other.say("mine")
        assert one.say("print(os.getpid() == os.getpgrp(), os.getpid() == os.getsid(0))") == "True False"


def test_no_two_kernels_draw_the_same(parent):
    for draw in (
        "import random; print(random.random())",
        "import numpy; print(numpy.random.rand(3))",
        "import torch; print(torch.rand(3))",
    ):
        with Kernel() as one, Kernel() as other:
            assert one.say(draw) != other.say(draw)


def test_threads_products_and_workers_go_on(parent):
    code = """
import torch, numpy as np
from torch.utils.data import DataLoader
torch.set_num_threads(2)
a = torch.rand(300, 300)
print(torch.allclose(a @ a, torch.from_numpy(a.numpy() @ a.numpy()), atol=1e-3))
print(sum(int(batch.sum()) for batch in DataLoader(torch.arange(10), batch_size=5, num_workers=2)))
"""
    with Kernel(OMP_NUM_THREADS="2") as kernel:
        assert kernel.say(code).split() == ["True", "45"]


@pytest.mark.parametrize(
    ("given", "threads"), [(None, 1), ("", 1), ("3", 3), (" 4,2", 4), ("0", 1), ("-2", 1), ("many", 1)]
)
def test_threads_are_read_as_openmp_reads_them(given, threads):
    assert threads_in({} if given is None else {"OMP_NUM_THREADS": given}) == threads


def test_an_interrupt_stops_a_loop_and_the_kernel_goes_on(parent, tmp_path):
    begun = tmp_path / "begun"  # no text that is printed: an interrupt in its locks would be another error
    with Kernel() as kernel:
        # an error would else abort what is asked next, as Run All wants it
        kernel.client.execute(f"open({str(begun)!r}, 'w').close()\nwhile True: pass", stop_on_error=False)
        wait_for(begun.exists)
        kernel.manager.interrupt_kernel()
        while (answer := kernel.client.get_shell_msg(timeout=SECONDS))["msg_type"] != "execute_reply":
            pass  # answers to the greeting
        assert answer["content"]["ename"] == "KeyboardInterrupt"
        assert kernel.say("print(1 + 1)") == "2"


def test_memory_ends_in_an_error_of_python_and_the_kernel_goes_on(parent):
    with Kernel() as kernel:
        assert "MemoryError" in kernel.say(f"x = bytearray({2 * LIMIT})")
        assert "alloc" in kernel.say(f"import torch; torch.zeros({2 * LIMIT}, dtype=torch.uint8)")
        assert kernel.say("print(1 + 1)") == "2"


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_kernel_that_ends_is_noticed(parent, signum):
    with Kernel() as kernel:
        assert kernel.process.poll() is None
        kernel.process.send_signal(signum)
        assert kernel.process.wait(SECONDS) == 0
        assert kernel.process.poll() == 0
        kernel.process.send_signal(signum)  # nobody is met any more
        assert not kernel.manager.is_alive()


def test_no_zombie_is_left(parent):
    with Kernel() as kernel:
        number = kernel.process.pid
    wait_for(lambda: not Path(f"/proc/{number}").exists())


def test_waiting_for_a_kernel_that_lives_ends(parent):
    with Kernel() as kernel, pytest.raises(subprocess.TimeoutExpired):
        kernel.process.wait(0.01)


def test_a_request_that_is_too_long_is_started_the_ordinary_way(parent):
    with Kernel(LONG="x" * 100_000, LONGER="y" * 100_000) as kernel:
        assert isinstance(kernel.process, subprocess.Popen)
        assert kernel.say("print(1 + 1)") == "2"
        limits = kernel.say("import resource; print(resource.getrlimit(resource.RLIMIT_DATA))")
        assert limits == str((LIMIT, LIMIT))


def test_the_kernel_makes_no_list_of_modules_and_has_them_all_afterwards(parent):
    with Kernel() as kernel:
        assert kernel.say("print(get_ipython().kernel._kernel_modules)") == "[]"
        assert kernel.say("import sys, ipykernel.ipkernel as k; print(k.sys is sys)") == "True"


def test_what_training_imports_comes_when_nobody_waits_and_is_shared(parent):
    """Nothing is asked of it meanwhile: each question would be one more who waits. The last of them loads LLVM."""
    wait_for(lambda: "llvmlite" in Path(f"/proc/{parent.pid}/maps").read_text())
    with Kernel() as kernel:
        assert kernel.say(f"import sys; print(set({LATER!r}) <= set(sys.modules))") == "True"


def test_a_module_that_breaks_at_import_does_not_end_the_parent(tmp_path, monkeypatch):
    (tmp_path / "breaks_at_import.py").write_text("raise RuntimeError('not on this version of Python')")
    monkeypatch.syspath_prepend(str(tmp_path))
    bring("breaks_at_import")
    bring("no_such_module_at_all")
    (tmp_path / "fine_at_import.py").write_text("")
    bring("fine_at_import")
    assert "fine_at_import" in sys.modules
