"""Fixtures shared by all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch
from gate import Gate
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

# A busy machine is no failure, and every run tries the same examples; --hypothesis-profile=search looks for new ones.
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", steady, derandomize=True, database=None)
settings.register_profile("search", steady)
settings.load_profile("steady")
# Hypothesis mixes constants of imported modules into its examples: which ones a test meets would hang on the tests
# before it, and a module that a thread imports in the middle of a test makes it fail ("inconsistent data generation").
providers._get_local_constants = lambda: providers._local_constants

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that is named after an address has another name in each process, and no two can share the work."""
    if named := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"give the cases of this test names of their own (ids=...): {named[0]}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Every test, and every fixture that is made for it, begins alike, whatever ran before it."""
    torch.set_num_threads(1)  # another number of threads adds up in another order, and runs of panels have one
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    torch.manual_seed(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    """Fixtures that were made for an earlier test draw nothing in this one."""
    torch.manual_seed(0)


def shared_folder(name: str) -> Path:
    """The folder of reference numbers or recordings beside the checkout; skip, or fail where it is required."""
    folder = SHARED / name
    if not folder.is_dir():
        message = f"the reference folder '{name}' does not lie beside this checkout"
        if os.environ.get("REQUIRE_SHARED") == "1":
            pytest.fail(f"{message}, and REQUIRE_SHARED=1 asks for it")
        pytest.skip(message)
    return folder


@pytest.fixture(scope="module")
def unchecked() -> Iterator[None]:
    """The tests of a module run without the checks of shapes, which are up to half of the time of long computations.

    For modules about whole runs: the tests of each room call the same functions with the checks.
    """
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """English at first, whatever the environment says, and again for the next test."""
    from workbench.language import VARIABLE, speak  # here: what is imported before the tests has no checks of shapes

    monkeypatch.delenv(VARIABLE, raising=False)
    speak(None)
    yield
    speak(None)


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


@pytest.fixture
def in_double_precision() -> None:
    """What a test creates holds float64, unless it says otherwise; the next test begins with float32 again."""
    torch.set_default_dtype(torch.float64)
