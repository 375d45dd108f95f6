"""Panels of streams that have run to their end: for tests only."""

from house import wait_for_end
from tiny_streams import TINY_STREAMS


def ran(make, **state):
    panel = make(TINY_STREAMS, epochs=1, **state)
    panel.start()
    wait_for_end(panel)
    return panel
