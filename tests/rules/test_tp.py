"""Traces Propagation against its plain text, numbers by hand, and what it says of itself: forward only, and local."""

import math
from functools import partial

import pytest
import torch
from few_neurons import batch, gradients, largest_difference
from few_neurons import network as few
from live_network import CLASSES, KAPPA, NEURON, live, margin
from torch import nn

from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spiking import Simulation, SpikingMLP, SpikingSequential, stacked_weights
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import psi_gesture
from workbench.rule import Steps
from workbench.rules import tp
from workbench.rules.tp import TP


def label_weights(width, dtype=torch.float64):
    return torch.rand(CLASSES, width, dtype=dtype, generator=torch.Generator().manual_seed(5))


def rule(network, k=None, dtype=torch.float64):
    width = len(network.hidden[0].connection.weight)
    return partial(tp.gradients, params=TP(label_weights(width, dtype), 0.9, k))


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-13), (torch.float32, 2e-6)])
@pytest.mark.parametrize("k", [None, 5])
@pytest.mark.parametrize("recurrent", [False, True])
def test_the_fast_form_gives_the_numbers_of_the_plain_text(recurrent, k, dtype, bound):
    network, x, y = live(recurrent, dtype)
    assert margin(network, x) > 2e-5
    report, found = gradients(rule(network, k, dtype), network, x, y)
    assert all(0.05 < rate < 0.8 for rate in report.spike_rates.values())
    network.zero_grad()
    matrices, S = stacked_weights(network), label_weights(9, dtype)
    plain = tp.by_definition([W.detach() for W in matrices], S, x, y, 0.9, k, NEURON, psi_gesture, KAPPA)
    for W, update in zip(matrices, plain, strict=True):
        W.backward(update, retain_graph=True)
    wanted = {name: p.grad for name, p in network.named_parameters()}
    assert all(g.norm() > 1e-3 for g in wanted.values())
    assert largest_difference(found, wanted) < bound


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_numbers_by_hand(dtype):
    """One neuron, one step, two samples of class 0 and 1; the input makes the second fire, the label the first.

    ε = (0, 1), ε̃ = (1, 0): s = ((0, 0), (1, 0)). Labels lie √2 apart: y = ((p, 1 − p), (1 − p, p)).
    """
    network = SpikingMLP([1, 1], 2, Neuron(0.5, 1.0), torch.ones_like, standardize=False).to(dtype)
    network.hidden[0].connection.weight.data.fill_(1.5)
    x, y = torch.tensor([0.0, 1.0], dtype=dtype).view(1, 2, 1), torch.tensor([0, 1])
    params = TP(torch.tensor([[2.0], [0.0]], dtype=dtype))
    _, found = gradients(partial(tp.gradients, params=params), network, x, y)
    p, pulled = 1 / (1 + math.exp(-math.sqrt(2))), 1 / (1 + math.exp(-1))
    second = (pulled - (1 - p)) / 2
    assert float(found["hidden.0.connection.weight"]) == pytest.approx(second, rel=1e-6)
    assert float(found["hidden.0.connection.bias"]) == pytest.approx(second + (0.5 - p) / 2, rel=1e-6)


def test_no_update_depends_on_the_weights_above_it():
    network, x, y = live(recurrent=True, dtype=torch.float64)
    _, found = gradients(rule(network), network, x, y)
    nn.init.normal_(network.hidden[1].connection.weight)
    nn.init.normal_(network.readout.connection.weight)
    _, other = gradients(rule(network), network, x, y)
    assert all(torch.equal(found[name], other[name]) for name in found if name.startswith("hidden.0"))
    assert not torch.allclose(found["hidden.1.connection.weight"], other["hidden.1.connection.weight"])


def test_one_sample_alone_has_nothing_to_be_told_from():
    network, (x, y) = few(recurrent=True), batch()
    _, found = gradients(rule(network), network, x[:, :1], y[:1])
    assert all(not g.any() for name, g in found.items() if name.startswith("hidden"))
    assert found["readout.connection.weight"].any()


def test_the_order_of_the_samples_says_nothing_and_memory_does_not_grow():
    network, (x, y) = few(recurrent=False, sizes=(11, 9, 7)), batch()
    report, found = gradients(rule(network), network, x, y)
    _, turned = gradients(rule(network), network, x.flip(1), y.flip(0))
    assert largest_difference(turned, found) < 1e-12
    assert rule(network)(network, x[:4], y).state_bytes == report.state_bytes


