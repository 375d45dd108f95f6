"""Angles between updates against updates that are known."""

import math
from functools import partial

import pytest
import torch

from workbench.audit.angles import angle, angle_per_layer, angle_per_step
from workbench.audit.updates import layer_updates
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import fast_sigmoid
from workbench.neurons.traces import Factors
from workbench.rules import bptt, stllr
from workbench.rules.bptt import BPTT
from workbench.rules.stllr import STLLR

pytestmark = pytest.mark.usefixtures("unchecked")

EXACT = STLLR(Factors(0.2, 0.8, 0.0, 1.0))


def case(sizes=(11, 9, 7), steps=12):
    torch.manual_seed(2)
    net = SpikingMLP(sizes, 4, Neuron(0.8, 0.6), fast_sigmoid).double()
    return net, (torch.rand(steps, 5, 11) < 0.4).double(), torch.randint(0, 4, (5,))


def test_angles_of_known_vectors():
    assert angle(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 0.1])) == pytest.approx(90.0)
    assert angle(torch.tensor([1.0, 3.0]), torch.tensor([-2.0, -6.0])) == pytest.approx(180.0)
    assert angle(torch.rand(50).double() * 1e-30, torch.ones(50)) < 60.0
    assert math.isnan(angle(torch.zeros(3), torch.ones(3)))


def test_exact_rule_has_no_angle_and_the_layer_below_has_one():
    net, x, y = case()
    angles = angle_per_layer(net, x, y, partial(stllr.gradients, params=EXACT))
    assert list(angles) == ["hidden.0", "hidden.1", "readout"]
    assert angles["hidden.1"] < 1e-3
    assert angles["readout"] < 1e-3
    assert 1.0 < angles["hidden.0"] < 90.0


def test_credit_of_every_step_adds_up_to_the_update():
    net, x, y = case()
    for rule, last, whole in (
        (stllr.gradients, STLLR(last_steps=1), STLLR()),
        (bptt.gradients, BPTT(last_steps=1), BPTT()),
    ):
        parts = [layer_updates(net, x[: t + 1], y, partial(rule, params=last)) for t in range(len(x))]
        total = layer_updates(net, x, y, partial(rule, params=whole))
        for name, update in total.items():
            assert torch.allclose(sum(part[name] for part in parts), update, atol=1e-11)


def test_angle_grows_with_what_must_be_remembered():
    net, x, y = case()
    forgetful = STLLR(Factors(0.2, 0.1, 0.0, 1.0), last_steps=1)
    exact = angle_per_step(net, x, y, partial(stllr.gradients, params=EXACT._replace(last_steps=1)))
    short = angle_per_step(net, x, y, partial(stllr.gradients, params=forgetful))
    assert exact.steps == list(range(12))
    assert float(exact.degrees["hidden.1"].max()) < 1e-3
    assert float(short.degrees["hidden.1"][0]) < 1e-3  # nothing to remember yet
    assert float(short.degrees["hidden.1"][-1]) > 20.0
    some = angle_per_step(net, x, y, partial(stllr.gradients, params=forgetful), steps=[3, 11])
    assert torch.equal(some.degrees["hidden.1"], short.degrees["hidden.1"][[3, 11]])


def test_gradients_are_left_alone():
    net, x, y = case()
    stllr.gradients(net, x, y)
    before = [parameter.grad for parameter in net.parameters()]
    angle_per_layer(net, x, y, stllr.gradients)
    assert all(parameter.grad is grad for parameter, grad in zip(net.parameters(), before, strict=True))


def test_steps_outside_are_quoted():
    net, x, y = case()
    with pytest.raises(ValueError, match=r"steps in 0\.\.11, got \[12\]"):
        angle_per_step(net, x, y, stllr.gradients, steps=[12])
