"""A JupyterHub with a file of docs/serving: for tests only.

`make test` installs jupyterhub beside the environment, for a user's server has the version of its hub; the command
`configurable-http-proxy` comes from npm. Without them tests skip, or fail where REQUIRE_HUB=1.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gate import wait_for
from visitors import ask

from workbench.serving import free_port, running

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = Path(sys.prefix) / "hub"
CONFIG = """
load_subconfig({file!r}, path={place!r})
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.Spawner.environment = {{**c.Spawner.environment, **{environment!r}}}
c.Spawner.cmd = [*c.Spawner.cmd, *{more!r}]
"""
PASSED_ON = ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTERLAB_DIR")


def need_hub() -> None:
    """Skip, or fail, where there is no hub."""
    lacking = [] if PACKAGES.is_dir() else [f"the package jupyterhub in {PACKAGES}"]
    lacking += [] if shutil.which("configurable-http-proxy") else ["the command configurable-http-proxy"]
    if lacking:
        assert os.environ.get("REQUIRE_HUB") != "1", f"there is not {' and not '.join(lacking)} (REQUIRE_HUB=1)"
        pytest.skip(f"there is not {' and not '.join(lacking)}")


@contextmanager
def hub_with(file: str, folder: Path, settings: str = "") -> Iterator[str]:
    """The address of a hub that `file` and then `settings` configure; homes of users are in `folder / "homes"`."""
    need_hub()
    port, own, proxy = (free_port() for _ in range(3))
    path = os.pathsep.join([str(ROOT), str(PACKAGES)])
    environment = {"PYTHONPATH": path} | {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    more = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    place = str(ROOT / "docs" / "serving")
    values = {"file": file, "place": place, "port": port, "hub": own, "proxy": proxy}
    text = CONFIG.format(**values, environment=environment, more=more)
    (folder / "config.py").write_text(text + settings)
    variables = {"CLASS_PASSWORD": "open", "CLASS_HOMES": str(folder / "homes"), "PYTHONPATH": path}
    command = [sys.executable, "-m", "jupyterhub", "-f", str(folder / "config.py")]
    with running(command, f"http://127.0.0.1:{port}/hub/health", folder / "log", variables):
        wait_for(lambda: ask(port, "/hub/health").status == 200)  # the proxy answers sooner than the hub
        yield f"http://127.0.0.1:{port}"
