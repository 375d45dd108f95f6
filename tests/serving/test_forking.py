"""Kernels forked from a warm process: independent of each other, ended with the server, and never the only way."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from gate import wait_for
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from ports import own_port
from visitors import SECONDS, ask, gone, notebook, open_page

from workbench.serving import app_command
from workbench.serving.forking.forkserver import AGAIN, Forkserver, NoFork
from workbench.serving.forking.provisioner import can_fork, is_python_kernel, use_for_kernels
from workbench.serving.process import running

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux 5.3 or newer only")
LIMIT = 1 << 30
NOTHING = "notes_for_warming"  # a module whose `warm` imports nothing


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    """A parent that imports little more than torch, and kernels of this process that come from it."""
    folder = tmp_path_factory.mktemp("warm")
    (folder / f"{NOTHING}.py").write_text("def warm(): pass\n")
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = f"{folder}{os.pathsep}{before}"
    parent = Forkserver(NOTHING)
    parent.start()
    factory = KernelProvisionerFactory.instance()
    usual = factory.default_provisioner_name
    use_for_kernels(LIMIT, parent)
    yield parent
    factory.default_provisioner_name = usual
    parent.stop()
    os.environ["PYTHONPATH"] = before


class Kernel:
    """A kernel and what it says."""

    def __init__(self, **environment: str) -> None:
        self.manager = KernelManager(transport="ipc")
        self.manager.start_kernel(env={**os.environ, **environment})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.context.destroy(linger=0)

    @property
    def process(self):
        return self.manager.provisioner.process

    def say(self, code: str) -> str:
        """What a piece of code prints."""
        said: list[str] = []

        def hear(message):
            content = message["content"]
            said.append(content.get("text", "") or "".join(content.get("traceback", [])))

        self.client.execute_interactive(code, timeout=SECONDS, output_hook=hear)
        return "".join(said).strip()


def test_a_kernel_is_a_process_of_its_own(parent):
    with Kernel(QUERY_STRING="tab=lif") as one, Kernel(QUERY_STRING="tab=stdp") as other:
        assert one.say("import os; print(os.getppid())") == str(parent.pid)
        assert one.say("print(os.environ['QUERY_STRING'])") == "tab=lif"
        assert other.say("import os; print(os.environ['QUERY_STRING'])") == "tab=stdp"
        one.say("mine = 1")
        assert "NameError" in other.say("mine")
        assert one.say("print(os.getpid() == os.getsid(0))") == "True"


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


def test_an_interrupt_stops_a_loop_and_the_kernel_goes_on(parent):
    with Kernel() as kernel:
        # an error would else abort what is asked next, as Run All wants it
        kernel.client.execute("print('begun', flush=True)\nwhile True: pass", stop_on_error=False)
        while kernel.client.get_iopub_msg(timeout=SECONDS)["content"].get("text", "").strip() != "begun":
            pass
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


def test_kernels_outlive_their_parent_and_the_next_has_another(parent):
    with Kernel() as old:
        first = parent.pid
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: gone(first))
        assert old.say("print(1 + 1)") == "2"
        with Kernel() as new:
            assert new.say("print(2 + 2)") == "4"
            assert parent.pid != first


def test_a_request_that_is_too_long_is_started_the_ordinary_way(parent):
    with Kernel(LONG="x" * 100_000, LONGER="y" * 100_000) as kernel:
        assert isinstance(kernel.process, subprocess.Popen)
        assert kernel.say("print(1 + 1)") == "2"
        limits = kernel.say("import resource; print(resource.getrlimit(resource.RLIMIT_DATA))")
        assert limits == str((LIMIT, LIMIT))


def test_a_parent_that_cannot_warm_up_is_given_up():
    parent = Forkserver("no_such_module_at_all")
    for _ in range(AGAIN):
        with pytest.raises(NoFork, match="does not answer"):
            asyncio.run(parent.fork({}))
    with pytest.raises(NoFork, match=f"failed {AGAIN} times"):
        asyncio.run(parent.fork({}))
    parent.stop()


def test_only_this_pythons_kernel_is_forked():
    assert is_python_kernel([sys.executable, "-m", "ipykernel_launcher", "-f", "x"])
    assert not is_python_kernel([sys.executable, "-m", "xeus", "-f", "x"])
    assert not is_python_kernel(["/usr/bin/R", "-m", "ipykernel_launcher"])


@pytest.fixture
def served(tmp_path):
    """A server with forked kernels: its port, its process and the folder where its kernels write who they are."""
    cell = (
        "import json, os, sys; from pathlib import Path; import ipywidgets\n"
        f"Path({str(tmp_path)!r}, f'{{os.getpid()}}.kernel').write_text(str(os.getppid()))\nipywidgets.IntSlider()"
    )
    port = own_port()
    command = app_command(port, notebook=notebook(tmp_path / "page.ipynb", cell), browser=False)
    with running(command, f"http://127.0.0.1:{port}/api", tmp_path / "log") as process:
        yield port, process, tmp_path


def kernels(folder: Path) -> dict[int, int]:
    """The processes of the kernels, and the parent of each."""
    return {int(path.stem): int(path.read_text()) for path in folder.glob("*.kernel")}


def test_the_server_forks_and_takes_all_with_it_when_it_is_killed(served):
    port, process, folder = served
    for _ in range(2):
        open_page(port)
    found = kernels(folder)
    assert len(found) == 2
    assert len(set(found.values())) == 1  # one parent for both, and it is not the server
    assert process not in found.values()
    os.kill(process, signal.SIGKILL)
    wait_for(lambda: all(gone(each) for each in (*found, *found.values())))


def test_a_page_after_the_parent_was_killed_has_a_kernel_too(served):
    port, _, folder = served
    open_page(port)
    (old,) = kernels(folder).values()
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: gone(old))
    open_page(port)
    assert len(kernels(folder)) == 2
    assert ask(port, "/nothing").status == 404


def test_the_ordinary_start_can_be_asked_for(tmp_path):
    port = own_port()
    cell = f"import os; open({str(tmp_path / 'parent')!r}, 'w').write(str(os.getppid()))"
    command = app_command(port, notebook=notebook(tmp_path / "page.ipynb", cell), browser=False)
    command = [*command, "--AppServer.fork_kernels=False"]
    with running(command, f"http://127.0.0.1:{port}/api", tmp_path / "log") as process:
        open_page(port)
        assert (tmp_path / "parent").read_text() == str(process)
