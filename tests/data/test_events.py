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
    with pytest.raises(ValueError, match="address 7 in y, expected 0 to 4"):
        bin_events(recording((0, 1, 7, 1)), 2, 100, 5)


def test_polarities_of_any_kind_have_two_channels():
    for kind in ([-1, 1], [False, True], [0.0, 1.0]):
        events = Events(np.array([1, 2]), np.array([0, 1]), np.array([0, 0]), np.array(kind))
        assert bin_events(events, 1, 10, 2).sum((0, 2, 3)).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"p": [0, 2]}, r"polarities \[0, 2\], expected 0 and 1, or -1 and 1"),
        ({"p": [0.5, 1]}, r"polarities \[0.5, 1\]"),
        ({"t": [3, -5]}, "event at t = -5 µs, expected times from 0 on"),
        ({"t": [3.0, np.nan]}, "event at t = nan"),
        ({"x": [0, -1]}, "the address -1 in x, expected 0 to 3"),
        ({"y": [0, 4]}, "the address 4 in y, expected 0 to 3"),
        ({"x": [0.5, 1.0]}, "x of type float64, expected whole numbers"),
        ({"p": [1]}, r"four columns of one length, got t \(2,\).*p \(1,\)"),
    ],
)
def test_events_that_cannot_be_binned_say_why(change, words):
    columns = {"t": [1, 2], "x": [0, 1], "y": [0, 0], "p": [0, 1]} | change
    with pytest.raises(ValueError, match=words):
        bin_events(Events(**{name: np.array(values) for name, values in columns.items()}), 2, 10, 4)
