"""The embedded voices."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeClassifier

from workbench.data.event_sets import EventSet
from workbench.data.sets.voices import voices


def held_out_accuracy(train: EventSet, test: EventSet) -> float:
    """Of a linear classifier on counts in 6 pieces of time."""

    def features(part: EventSet) -> np.ndarray:
        pieces = part.counts.float().tensor_split(6)
        return torch.cat([piece.sum(0) for piece in pieces], 1).sqrt().numpy()

    return float(RidgeClassifier(300.0).fit(features(train), train.labels).score(features(test), test.labels))


def test_the_voices_are_balanced_and_their_labels_fit():
    train, test, classes = voices()
    assert train.counts.shape == (60, 800, 128)
    assert train.labels.bincount().tolist() == [160] * 5
    assert test.labels.bincount().tolist() == [40] * 5
    assert len(classes) == 5
    assert "Allison" in classes[0]
    assert held_out_accuracy(train, test) > 0.65


def test_a_coarser_step_adds_the_spikes_up():
    fine, coarse = voices(10.0).test.counts, voices(50.0).test.counts
    assert torch.equal(fine.int().view(12, 5, 200, 128).sum(1), coarse.int())
    for wrong in (0.0, 601.0):
        with pytest.raises(ValueError, match="step_ms is"):
            voices(wrong)
