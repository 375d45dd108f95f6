"""The running mean against its definition."""

import numpy as np
import pytest

from workbench.watch.curves import running_mean


@pytest.mark.parametrize("window", [1, 3, 20, 50])
def test_it_is_the_mean_of_the_last_ones(window):
    values = np.random.default_rng(0).normal(size=30).tolist()
    expected = [np.mean(values[max(0, k - window + 1) : k + 1]) for k in range(30)]
    assert np.allclose(running_mean(values, window), expected)


def test_nothing_and_wrong():
    assert running_mean([], 5).shape == (0,)
    with pytest.raises(ValueError, match="got 0"):
        running_mean([1.0], 0)
