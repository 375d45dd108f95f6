"""Fixtures shared by the tests of the widgets."""

from importlib import import_module

import pytest
from tiny_streams import TINY_STREAMS
from wave_panel import Wave

from workbench.experiments import named


@pytest.fixture
def wave() -> Wave:
    return Wave()


@pytest.fixture
def tiny_streams_are_known(monkeypatch):
    """The code that a panel shows finds the tiny streams by their names."""
    known = {each.name: each for each in TINY_STREAMS.values()}
    for place in (named, import_module("workbench.experiments")):  # the face may have handed its name on before
        monkeypatch.setattr(place, "STREAMS", known)
