"""Fixtures shared by the tests of this room."""

import pytest
from forked import kernels_from_one_parent


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    """A parent that imports little more than torch, and kernels of this process that come from it."""
    with kernels_from_one_parent(tmp_path_factory.mktemp("warm")) as parent:
        yield parent
