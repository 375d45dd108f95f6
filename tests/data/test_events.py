"""Events are binned one after another, and only those of the sensor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.events import Events, bin_events


def recording(*rows: tuple[int, int, int, int]) -> Events:
    t, x, y, p = np.array(rows, np.int64).reshape(-1, 4).T
    return Events(t, x.astype(np.uint8), y.astype(np.uint8), p.astype(np.uint8))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 130), st.integers(0, 4), st.integers(0, 4), st.integers(0, 1))),
    st.integers(1, 7),
)
def test_binning_one_event_after_the_other(rows, bins):
    frames = np.zeros((bins, 2, 5, 5), bool)
    for t, x, y, p in rows:
        for number in range(bins):
            if number * 101 <= t * bins < (number + 1) * 101:
                frames[number, p, y, x] = True
    np.testing.assert_array_equal(bin_events(recording(*rows), bins, 101, 5), frames)


def test_binning_refuses_another_sensor():
    with pytest.raises(ValueError, match="address 7, expected 0 to 4"):
        bin_events(recording((0, 1, 7, 1)), 2, 100, 5)
