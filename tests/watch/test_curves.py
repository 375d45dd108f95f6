"""Learning curves against the records that they come from."""

import numpy as np
import pytest
from tiny import TINY

from workbench.experiments.experiment import start
from workbench.watch.curves import learning_curves, running_mean


@pytest.fixture(scope="module")
def records():
    return list(start(TINY, "stllr"))


def test_curves_of_a_whole_run(records):
    curves = learning_curves(iter(records), epochs=2, window=3)
    assert np.allclose(curves.epochs, np.arange(1, 9) / 4)
    assert curves.loss[-1] == pytest.approx(np.mean([r.loss for r in records[-3:]]))
    assert curves.score[0] == records[0].score
    assert curves.held_out_epochs.tolist() == [1.0, 2.0]
    assert curves.held_out_score.tolist() == [records[3].held_out_score, records[7].held_out_score]
    assert curves.held_out_loss.tolist() == [records[3].held_out_loss, records[7].held_out_loss]
    assert (curves.saved_bytes, curves.state_bytes) == (records[-1].saved_bytes, records[-1].state_bytes)
    assert curves.spike_rates == records[-1].spike_rates


def test_curves_of_a_run_that_goes_on(records):
    whole, part = learning_curves(records, epochs=2), learning_curves(records[:5], epochs=2)
    assert np.array_equal(part.loss, whole.loss[:5])
    assert part.held_out_epochs.tolist() == [1.0]
    assert learning_curves([], epochs=2).saved_bytes == 0


@pytest.mark.parametrize("window", [1, 3, 20, 50])
def test_it_is_the_mean_of_the_last_ones(window):
    values = np.random.default_rng(0).normal(size=30).tolist()
    expected = [np.mean(values[max(0, k - window + 1) : k + 1]) for k in range(30)]
    assert np.allclose(running_mean(values, window), expected)


def test_nothing_and_wrong():
    assert running_mean([], 5).shape == (0,)
    with pytest.raises(ValueError, match="got 0"):
        running_mean([1.0], 0)
