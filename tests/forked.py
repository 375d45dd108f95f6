"""Kernels that are forked, and what they say: for tests only."""

import os

from jupyter_client.manager import KernelManager
from visitors import SECONDS

LIMIT = 1 << 30
NOTHING = "notes_for_warming"  # a module whose `warm` imports nothing


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
