"""Commands that serve the notebooks: the app with Voila, the notebooks with JupyterLab.

Both run `python -m workbench.serving`, which adds the settings and the page template of this
package to Jupyter's search paths and then hands over to Voila or JupyterLab.
"""

import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir

from workbench.serving.door import is_loopback
from workbench.shipped import notebooks_folder

SERVED = "WORKBENCH_SERVED"  # "1" in a kernel behind a page of our server
KERNEL_IDLE, SERVER_IDLE = 1200, 3600  # seconds without use after which a kernel and a server under a hub end
_SOCKET = len("/kernel-12345678-1234-1234-1234-123456789012-ipc-1")  # of a kernel
_LONGEST = 103  # bytes of a socket's path: the least that a system takes (macOS)


def app_command(
    port: int = 8866,
    *,
    notebook: Path | None = None,
    dark: bool = False,
    browser: bool = True,
    address: str = "127.0.0.1",
    public: bool = False,
    places: int | None = None,
    base_url: str = "/",
    hosts: Sequence[str] = (),
    behind_proxy: bool = False,
) -> list[str]:
    """The command that serves one notebook (the app when None) with Voila.

    `address` is the network interface to listen on. Who reaches another one than loopback needs the token that the
    server prints, unless it is `public`: then anyone is let in, within the limits of `workbench.serving.rules.PUBLIC`.
    `places` visitors at once. `base_url` is the path under which the app lives, `hosts` are more names of the server;
    `behind_proxy` believes what a proxy in front says about TLS. A port in use gives way to the next.
    """
    connections = os.path.join(tempfile.gettempdir(), "workbench_12345678")  # as AppServer makes it
    command = [sys.executable, "-m", "workbench.serving", "app", str(notebook or notebooks_folder() / "app.ipynb")]
    command += [f"--port={_check_port(port)}", f"--Voila.ip={address}", *_private_kernels(connections)]
    command += [f"--theme={'dark' if dark else 'light'}"]
    command += [f"--Voila.base_url={_check_path(base_url)}"] if base_url != "/" else []
    command += [f"--AppServer.host_names={name}" for name in hosts]
    command += ["--AppServer.behind_proxy=True"] if behind_proxy else []
    command += [f"--AppServer.places={places}"] if places is not None else []
    if public:
        command += ["--AppServer.public=True"]
    elif not is_loopback(address):
        command += ["--Voila.auto_token=True"]
    return command if browser else [*command, "--no-browser"]


def lab_command(
    port: int = 8888,
    *,
    folder: Path | None = None,
    browser: bool = True,
    address: str = "127.0.0.1",
    root: bool = False,
) -> list[str]:
    """The command that opens a folder (the notebooks when None) in JupyterLab, with Jupyter's own login token.

    JupyterLab refuses to run for the administrator of a machine unless `root` allows it.
    """
    command = [sys.executable, "-m", "workbench.serving", "lab", str(folder or notebooks_folder())]
    command += [f"--port={_check_port(port)}", f"--ServerApp.ip={address}", *_private_kernels(jupyter_runtime_dir())]
    command += ["--ServerApp.answer_yes=True"]  # Ctrl+C ends it, without a question
    command += ["--allow-root"] if root else []
    return command if browser else [*command, "--no-browser"]


def kernel_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The same for a kernel behind a page of our server, whose products have one thread unless a number is there.

    Where more threads want the processor than it has cores they wait for each other: a picture of half a second then
    took half a minute.
    """
    return {"OMP_NUM_THREADS": "1"} | dict(environment) | {SERVED: "1"}


def is_served() -> bool:
    """Whether this process is a kernel behind a page of our server: the page gets plotly.js from there, and many such
    kernels share a machine.
    """
    return os.environ.get(SERVED) == "1"


def hub_command(folder: Path, *, root: bool = False) -> list[str]:
    """The command that opens a folder in JupyterLab as a hub's server of one user; the hub tells it the rest."""
    if find_spec("jupyterhub") is None:
        raise ValueError("a server under a hub needs the package jupyterhub, of the hub's version; install it here too")
    command = [
        sys.executable,
        "-m",
        "workbench.serving",
        "hub",
        f"--ServerApp.root_dir={folder}",
        *_private_kernels(jupyter_runtime_dir()),
    ]
    command += [f"--MappingKernelManager.cull_idle_timeout={KERNEL_IDLE}", "--MappingKernelManager.cull_interval=60"]
    command += [f"--ServerApp.shutdown_no_activity_timeout={SERVER_IDLE}"]
    return [*command, "--allow-root"] if root else command


def _private_kernels(folder: str) -> list[str]:
    """Kernels talk over files in `folder` that only this user can open, where the system has such files and their names
    are not too long for it."""
    fits = len(os.fsencode(folder)) + _SOCKET <= _LONGEST
    return ["--KernelManager.transport=ipc"] if os.name == "posix" and fits else []


def _check_path(path: str) -> str:
    if not re.fullmatch(r"/([\w.~@%-]+/)*", path):
        raise ValueError(f"a base URL is a path that begins and ends with '/', got {path!r}")
    return path


def _check_port(port: int) -> int:
    if not 1 <= port <= 65535:
        raise ValueError(f"a port is a number from 1 to 65535, got {port}")
    return port
