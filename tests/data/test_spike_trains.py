"""Spike trains are binned one spike after another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.spike_trains import SpikeTrain, bin_spikes


def train_of(*spikes: tuple[float, int]) -> SpikeTrain:
    time, channel = np.array(spikes, float).reshape(-1, 2).T
    return SpikeTrain(time, channel.astype(np.int64))


@pytest.mark.filterwarnings("ignore:.*spikes of the recordings come after the last step")
@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0, 200), st.integers(0, 3)), max_size=20),
    st.integers(1, 9),
    st.sampled_from([0.5, 3.0, 10.0]),
)
def test_binning_one_spike_after_the_other(spikes, steps, step_ms):
    counts = np.zeros((steps, 4), int)
    for time, channel in spikes:
        if time < steps * step_ms:
            counts[int(time / step_ms), channel] += 1
    assert np.array_equal(bin_spikes([train_of(*spikes)], steps, step_ms, 4)[:, 0], counts)


def test_a_count_stays_in_its_byte():
    assert bin_spikes([train_of(*[(0.0, 0)] * 300)], 1, 1.0, 1).item() == 255


@pytest.mark.parametrize(
    ("spikes", "words"),
    [
        ([(-1.0, 0)], "a spike at -1.0 ms, expected times from 0 on"),
        ([(float("nan"), 0)], "a spike at nan ms"),
        ([(1.0, 4)], "channels 4 to 4, expected 0 to 3"),
        ([(1.0, -1)], "channels -1 to -1"),
    ],
)
def test_bad_spikes_are_named(spikes, words):
    with pytest.raises(ValueError, match=words):
        bin_spikes([train_of(*spikes)], 5, 1.0, 4)


def test_bad_bins_are_named():
    for arguments in ((0, 1.0, 4), (5, 0.0, 4), (5, 1.0, 0)):
        with pytest.raises(ValueError, match="must be positive"):
            bin_spikes([train_of((0.0, 0))], *arguments)
    with pytest.raises(ValueError, match="no recording"):
        bin_spikes([], 5, 1.0, 4)
    with pytest.raises(ValueError, match="2 times and 1 channels"):
        bin_spikes([SpikeTrain(np.zeros(2), np.zeros(1, int))], 5, 1.0, 4)
