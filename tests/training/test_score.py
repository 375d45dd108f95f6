"""Evaluation in parts against the whole."""

import pytest
import torch
from tiny_training import tiny_data
from torch.nn import functional as F

from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.training.score import accuracy, evaluate


def test_evaluation_in_parts_equals_the_whole():
    network, samples = SpikingMLP([12, 16], classes=3), tiny_data().test
    x, y = samples.batch(torch.arange(48))
    logits = spiking_logits(network, x)
    assert evaluate(network, samples, spiking_logits, batch_size=7) == pytest.approx(
        (accuracy(logits, y), float(F.cross_entropy(logits, y)))
    )
