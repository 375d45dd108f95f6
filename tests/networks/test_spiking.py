"""The papers' networks have the papers' shapes, and the parts do what they say."""

import torch
from torch import nn

from workbench.networks.layers import SpikingLayer
from workbench.networks.spiking import ResidualBlock, Simulation, SpikingSequential
from workbench.neurons.lif import Neuron


def test_residual_block_adds_spikes():
    layer = SpikingLayer(nn.Linear(6, 6), Neuron(0.5, 0.1), standardize=False)
    nn.init.eye_(layer.connection.weight)
    block = ResidualBlock(SpikingSequential(layer))
    x = torch.ones(4, 3, 6)
    z = Simulation(block).run(layer, x)
    assert torch.equal(block(x, Simulation(block).run), z + x)
    assert float(block(x, Simulation(block).run).max()) == 2.0
