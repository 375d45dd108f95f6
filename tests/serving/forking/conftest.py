"""Fixtures shared by the tests of this room."""

import os

import pytest
from forked import LIMIT, NOTHING
from jupyter_client.provisioning import KernelProvisionerFactory

from workbench.serving.forking.forkserver import Forkserver
from workbench.serving.forking.provisioner import use_for_kernels


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
