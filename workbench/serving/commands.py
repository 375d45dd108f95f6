"""Commands that serve the notebooks: the app with Voila, the notebooks with JupyterLab.

Both run `python -m workbench.serving`, which adds the settings and the page template of this
package to Jupyter's search paths and then hands over to Voila or JupyterLab.
"""

import os
import sys
from pathlib import Path

SERVED = "WORKBENCH_SERVES_PLOTLY"  # "1" in a kernel whose page gets plotly.js from the server
REFILL = 6  # seconds until the next kernel is prepared: the page that took the last one is drawn first
_PACKAGE = Path(__file__).resolve().parents[1]


def notebooks_folder() -> Path:
    """The folder of the notebooks: beside the package in a checkout, inside it when installed."""
    candidates = [_PACKAGE.parent / "notebooks", _PACKAGE / "notebooks"]
    for folder in candidates:
        if (folder / "app.ipynb").is_file():
            return folder
    raise ValueError(
        f"no app.ipynb in {' or '.join(map(str, candidates))}; install the package again, or start from a checkout"
    )


def app_command(
    port: int = 8866,
    *,
    notebook: Path | None = None,
    preheat: int = 0,
    dark: bool = False,
    browser: bool = True,
    address: str = "127.0.0.1",
) -> list[str]:
    """The command that serves one notebook (the app when None) with Voila.

    `preheat` kernels are kept started and with the notebook already run, about 300 MB each. `address` is the network
    interface to listen on; whoever reaches it can use the app, there is no login. A port in use gives way to the next.
    """
    if preheat < 0:
        raise ValueError(f"preheat is a number of kernels, 0 or more, got {preheat}")
    command = [sys.executable, "-m", "workbench.serving", "app", str(notebook or notebooks_folder() / "app.ipynb")]
    command += [f"--port={_check_port(port)}", f"--Voila.ip={address}", *_private_kernels()]
    command += [f"--theme={'dark' if dark else 'light'}"]
    if preheat:
        command += ["--preheat_kernel=True", f"--pool_size={preheat}"]
        command += [f"--VoilaKernelManager.fill_delay={REFILL}"]
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
    command += [f"--port={_check_port(port)}", f"--ServerApp.ip={address}", *_private_kernels()]
    command += ["--ServerApp.answer_yes=True"]  # Ctrl+C ends it, without a question
    command += ["--allow-root"] if root else []
    return command if browser else [*command, "--no-browser"]


def _private_kernels() -> list[str]:
    """Kernels talk over files that only this user can open, where the system has such files."""
    return ["--KernelManager.transport=ipc"] if os.name == "posix" else []


def _check_port(port: int) -> int:
    if not 1 <= port <= 65535:
        raise ValueError(f"a port is a number from 1 to 65535, got {port}")
    return port
