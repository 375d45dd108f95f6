"""Fixtures shared by the tests of the widgets."""

import json
from importlib import import_module

import pytest
from comm import DummyComm
from jupyter_client.jsonutil import json_default
from tiny_streams import TINY_STREAMS
from wave_panel import Wave

from workbench.experiments import named


@pytest.fixture(autouse=True)
def all_messages_are_json(monkeypatch):
    """No test ends in which a widget told the page what JSON has not: NaN, an infinity, a number of numpy.

    Jupyter sends the text 'nan' then and prints a warning; arrays travel beside the message, as bytes.
    """
    refused = []

    def publish(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        try:
            json.dumps(data, default=json_default, allow_nan=False)
        except (TypeError, ValueError) as error:
            refused.append(f"{error}: {str(data)[:1000]}")

    monkeypatch.setattr(DummyComm, "publish_msg", publish)
    yield
    assert refused == []


@pytest.fixture
def wave() -> Wave:
    return Wave()


@pytest.fixture
def tiny_streams_are_known(monkeypatch):
    """The code that a panel shows finds the tiny streams by their names."""
    known = {each.name: each for each in TINY_STREAMS.values()}
    for place in (named, import_module("workbench.experiments")):  # the face may have handed its name on before
        monkeypatch.setattr(place, "STREAMS", known)
