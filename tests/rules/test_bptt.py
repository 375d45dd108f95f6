"""Backpropagation through time against the loop written out by hand."""

import gc
import weakref

import pytest
import snntorch
import torch
from few_neurons import batch, gradients, largest_difference, network
from torch import nn

from workbench.neurons.surrogate import spike
from workbench.rules import bptt


def bptt_by_hand(net, x, y):
    """The same loop with the path through z[t−1] left in."""
    layer = net.hidden[0]
    weight, recurrent = layer.effective_weights()
    rest = z = torch.zeros(x.shape[1], 9, dtype=x.dtype)
    loss = 0.0
    for now in x:
        u = layer.neuron.decay * rest + now @ weight.T + layer.connection.bias + z @ recurrent.T
        z = spike(u - layer.neuron.threshold, layer.psi)
        rest = u - layer.neuron.threshold * z.detach()
        loss = loss + nn.functional.cross_entropy(net.readout.connection(z), y)
    loss.backward()


def test_backpropagation_through_time_follows_past_spikes():
    net, (x, y) = network(kappa=0.0), batch(12)
    _, unrolled = gradients(bptt.gradients, net, x, y)
    net.zero_grad()
    bptt_by_hand(net, x, y)
    assert largest_difference(unrolled, {name: p.grad for name, p in net.named_parameters()}) < 1e-9


@pytest.mark.parametrize("window", [1, 4, 5])
def test_truncated_backpropagation_stops_at_the_window(window):
    net, (x, y) = network(), batch(12)
    whole, exact = gradients(bptt.gradients, net, x, y)
    report, truncated = gradients(bptt.gradients, net, x, y, params=bptt.BPTT(window=window))
    assert torch.allclose(report.logits, whole.logits)
    assert report.loss == pytest.approx(whole.loss)
    assert report.state_bytes < whole.state_bytes
    name = "hidden.0.connection.weight"
    assert (truncated[name] - exact[name]).norm() / exact[name].norm() > 1e-3
    _, same = gradients(bptt.gradients, net, x, y, params=bptt.BPTT(window=12))
    assert largest_difference(same, exact) == 0.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("last_steps", [None, 4])
def test_summed_output_is_the_cross_entropy_of_the_sum(dtype, last_steps):
    """Of the released baseline: outputs of the steps that learn are added up, not averaged."""
    net, (x, y) = network().to(dtype), batch(9)
    x = x.to(dtype)
    report, found = gradients(bptt.gradients, net, x, y, params=bptt.BPTT(last_steps, summed_output=True))
    net.zero_grad()
    output = net(x, bptt.Unrolled(net).run)
    total = sum(output[t] for t in range(9 - (last_steps or 9), 9))
    loss = -torch.log_softmax(total, 1)[range(len(y)), y].mean()
    loss.backward()
    assert report.loss == pytest.approx(float(loss.detach()), rel=1e-5)
    for name, parameter in net.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad)


@pytest.mark.parametrize("rule", ["gradients", "by_step"])
def test_nothing_of_a_batch_stays(monkeypatch, rule):
    """snnTorch keeps a list of all its neurons; a neuron knows its membrane, and that the graph behind it."""
    made, leaky = [], bptt.leaky
    monkeypatch.setattr(bptt, "leaky", lambda layer: made.append(weakref.ref(neuron := leaky(layer))) or neuron)
    net, (x, y) = network(), batch(12)
    listed = len(snntorch.SpikingNeuron.instances)
    kept = gradients(bptt.gradients, net, x, y) if rule == "gradients" else list(bptt.by_step(net, x, y))
    gc.collect()
    assert kept
    assert made
    assert [each() for each in made] == [None] * len(made)
    assert len(snntorch.SpikingNeuron.instances) == listed
