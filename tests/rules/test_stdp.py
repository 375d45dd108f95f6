"""Pair STDP against the sum over all pairs."""

from functools import partial

import pytest
import torch
from few_neurons import batch, gradients, network

from workbench.networks.layers import advance, running_weights
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.neurons.windows import PairRule, stdp_pair_sum
from workbench.rules import stdp
from workbench.rules.stdp import STDP


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
