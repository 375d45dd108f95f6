"""Which kernels are forked, and that servers do so."""

import os
import signal
import sys
from pathlib import Path

import pytest
from gate import wait_for
from visitors import ask, gone, notebook, open_page

from workbench.serving import app_command
from workbench.serving.forking.provisioner import can_fork, is_python_kernel
from workbench.serving.process import free_port, running

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux 5.3 or newer only")


@pytest.fixture
def served(tmp_path):
    """A server with forked kernels: its port, its process and the folder where its kernels write who they are."""
    cell = (
        "import json, os, sys; from pathlib import Path; import ipywidgets\n"
        f"Path({str(tmp_path)!r}, f'{{os.getpid()}}.kernel').write_text(str(os.getppid()))\nipywidgets.IntSlider()"
    )
    port = free_port()
    command = app_command(port, notebook=notebook(tmp_path / "page.ipynb", cell), browser=False)
    with running(command, f"http://127.0.0.1:{port}/api", tmp_path / "log") as process:
        yield port, process, tmp_path


def kernels(folder: Path) -> dict[int, int]:
    """The processes of the kernels, and the parent of each."""
    return {int(path.stem): int(path.read_text()) for path in folder.glob("*.kernel")}


def test_only_this_pythons_kernel_is_forked():
    assert is_python_kernel([sys.executable, "-m", "ipykernel_launcher", "-f", "x"])
    assert not is_python_kernel([sys.executable, "-m", "xeus", "-f", "x"])
    assert not is_python_kernel(["/usr/bin/R", "-m", "ipykernel_launcher"])


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
    port = free_port()
    cell = f"import os; open({str(tmp_path / 'parent')!r}, 'w').write(str(os.getppid()))"
    command = app_command(port, notebook=notebook(tmp_path / "page.ipynb", cell), browser=False)
    command = [*command, "--AppServer.fork_kernels=False"]
    with running(command, f"http://127.0.0.1:{port}/api", tmp_path / "log") as process:
        open_page(port)
        assert (tmp_path / "parent").read_text() == str(process)


@pytest.mark.parametrize("forked", [True, False], ids=["forked", "ordinary"])
@pytest.mark.parametrize(("asked", "threads"), [(None, 1), ("2", 2)])
def test_a_kernel_has_one_thread_for_its_products_unless_the_server_was_told_another_number(
    forked, asked, threads, tmp_path, monkeypatch
):
    """More threads than cores wait for each other: a picture took half a minute with others at work beside it."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    port, told = free_port(), tmp_path / "threads"
    page = notebook(
        tmp_path / "page.ipynb", f"import torch; open({str(told)!r}, 'w').write(str(torch.get_num_threads()))"
    )
    command = [*app_command(port, notebook=page, browser=False), f"--AppServer.fork_kernels={forked}"]
    environment = {} if asked is None else {"OMP_NUM_THREADS": asked}
    with running(command, f"http://127.0.0.1:{port}/api", tmp_path / "log", environment):
        open_page(port)
        assert told.read_text() == str(threads)
