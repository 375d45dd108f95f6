"""e-prop against the gradients that define it."""

from functools import partial

import pytest
import torch
from few_neurons import batch, gradients, network
from torch import nn

from workbench.credit.signals import direct_feedback
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import hard_reset, no_reset, soft_reset, unit_reset
from workbench.neurons.surrogate import spike
from workbench.rules import bptt, eprop, ottt, stllr
from workbench.rules.eprop import EProp
from workbench.rules.ottt import OTTT


def without_past_spikes(net, x, y, start=0):
    """Backpropagation through time with the path through z[t−1] cut, the leaky readout left whole."""
    layer, readout = net.hidden[0], net.readout
    weight, recurrent = layer.effective_weights()
    rest = z = torch.zeros(x.shape[1], 9, dtype=x.dtype)
    output, loss = 0.0, 0.0
    for t, now in enumerate(x):
        u = layer.neuron.decay * rest + now @ weight.T + layer.connection.bias
        u = u if recurrent is None else u + z.detach() @ recurrent.T
        z = spike(u - layer.neuron.threshold, layer.psi)
        rest = u - layer.neuron.threshold * z.detach()
        output = readout.decay * output + readout.connection(z)
        loss = loss + (nn.functional.cross_entropy(output, y) if t >= start else 0.0)
    loss.backward()


@pytest.mark.parametrize("recurrent", [True, False])
@pytest.mark.parametrize("kappa", [0.9, 0.0])
@pytest.mark.parametrize("last_steps", [None, 6])
def test_eprop_is_exact_but_for_paths_through_past_spikes(recurrent, kappa, last_steps):
    net, (x, y) = network(recurrent, kappa), batch()
    _, found = gradients(partial(eprop.gradients, params=EProp(last_steps)), net, x, y)
    net.zero_grad()
    without_past_spikes(net, x, y, len(x) - (last_steps or len(x)))
    for name, parameter in net.named_parameters():
        assert torch.allclose(found[name], parameter.grad, atol=1e-10), name


def test_eprop_misses_paths_through_past_spikes():
    net, (x, y) = network(), batch()
    _, found = gradients(eprop.gradients, net, x, y)
    _, exact = gradients(bptt.gradients, net, x, y)
    name = "hidden.0.recurrent.weight"
    assert (found[name] - exact[name]).norm() / exact[name].norm() > 0.01
    assert nn.functional.cosine_similarity(found[name].flatten(), exact[name].flatten(), dim=0) > 0.3


@pytest.mark.parametrize("signal", [None, direct_feedback])
def test_eprop_under_a_memoryless_readout_is_ottt(signal):
    net, (x, y) = network(kappa=0.0, sizes=(11, 9, 7)), batch()
    options = {} if signal is None else {"signal": signal(net, x)}
    report, by_synapse = gradients(partial(eprop.gradients, params=EProp(**options)), net, x, y)
    other, by_neuron = gradients(partial(ottt.gradients, params=OTTT(chunk=7, **options)), net, x, y)
    assert torch.allclose(report.logits, other.logits)
    assert report.loss == pytest.approx(other.loss)
    assert report.state_bytes > 3 * other.state_bytes
    for name, grad in by_synapse.items():
        assert torch.allclose(grad, by_neuron[name], atol=1e-11), name


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_what_each_rule_carries_is_counted_by_hand(dtype):
    """Of one recording of a network as in notebook 04: inputs, neurons that listen to each other, outputs, steps."""
    inputs, neurons, outputs, steps = 12, 10, 5, 6
    net = SpikingMLP([inputs, neurons], outputs, recurrent=True, readout_decay=0.8).to(dtype)
    x, y = torch.ones(steps, 1, inputs, dtype=dtype), torch.tensor([1])
    carried = 2 * neurons + outputs
    synapses = (neurons + 1) * (inputs + 1 + neurons) + neurons + 1
    for rule, expected in (
        (bptt, 2 * steps * (neurons + outputs)),
        (eprop, carried + synapses),
        (stllr, carried + inputs + 2 * neurons + neurons),
    ):
        assert rule.gradients(net, x, y).state_bytes == expected * dtype.itemsize, rule.__name__


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("kappa", [0.0, 0.9])
@pytest.mark.parametrize("reset", [soft_reset, unit_reset, no_reset, hard_reset])
def test_exactness_needs_a_reset_that_takes_a_constant_away_and_the_right_readout(reset, kappa, dtype):
    """One layer: e-prop is exact under any readout, OTTT under a memoryless one; both unless the reset is hard."""
    net, (x, y) = network(recurrent=False, kappa=kappa).to(dtype), batch()
    x = x.to(dtype)
    net.hidden[0].reset = reset
    _, exact = gradients(bptt.gradients, net, x, y)
    for rule, readout in ((ottt.gradients, kappa == 0.0), (eprop.gradients, True)):
        _, found = gradients(rule, net, x, y)
        name = "hidden.0.connection.weight"
        difference = float((found[name] - exact[name]).norm() / exact[name].norm())
        if readout and reset is not hard_reset:
            assert difference < (1e-12 if dtype == torch.float64 else 1e-4)
        else:
            assert difference > 0.05


def test_eprop_refuses_what_it_cannot_run():
    x, y = batch()
    with pytest.raises(ValueError, match="got 0 readouts in 1 layers"):
        eprop.gradients(network().hidden[0], x, y)
