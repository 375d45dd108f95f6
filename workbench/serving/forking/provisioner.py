"""Where the server's kernels come from: forked where that can be done, started the ordinary way elsewhere."""

import os
import sys
from importlib.metadata import EntryPoint
from typing import Any

from jupyter_client.provisioning import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from workbench.serving.forking.forkserver import Forkserver, NoFork

NAME = "workbench-kernels"


class AppProvisioner(LocalProvisioner):
    """A kernel with a limit of memory; `memory` is bytes (0 for none), `parent_of_kernels` forks it where it is set."""

    memory = 0
    parent_of_kernels: Forkserver | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        if self.parent_of_kernels is not None and is_python_kernel(cmd):
            try:
                return await self._fork(self.parent_of_kernels, cmd[3:], **kwargs)
            except NoFork as reason:
                self.log.warning("a kernel is started the ordinary way: %s", reason)
        connection = await super().launch_kernel(cmd, **kwargs)
        if self.memory and sys.platform == "linux" and self.pid is not None:
            import resource

            resource.prlimit(self.pid, resource.RLIMIT_DATA, (self.memory, self.memory))
        return connection

    async def _fork(self, parent: Forkserver, arguments: list[str], **kwargs: Any) -> Any:
        request = {
            "arguments": arguments,
            "environment": dict(kwargs.get("env") or os.environ),
            "folder": str(kwargs.get("cwd") or os.getcwd()),
            "memory": self.memory,
        }
        process: Any = await parent.fork(request)
        self.process, self.pid, self.pgid = process, process.pid, process.pid
        self.cwd = request["folder"]
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """A forked kernel is met by its descriptor, so that no other process can be met by its number."""
        if self.parent_of_kernels is not None and hasattr(self.process, "_descriptor"):
            self.process.send_signal(signum)
        else:
            await super().send_signal(signum)


def is_python_kernel(command: list[str]) -> bool:
    """Whether a kernel's command is this Python's ordinary one, `python -m ipykernel_launcher ...`."""
    return command[1:3] == ["-m", "ipykernel_launcher"] and os.path.realpath(command[0]) == os.path.realpath(
        sys.executable
    )


def can_fork() -> bool:
    """Whether this system has what forked kernels need: Linux 5.3 or newer."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def use_for_kernels(memory: int, parent: Forkserver | None) -> None:
    """Let all kernels of this process come from `AppProvisioner` with these settings."""
    AppProvisioner.memory, AppProvisioner.parent_of_kernels = memory, parent
    factory = KernelProvisionerFactory.instance()
    module = f"{__name__}:{AppProvisioner.__name__}"
    factory.provisioners[NAME] = EntryPoint(NAME, module, KernelProvisionerFactory.GROUP_NAME)
    factory.default_provisioner_name = NAME
