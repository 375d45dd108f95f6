"""Spiking networks of every kind that other systems can be told, and events for them: for tests only."""

from functools import partial

import torch
from torch import nn

from workbench.networks.architectures import spiking_resnet18, spiking_small_conv
from workbench.networks.layers import LeakyReadout, SpikingLayer, over_the_maximum
from workbench.networks.spiking import SpikingMLP, SpikingSequential
from workbench.neurons.lif import Neuron, hard_reset, soft_reset, unit_reset


def dense(reset=soft_reset, decay=0.7, **more):
    layer = partial(SpikingLayer, neuron=Neuron(decay, 0.5), reset=reset, **more)
    parts = layer(nn.Linear(12, 9), recurrent=True), layer(nn.Linear(9, 7, bias=False)), LeakyReadout(7, 3, decay)
    return SpikingSequential(nn.Flatten(), *parts)


NETWORKS = {
    "soft": (partial(dense, soft_reset), (3, 4)),
    "hard": (partial(dense, hard_reset, standardize=over_the_maximum), (3, 4)),
    "no leak": (partial(dense, unit_reset, 1.0), (3, 4)),
    "no memory": (partial(dense, soft_reset, 0.0, standardize=False), (3, 4)),
    "mlp": (partial(SpikingMLP, [12, 9], 3, readout_decay=0.9, recurrent=True), (12,)),
    "images": (partial(spiking_small_conv, 3, (2, 9, 8)), (2, 9, 8)),
    "residual": (partial(spiking_resnet18, 3, stages=(2, 3)), (2, 8, 8)),
}


def example(name):
    make, shape = NETWORKS[name]
    torch.manual_seed(3)
    network = make().double()
    with torch.no_grad():
        for parameter_name, parameter in network.named_parameters():
            if "gain" in parameter_name:
                nn.init.normal_(parameter, 1.5, 0.2)
            if "bias" in parameter_name:
                nn.init.normal_(parameter, 0.1, 0.1)
    return network, (torch.rand(12, 2, *shape) < 0.5).double(), shape
