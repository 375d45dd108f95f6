"""Currents and spike trains for pictures."""

import math

import pytest
import torch

from workbench.neurons.stimuli import constant_current, random_spikes, regular_spikes, spikes_at


def test_regular_spikes():
    assert regular_spikes(9, 3).nonzero()[:, 0].tolist() == [2, 5, 8]
    assert torch.equal(regular_spikes(7, 1), constant_current(7, 1.0))
    assert not regular_spikes(4, 5).any()


def test_random_spikes_have_their_rate_and_seed():
    train = random_spikes(20_000, 8, seed=3)
    rate, deviation = 1 / 8, math.sqrt(1 / 8 * 7 / 8 / 20_000)
    assert abs(float(train.mean()) - rate) < 4 * deviation
    assert torch.equal(train, random_spikes(20_000, 8, seed=3))
    assert not torch.equal(train, random_spikes(20_000, 8, seed=4))
    assert bool((random_spikes(20_000, 4, seed=3) >= train).all())
    assert torch.equal(random_spikes(9, 1), constant_current(9, 1.0))


def test_spikes_at_times():
    assert spikes_at([], 3).tolist() == [0, 0, 0]
    assert spikes_at([2, 0, 2], 3).tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: constant_current(0, 1.0),
        lambda: regular_spikes(5, 0),
        lambda: random_spikes(5, 0.5),
        lambda: random_spikes(5, math.nan),
        lambda: spikes_at([5], 5),
        lambda: spikes_at([-1], 5),
    ],
)
def test_what_cannot_be_is_quoted(wrong):
    with pytest.raises(ValueError, match=r"got"):
        wrong()
