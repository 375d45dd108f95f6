"""NDOT against numbers by hand, OTTT where the two are one, and a trace that is followed by hand through pooling."""

from functools import partial

import pytest
import torch
from few_neurons import batch, gradients, network
from live_network import CLASSES, NEURON, live
from torch import nn
from torch.nn import functional as F

from workbench.credit.stepwise import Step
from workbench.networks.layers import LeakyReadout, SpikingLayer, advance, running_weights
from workbench.networks.spiking import SpikingMLP, SpikingSequential
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import psi_gesture
from workbench.rules import ndot, ottt
from workbench.rules.ndot import NDOT

HALF = Neuron(decay=0.5, threshold=1.0)


def one_neuron_a_layer(dtype):
    """Two layers of one neuron, Ψ = 1, and a readout of two classes; weights 1, 0.8 and ±1."""
    net = SpikingMLP([1, 1, 1], 2, HALF, torch.ones_like, standardize=False).to(dtype)
    for parameter, value in zip(net.parameters(), ([[1.0]], [0], [[0.8]], [0], [[1.0], [-1.0]], [0, 0]), strict=True):
        parameter.data.copy_(torch.tensor(value))
    return net


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("released", "e"), [(False, 0.1 / 0.8), (True, 0.05 / (0.1 - 1.0))])
def test_numbers_by_hand(released, e, dtype):
    """u = 0.8, 1.1, 0.05 in layer 1, which fires at step 2: u⁺ = 0.8, 0.1, 0.05; only step 3 learns.

    â[3] = e â[2] = e. In layer 2 u = 0, 0.8, 0.4 and nothing fires: o = 0, the error −½, ½ and δ = −1 and −0.8.
    """
    net, x = one_neuron_a_layer(dtype), torch.tensor([0.8, 0.7, 0.0], dtype=dtype).view(3, 1, 1)
    params = NDOT(last_steps=1, input_decay=0.0 if released else None, released=released)
    _, found = gradients(partial(ndot.gradients, params=params), net, x, torch.tensor([0]))
    q, one = (0.0, 1.0) if released else (0.25 * 0.8 + 0.5 * 0.7, 1.75)
    wanted = [-0.8 * q, -0.8 * one, -e, -one, 0.0, 0.0, -0.5, 0.5]
    assert torch.allclose(
        torch.cat([g.flatten() for g in found.values()]), torch.tensor(wanted, dtype=dtype), atol=1e-6
    )


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-13), (torch.float32, 1e-6)])
def test_it_is_ottt_while_every_membrane_keeps_its_share(dtype, bound):
    """Driven so hard that u⁺ grows at each step although each neuron fires: every e is cut to γ."""
    torch.manual_seed(0)
    net = SpikingMLP([3, 4, 5], 2, HALF, psi_gesture, standardize=False).to(dtype)
    with torch.no_grad():
        net.hidden[0].connection.weight.fill_(1.5)
    x, y = torch.ones(6, 2, 3, dtype=dtype), torch.tensor([0, 1])
    report, found = gradients(ndot.gradients, net, x, y)
    _, same = gradients(ottt.gradients, net, x, y)
    assert report.spike_rates["hidden.0"] == 1.0
    assert all(float((found[name] - same[name]).norm()) <= bound * float(same[name].norm()) for name in same)


@pytest.mark.parametrize("released", [False, True])
def test_no_trace_is_larger_than_that_of_ottt(released):
    net, (x, _) = network(recurrent=False), batch()
    layer, state, q = net.hidden[0], None, 0.0
    for t in range(len(x)):
        ran = ndot.run_step(NDOT(released=released), Step(layer, x[t : t + 1], running_weights(layer), state, False))
        state, q = ran.state, layer.neuron.decay * q + ran.spikes
        assert bool((ran.beside.abs() <= q + 1e-12).all())
    assert not torch.allclose(ran.beside, q, atol=0.1)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_traces_pass_pooling_as_the_spikes_do(dtype, bound):
    torch.manual_seed(1)
    first = SpikingLayer(nn.Conv2d(2, 3, 3, padding=1, bias=False), NEURON, gain=3.0)
    second = SpikingLayer(nn.Linear(3 * 4 * 4, 6), NEURON, gain=3.0)
    net = SpikingSequential(first, nn.AvgPool2d(2), nn.Flatten(), second, LeakyReadout(6, CLASSES, 0.0)).to(dtype)
    x, y = (torch.rand(7, 4, 2, 8, 8) < 0.4).to(dtype), torch.arange(4)
    _, found = gradients(ndot.gradients, net, x, y)

    ran, wanted = advance(first, x, running_weights(first)), 0.0
    rest = ran.potential - NEURON.threshold * ran.output
    trace = older = before = torch.zeros_like(rest[0])
    pooled = [F.avg_pool2d(z, 2).flatten(1) for z in ran.output]
    above = advance(second, torch.stack(pooled), running_weights(second))
    for t, z in enumerate(ran.output):
        e = torch.where(older == 0, NEURON.decay, before / older).clamp(-NEURON.decay, NEURON.decay)
        trace, older, before = e * trace + z, before, rest[t]
        output = F.linear(above.output[t], net[4].connection.weight, net[4].connection.bias)
        error = (output.softmax(1) - F.one_hot(y, CLASSES)) / 4
        g = (error @ net[4].connection.weight) * second.psi(above.potential[t] - NEURON.threshold)
        wanted = wanted + g.T @ F.avg_pool2d(trace, 2).flatten(1)
    net.zero_grad()
    second.effective_weight().backward(wanted.detach())
    assert float(ran.output.mean()) > 0.05 < float(above.output.mean())
    difference = (found["3.connection.weight"] - second.connection.weight.grad).norm()
    assert float(difference / second.connection.weight.grad.norm()) < bound


def test_a_step_at_a_time_sums_to_the_whole():
    net, x, y = live(recurrent=True, dtype=torch.float64)
    report, whole = gradients(ndot.gradients, net, x, y)
    sums = dict.fromkeys(whole, 0.0)
    reports = []
    for each in ndot.online(net, x, y):
        reports.append(each.loss)
        sums = {name: sums[name] + p.grad for name, p in net.named_parameters()}
    assert all(torch.allclose(sums[name], whole[name], atol=1e-13) for name in whole)
    assert reports[-1] == pytest.approx(report.loss)
    assert ndot.gradients(net, x[:4], y).state_bytes == report.state_bytes


def test_a_decay_that_makes_no_sense_is_refused():
    net, x, y = live(recurrent=False, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"input_decay of NDOT must be a number in \[0, 1\], got 1.5"):
        ndot.gradients(net, x, y, NDOT(input_decay=1.5))
