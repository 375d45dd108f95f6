"""A spiking network of a few neurons in float64, a batch for it, and what a rule makes of both: for tests only."""

import torch
from torch import nn

from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import fast_sigmoid


def network(recurrent=True, kappa=0.9, sizes=(11, 9)):
    torch.manual_seed(2)
    net = SpikingMLP(sizes, 4, Neuron(0.8, 0.6), fast_sigmoid, readout_decay=kappa, recurrent=recurrent).double()
    for parameter in net.parameters():  # biases and gains that matter
        nn.init.normal_(parameter, parameter.detach().mean().item(), 0.3)
    return net


def batch(steps=20):
    generator = torch.Generator().manual_seed(steps)
    x = (torch.rand(steps, 5, 11, generator=generator) < 0.4).double()
    return x, torch.randint(0, 4, (5,), generator=generator)


def gradients(rule, net, *batch, **options):
    net.zero_grad()
    report = rule(net, *batch, **options)
    return report, {name: p.grad.clone() for name, p in net.named_parameters()}


def largest_difference(a, b):
    return max(float((a[name] - b[name]).norm() / b[name].norm()) for name in b)
