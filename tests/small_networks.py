"""One small network of each kind that a mix can train, with a few inputs."""

import torch
from torch import nn

from workbench.mixes.time import NO_PAST
from workbench.networks.blocks import BlockNetwork, conv_block, dense_block
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP, SpikingSequential
from workbench.neurons.lif import Neuron
from workbench.neurons.traces import Factors

CLASSES, NEURON = 3, Neuron(0.8, 0.5)
FACTORS = {"instant": NO_PAST, "traces": Factors(), "eprop": Factors(), "bptt": Factors()}


def network(kind, standardize=False):
    """A small network whose layers all fire; not standardised, unless asked, so that Ŵ is W."""
    with seeded(3):
        if kind == "blocks":
            convolution = conv_block(1, 4, 2, nn.Sequential(nn.MaxPool2d(2), nn.Flatten()))
            return BlockNetwork([convolution, dense_block(36, 16)], nn.Linear(16, CLASSES))
        if kind == "convolutional":
            first = SpikingLayer(nn.Conv2d(2, 4, 3, padding=1), NEURON, standardize=standardize)
            second = SpikingLayer(nn.Conv2d(4, 5, 3), NEURON, standardize=standardize)
            return SpikingSequential(first, nn.AvgPool2d(2), second, nn.Flatten(), LeakyReadout(5, CLASSES, 0.7))
        recurrent = kind == "recurrent"
        return SpikingMLP([6, 9, 8], CLASSES, NEURON, standardize=standardize, readout_decay=0.7, recurrent=recurrent)


def inputs(kind, seed=0):
    """A few samples, `(time, batch, ...)` of a spiking network."""
    generator = torch.Generator().manual_seed(seed)
    if kind == "blocks":
        return torch.rand(5, 1, 6, 6, generator=generator)
    shape = (6, 4, 2, 6, 6) if kind == "convolutional" else (7, 4, 6)
    return (torch.rand(shape, generator=generator) < 0.4).double()


def labels(kind):
    """Of `inputs`."""
    return torch.tensor([0, 1, 2, 0, 1])[: 5 if kind == "blocks" else 4]
