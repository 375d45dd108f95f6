"""Learning curves against the records that they come from."""

import numpy as np
import pytest
from tiny import TINY

from workbench.experiments.experiment import start
from workbench.watch.curves import learning_curves


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
