"""Somebody's spiking network, written as one step: the same numbers as step by step, under every rule."""

import own_networks
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.networks.layers import LeakyReadout, SpikingLayer, advance, over_time, running_weights
from workbench.networks.spiking import Simulation, SpikingMLP, spiking_logits
from workbench.networks.taken_spiking import take_spiking
from workbench.rule import Steps
from workbench.rules import RULES

SHAPE = (2, 8, 8)


def example(dtype=torch.double, dropout=0.0):
    torch.manual_seed(2)
    step = own_networks.SpikingStep(dropout).to(dtype)
    x = (torch.rand(7, 3, *SHAPE) < 0.4).to(dtype)
    return step, x, torch.arange(3)


class ByHand(nn.Module):
    """The same network as its author would write it for a rule."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def forward(self, x, run):
        s = self.step
        x = run(s.first, x)
        x = over_time(s.pool, x + 0.5 * run(s.second, x))
        return run(s.readout, run(s.dense, run(s.mask, x).flatten(2)))


@pytest.mark.parametrize("dtype", [torch.double, torch.float])
def test_the_same_spikes_as_one_layer_after_another(dtype):
    step, x, _ = example(dtype)
    network, neurons, outputs = take_spiking(step, SHAPE), {}, []

    def run(layer, x):
        ran = advance(layer, x[None], running_weights(layer), neurons.get(layer))
        neurons[layer] = ran.neurons
        return ran.output[0]

    for now in x:
        z = run(step.first, now)
        z = F.avg_pool2d(z + 0.5 * run(step.second, z), 2)
        outputs.append(run(step.readout, run(step.dense, z.flatten(1))))
    found = network(x, Simulation(network).run)
    assert found.abs().max() > 0
    assert torch.allclose(found, torch.stack(outputs), atol=1e-5 if dtype is torch.float else 1e-12)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.for_spiking is not None], ids=lambda rule: rule.name)
def test_every_rule_sees_the_same_network(rule):
    found = []
    for make in (lambda step: take_spiking(step, SHAPE), ByHand):
        step, x, y = example()
        network = make(step)
        try:
            torch.manual_seed(5)
            prepared = rule.for_spiking(network, x, 3, Steps())
            report = prepared.gradients(network, x, y)
        except ValueError as error:
            found.append(str(error))
        else:
            found.append((report.loss, {name: p.grad for name, p in step.named_parameters() if p.grad is not None}))
    if isinstance(found[0], str):
        assert isinstance(found[1], str)
        return
    (loss, ours), (other_loss, theirs) = found
    assert loss == pytest.approx(other_loss, abs=1e-12)
    assert ours.keys() == theirs.keys()
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-12) for name in theirs)
    assert any(grad.abs().max() > 0 for grad in ours.values())


def test_the_layers_are_the_author_s_own():
    step, x, _ = example()
    network = take_spiking(step, SHAPE)
    assert {id(p) for p in network.parameters()} == {id(p) for p in step.parameters()}
    assert spiking_logits(network, x).shape == (3, 3)


def layer(n_in, n_out):
    return SpikingLayer(nn.Linear(n_in, n_out))


shared = layer(4, 4)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (
            nn.Sequential(layer(4, 4), nn.Linear(4, 3)),
            r"'1' \(Linear\) has weights and no neurons.* a SpikingLayer",
        ),
        (nn.Sequential(layer(4, 4), nn.BatchNorm1d(4)), r"'1' \(BatchNorm1d\) has weights and no neurons.*standardize"),
        (nn.Sequential(shared, shared), r"'0' \(SpikingLayer\) stands at two places"),
        (nn.Sequential(nn.Linear(4, 4), nn.ReLU()), "no SpikingLayer or LeakyReadout; take_blocks takes plain"),
        (
            nn.Sequential(layer(4, 4), LeakyReadout(5, 3)),
            r"'1' \(LeakyReadout\) does not take .* shape \(2, 4\)",
        ),
        (SpikingMLP([4, 3], 2), "takes `run` already"),
    ],
    ids=range(6),
)
def test_what_cannot_be_taken_is_named(module, words):
    with pytest.raises(ValueError, match=words):
        take_spiking(module, (4,))
