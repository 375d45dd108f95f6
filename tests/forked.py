"""Kernels that are forked, and what they say: for tests only."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from visitors import SECONDS

from workbench.serving.forking.forkserver import Forkserver
from workbench.serving.forking.provisioner import use_for_kernels

LIMIT = 1 << 30
WARMING = "notes_for_warming"  # a module that is written for a parent


@contextmanager
def kernels_from_one_parent(folder: Path, warm: str = "pass") -> Iterator[Forkserver]:
    """A parent that imports torch and runs `warm`, and kernels of this process that come from it."""
    (folder / f"{WARMING}.py").write_text(f"def warm():\n    {warm}\n")
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = f"{folder}{os.pathsep}{before}"
    parent = Forkserver(WARMING)
    parent.start()
    factory = KernelProvisionerFactory.instance()
    usual = factory.default_provisioner_name
    use_for_kernels(LIMIT, parent)
    try:
        yield parent
    finally:
        factory.default_provisioner_name = usual
        parent.stop()
        os.environ["PYTHONPATH"] = before


class Kernel:
    """A kernel and what it says."""

    def __init__(self, **environment: str) -> None:
        # In a folder of its own: names of sockets are counted up, and two test processes would meet in this one.
        self.folder = TemporaryDirectory()
        self.manager = KernelManager(transport="ipc", connection_file=os.path.join(self.folder.name, "kernel.json"))
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
        self.folder.cleanup()

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
