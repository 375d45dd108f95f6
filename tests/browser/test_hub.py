"""The app and the notebooks of each user behind a JupyterHub, with the file of docs/serving.

Needs the package jupyterhub and the command `configurable-http-proxy` (from npm); skips without them, or fails where
REQUIRE_HUB=1. They are no part of the project: a user's server has the version of its hub.
"""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from gate import PATIENCE, wait_for
from ports import own_port
from visitors import ask, notebook

from workbench.serving import running
from workbench.shipped import notebooks_folder

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
exec(open({file!r}).read())
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.Spawner.environment = {{**c.Spawner.environment, **{environment!r}}}
c.Spawner.cmd = [*c.Spawner.cmd, *{more!r}]
"""
PASSED_ON = ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTERLAB_DIR")
KERNEL = "() => JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """The folder of the users' homes; one of them has worked in the course before."""
    folder = tmp_path_factory.mktemp("homes")
    course = folder / "ada" / "local-learning"
    course.mkdir(parents=True)
    notebook(course / "00_start_here.ipynb", "print('mine')")
    return folder


@pytest.fixture(scope="module")
def hub(homes, tmp_path_factory):
    """The address of a hub."""
    lacking = [] if find_spec("jupyterhub") else ["the package jupyterhub"]
    lacking += [] if shutil.which("configurable-http-proxy") else ["the command configurable-http-proxy"]
    if lacking:
        assert os.environ.get("REQUIRE_HUB") != "1", f"there is not {' and not '.join(lacking)} (REQUIRE_HUB=1)"
        pytest.skip(f"there is not {' and not '.join(lacking)}")
    folder, (port, own, proxy) = tmp_path_factory.mktemp("hub"), [own_port() for _ in range(3)]
    environment = {"PYTHONPATH": str(ROOT)} | {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    more = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    file = str(ROOT / "docs" / "serving" / "jupyterhub_config.py")
    values = {"file": file, "port": port, "hub": own, "proxy": proxy, "environment": environment, "more": more}
    (folder / "config.py").write_text(CONFIG.format(**values))
    variables = {"CLASS_PASSWORD": "open", "CLASS_HOMES": str(homes)}
    command = [sys.executable, "-m", "jupyterhub", "-f", str(folder / "config.py")]
    with running(command, f"http://127.0.0.1:{port}/hub/login", folder / "log", variables):
        wait_for(lambda: ask(port, "/hub/login").status == 200)  # the proxy answers sooner than the hub
        yield f"http://127.0.0.1:{port}"


def enter(chromium, hub: str, name: str):
    page = chromium.new_context().new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{hub}/hub/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("open")
    page.get_by_role("button", name="Sign in").click()
    return page


def test_the_course_and_the_app_of_a_user(hub, homes, chromium):
    page = enter(chromium, hub, "ada")
    page.wait_for_url(f"{hub}/user/ada/lab/tree/00_start_here.ipynb**")
    page.get_by_text("print('mine')").first.wait_for()
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for()  # over the websocket
    course = homes / "ada" / "local-learning"
    assert "mine" in (course / "00_start_here.ipynb").read_text()
    assert {path.name for path in notebooks_folder().glob("[!.]*.ipynb")} <= {path.name for path in course.iterdir()}

    page.goto(f"{hub}/user/ada/workbench/app?tab=lif&lif.seed=3")
    page.wait_for_selector(".workbench-figure .main-svg", state="attached")
    page.get_by_role("slider", name="strength I").press("Home")
    page.wait_for_url(f"{hub}/user/ada/workbench/app?**lif.strength=0.0**")
    assert "lif.seed=3" in page.url
    with page.expect_response(f"{hub}/user/ada/workbench/alive/**") as answer:
        page.evaluate("dispatchEvent(new Event('online'))")  # asks at once
    assert answer.value.json() == {"alive": True}
    page.context.close()


def test_nobody_sees_the_server_of_another(hub, chromium):
    page = enter(chromium, hub, "bob")
    answer = page.goto(f"{hub}/user/ada/workbench/app")
    assert answer.status in (403, 404)
    assert page.get_by_text("Local Learning Workbench").count() == 0
    page.context.close()
