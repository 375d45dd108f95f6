"""The app beside the notebooks: a page of JupyterLab's server, with what its page needs."""

import asyncio
import json
import os

import pytest
from visitors import ask, open_page

from workbench.serving import SERVED, free_port, lab_command, running
from workbench.serving.kernels import UNKNOWN
from workbench.serving.lab_app import ServedKernels


class Manager:
    """A kernel manager that notes what it is asked to start."""

    def start(self, **settings):
        self.settings = settings

    async def start_kernel(self, **settings):
        self.start(**settings)
        return "kernel"


def test_kernels_of_the_app_are_told_of_the_server_and_no_others():
    manager = Manager()
    served = ServedKernels(manager)
    assert asyncio.run(served.start_kernel(env={"A": "1"}, kernel_name="python3")) == "kernel"
    assert manager.settings == {"env": {"A": "1", SERVED: "1", "OMP_NUM_THREADS": "1"}, "kernel_name": "python3"}
    asyncio.run(served.start_kernel(env={"OMP_NUM_THREADS": "3"}))
    assert manager.settings["env"] == {"OMP_NUM_THREADS": "3", SERVED: "1"}
    served.start(x=2)  # whatever else is the manager's
    assert manager.settings == {"x": 2}
    assert SERVED not in os.environ


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The port of a JupyterLab without a password."""
    folder, port = tmp_path_factory.mktemp("lab"), free_port()
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    command = lab_command(port, folder=folder, browser=False, root=root)
    with running([*command, "--IdentityProvider.token="], f"http://127.0.0.1:{port}/api", folder / "log"):
        yield port


def test_the_app_is_there_with_all_its_page_needs(lab):
    kernel = open_page(lab, "/workbench/app?tab=lif")
    assert json.loads(ask(lab, f"/workbench/alive/{kernel}").text) == {"alive": True}
    for path in ("/voila/plotly/widgetbundle.js", "/workbench/static/alive.js"):
        assert ask(lab, path).status == 200


def test_a_kernel_that_never_was_is_told(lab):
    answer = json.loads(ask(lab, "/workbench/alive/00000000-0000-0000-0000-000000000000").text)
    assert answer == {"alive": False, "reason": UNKNOWN}
