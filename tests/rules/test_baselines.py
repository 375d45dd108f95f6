"""e-prop, OTTT and pair STDP against the gradients and sums that define them."""

from functools import partial

import pytest
import torch
from torch import nn

from workbench.credit.signals import direct_feedback
from workbench.networks.layers import advance, running_weights
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron, hard_reset, no_reset, soft_reset, unit_reset
from workbench.neurons.surrogate import fast_sigmoid, spike
from workbench.neurons.traces import Factors
from workbench.neurons.windows import PairRule, stdp_pair_sum
from workbench.rules import bptt, eprop, ottt, stdp, stllr
from workbench.rules.eprop import EProp
from workbench.rules.ottt import OTTT
from workbench.rules.stdp import STDP
from workbench.rules.stllr import STLLR


def network(recurrent=True, kappa=0.9, sizes=(11, 9)):
    torch.manual_seed(2)
    net = SpikingMLP(sizes, 4, Neuron(0.8, 0.6), fast_sigmoid, readout_decay=kappa, recurrent=recurrent).double()
    for parameter in net.parameters():
        nn.init.normal_(parameter, parameter.detach().mean().item(), 0.3)
    return net


def batch(steps=20):
    generator = torch.Generator().manual_seed(steps)
    x = (torch.rand(steps, 5, 11, generator=generator) < 0.4).double()
    return x, torch.randint(0, 4, (5,), generator=generator)


def gradients(rule, net, x, y):
    net.zero_grad()
    report = rule(net, x, y)
    return report, {name: p.grad.clone() for name, p in net.named_parameters()}


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


def test_ottt_is_backpropagation_through_time_for_one_layer():
    net, (x, y) = network(recurrent=False, kappa=0.0), batch()
    _, found = gradients(ottt.gradients, net, x, y)
    _, exact = gradients(bptt.gradients, net, x, y)
    assert all(torch.allclose(found[name], exact[name], atol=1e-10) for name in exact)


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


def test_ottt_is_stllr_with_the_membranes_decay():
    net, (x, y) = network(), batch()
    _, found = gradients(ottt.gradients, net, x, y)
    _, same = gradients(partial(stllr.gradients, params=STLLR(Factors(0.5, 0.8, 0.0, 1.0))), net, x, y)
    assert all(torch.equal(found[name], same[name]) for name in same)
    steps = list(ottt.online(net, x, y))
    assert len(steps) == len(x)


@pytest.mark.parametrize("dt", [1.0, 2.5])
def test_stdp_is_the_sum_over_all_pairs(dt):
    torch.manual_seed(2)
    net = SpikingMLP([11, 9], 4, Neuron(0.8, 0.6), standardize=False, recurrent=True).double()
    x, y = batch()
    rule = PairRule(1.0, 1.3, 12.0, 25.0)
    _, found = gradients(partial(stdp.gradients, params=STDP(rule, dt, chunk=6)), net, x, y)
    layer = net.hidden[0]
    z = advance(layer, x, running_weights(layer)).output
    past = torch.cat([torch.zeros_like(z[:1]), z[:-1]])
    for name, pre in (("connection", x), ("recurrent", past)):
        for i, j in ((0, 0), (3, 5), (8, 8)):
            pairs = [
                (pre[:, b, j].nonzero()[:, 0].double() * dt, z[:, b, i].nonzero()[:, 0].double() * dt) for b in range(5)
            ]
            change = sum(float(stdp_pair_sum(before, after, rule)) for before, after in pairs) / 5
            assert float(found[f"hidden.0.{name}.weight"][i, j]) == pytest.approx(-change, abs=1e-9)


def test_stdp_does_not_listen_to_labels_but_its_readout_does():
    net, (x, y) = network(), batch()
    _, one = gradients(stdp.gradients, net, x, y)
    _, other = gradients(stdp.gradients, net, x, (y + 1) % 4)
    for name in one:
        assert torch.equal(one[name], other[name]) == name.startswith("hidden"), name


def test_eprop_refuses_what_it_cannot_run():
    x, y = batch()
    with pytest.raises(ValueError, match="got 0 readouts in 1 layers"):
        eprop.gradients(network().hidden[0], x, y)
