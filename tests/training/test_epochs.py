"""The order of the samples, and the schedule of the rate."""

import pytest

from workbench.training.epochs import cosine_decay, epoch_order


def test_order_depends_on_seed_and_epoch_only():
    order = epoch_order(50, seed=3, epoch=2)
    assert sorted(order.tolist()) == list(range(50))
    assert order.equal(epoch_order(50, 3, 2))
    assert not order.equal(epoch_order(50, 3, 1))
    assert not order.equal(epoch_order(50, 4, 2))


def test_schedule_reaches_both_ends():
    assert cosine_decay(0.0) == 1.0
    assert cosine_decay(1.0) == pytest.approx(0.0)
