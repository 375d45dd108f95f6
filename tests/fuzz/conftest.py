"""Fuzzed functions stand without the shape checks of a test run, as they do for whoever calls them."""

from collections.abc import Iterator

import jaxtyping
import pytest
from fuzzed import COUNTED, PROFILE


@pytest.fixture(autouse=True)
def as_users_have_it() -> Iterator[None]:
    """No checker of types stands before the functions."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much was tried."""
    if not COUNTED["families"]:  # other processes run them
        return
    failed = len(terminalreporter.stats.get("failed", []))
    terminalreporter.write_line(
        f"fuzz ({PROFILE}): {COUNTED['families']} families, {COUNTED['examples']} examples, {failed} failures"
    )
