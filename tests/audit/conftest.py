"""Fixtures shared by the tests of this room."""

import pytest
import torch

from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron


@pytest.fixture
def problem():
    torch.manual_seed(0)
    network = SpikingMLP([11, 16, 12], 4, Neuron(0.7, 0.6), readout_decay=0.5).double()
    x = (torch.rand(7, 5, 11) < 0.4).double()
    return network, x, torch.arange(5) % 4