def test_a_convolution_of_one_place_is_a_dense_layer():
    network, (x, y) = few(recurrent=False, sizes=(11, 9, 7)), batch()
    layers = [
        SpikingLayer(nn.Conv2d(*n, 1), Neuron(0.8, 0.6), network.hidden[0].psi).double() for n in ((11, 9), (9, 7))
    ]
    for conv, dense in zip(layers, network.hidden, strict=True):
        conv.load_state_dict(
            {k: v[..., None, None] if v.ndim == 2 and "gain" not in k else v for k, v in dense.state_dict().items()}
        )
    readout = LeakyReadout(7, CLASSES, 0.9).double()
    readout.load_state_dict(network.readout.state_dict())
    images = SpikingSequential(*layers, nn.Flatten(), readout)
    _, found = gradients(rule(network), network, x, y)
    params = TP(label_weights(9)[:, :, None, None], 0.9)
    _, same = gradients(partial(tp.gradients, params=params), images, x[..., None, None], y)
    for one, other in zip(found.values(), same.values(), strict=True):
        assert torch.allclose(one.flatten(), other.flatten(), atol=1e-12)


def test_a_step_at_a_time_sums_to_the_whole():
    network, (x, y) = few(recurrent=True), batch()
    prepared = tp.prepare(network, x, CLASSES, Steps(last=5))
    report, whole = gradients(prepared.gradients, network, x, y)
    sums = dict.fromkeys(whole, 0.0)
    reports = list(prepared.by_step(network, x, y))
    for _ in prepared.by_step(network, x, y):
        sums = {name: sums[name] + p.grad for name, p in network.named_parameters()}
    assert len(reports) == 5
    assert reports[-1].loss == pytest.approx(report.loss)
    assert all(torch.allclose(sums[name], whole[name], atol=1e-13) for name in whole)


def test_padding_counts_nowhere():
    network, (x, y) = few(recurrent=True), batch()
    lengths = torch.tensor([4, 20, 7, 12, 9])
    dirty = x.clone()
    for b, end in enumerate(lengths):
        dirty[end:, b] = 1.0
    _, found = gradients(rule(network, 3), network, x, y, lengths=lengths)
    _, same = gradients(rule(network, 3), network, dirty, y, lengths=lengths)
    assert all(torch.equal(found[name], same[name]) for name in found)


def test_hidden_layers_learn_to_answer_as_the_label_would():
    """Only the hidden layer learns; its own measure falls."""
    torch.manual_seed(0)
    network = SpikingMLP([12, 30], 3, Neuron(0.8, 0.6))
    y = torch.arange(24) % 3
    x = (torch.rand(4, 24, 12) < 0.1 + 0.5 * torch.eye(3)[y].repeat_interleave(4, 1)).float()
    rule = tp.prepare(network, x, 3).gradients
    optimizer, apart = torch.optim.Adam(network.hidden.parameters(), 1e-2), []
    for _ in range(12):
        optimizer.zero_grad()
        rule(network, x, y)
        optimizer.step()
        answers = Simulation(network).run(network.hidden[0], x).sum(0)
        means = torch.stack([answers[y == c].mean(0) for c in range(3)])
        apart.append(float(torch.pdist(means).mean() / torch.cdist(answers, means)[torch.arange(24), y].mean()))
    assert apart[-1] > 1.2 * apart[0], apart


@pytest.mark.parametrize(
    ("y", "words"), [([0, 4], "labels must lie in 0..3"), ([[0], [1]], "labels must be class numbers of shape")]
)
def test_labels_that_make_no_sense_are_refused(y, words):
    network, (x, _) = few(), batch()
    with pytest.raises(ValueError, match=words):
        rule(network)(network, x[:, :2], torch.tensor(y))


def test_the_label_enters_through_weights_as_released():
    network = few(sizes=(11, 200))
    params = tp.prepare(network, batch(5)[0], 9).gradients.keywords["params"]
    assert params.label_weights.shape == (9, 200)
    assert 0.99 / 3 < params.label_weights.abs().max() < 1 / 3  # uniform in ±1 / √9
