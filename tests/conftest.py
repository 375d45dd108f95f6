"""Fixtures shared by all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gate import Gate
from hypothesis import settings

settings.register_profile("steady", deadline=None)  # a busy machine is no failure
settings.load_profile("steady")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared_folder(name: str) -> Path:
    """The folder of reference numbers or recordings beside the checkout; skip, or fail where it is required."""
    folder = SHARED / name
    if not folder.is_dir():
        message = f"the reference folder '{name}' does not lie beside this checkout"
        if os.environ.get("REQUIRE_SHARED") == "1":
            pytest.fail(f"{message}, and REQUIRE_SHARED=1 asks for it")
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def golden():
    """`golden("stllr_linear_soft")` opens one file of golden vectors."""

    def load(name: str) -> dict[str, np.ndarray]:
        with np.load(shared_folder("golden") / f"{name}.npz") as arrays:
            return {key: arrays[key] for key in arrays.files}

    return load


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings used by tests and benchmarks only."""
    return shared_folder("data")


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate for one run; runs that are still going at the end of the test are ended there."""
    gate = Gate()
    yield gate
    gate.close()
