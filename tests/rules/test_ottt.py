"""OTTT against backpropagation through time and S-TLLR, of which it is a case."""

from functools import partial

import torch
from few_neurons import batch, gradients, network

from workbench.neurons.traces import Factors
from workbench.rule import LayerSize
from workbench.rules import bptt, ottt, stllr
from workbench.rules.stllr import STLLR


def test_ottt_is_backpropagation_through_time_for_one_layer():
    net, (x, y) = network(recurrent=False, kappa=0.0), batch()
    _, found = gradients(ottt.gradients, net, x, y)
    _, exact = gradients(bptt.gradients, net, x, y)
    assert all(torch.allclose(found[name], exact[name], atol=1e-10) for name in exact)


def test_ottt_is_stllr_with_the_membranes_decay():
    net, (x, y) = network(), batch()
    _, found = gradients(ottt.gradients, net, x, y)
    _, same = gradients(partial(stllr.gradients, params=STLLR(Factors(0.5, 0.8, 0.0, 1.0))), net, x, y)
    assert all(torch.equal(found[name], same[name]) for name in same)
    steps = list(ottt.online(net, x, y))
    assert len(steps) == len(x)


def test_the_cost_is_two_products_a_learning_step():
    sizes = [LayerSize("in", 4, 0), LayerSize("hidden", 7, 28), LayerSize("out", 3, 21)]
    assert ottt.cost(sizes, 20, 5) == (2 * 5 * 49, 4 * 14)
