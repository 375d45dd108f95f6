"""Networks with every kind of layer, a batch for them, and what S-TLLR makes of both: for tests only."""

import torch

from workbench.networks.architectures import Cells, spiking_small_conv
from workbench.networks.layers import advance, running_weights
from workbench.networks.spiking import SpikingMLP, layers_with_memory
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import triangle
from workbench.neurons.traces import Factors
from workbench.rules import stllr

FACTORS = Factors(0.4, 0.6, -0.8, 1.2)


def dense():
    torch.manual_seed(1)
    return SpikingMLP([8, 7, 6], 3, Neuron(0.7, 0.4), triangle).double(), (8,)


def recurrent():
    torch.manual_seed(1)
    return SpikingMLP([8, 7, 6], 3, Neuron(0.7, 0.4), triangle, readout_decay=0.9, recurrent=True).double(), (8,)


def convolutional():
    torch.manual_seed(1)
    return spiking_small_conv(3, (2, 8, 8), cells=Cells(Neuron(0.7, 0.4), triangle, gain=2.0)).double(), (2, 8, 8)


NETWORKS = [dense, recurrent, convolutional]


def batch_for(shape, steps=9):
    generator = torch.Generator().manual_seed(steps)
    x = (torch.rand(steps, 5, *shape, generator=generator) < 0.4).double()
    return x, torch.randint(0, 3, (5,), generator=generator)


def gradients(net, x, y, params):
    net.zero_grad()
    report = stllr.gradients(net, x, y, params)
    return report, {name: None if p.grad is None else p.grad.clone() for name, p in net.named_parameters()}


def run_through(net, x):
    """Input and output of every layer, and the output of the network, by running it without learning."""
    weights = {layer: running_weights(layer) for layer in layers_with_memory(net).values()}
    seen = {}

    def run(layer, x):
        seen[layer] = (x, advance(layer, x, weights[layer]).output)
        return seen[layer][1]

    return seen, net(x, run)
