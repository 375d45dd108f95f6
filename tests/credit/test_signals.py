"""Learning signals against what they say, written out; with every kind of layer."""

from functools import partial

import pytest
import torch
from signal_networks import FACTORS, NETWORKS, batch_for, convolutional, dense, gradients, run_through
from torch import nn

from workbench.credit.signals import (
    BACKPROPAGATION,
    READOUT_ONLY,
    Signal,
    direct_feedback,
    feedback_alignment,
    feedback_matrices,
    local_classifiers,
    make_classifiers,
    sign_feedback,
    target_projection,
)
from workbench.networks.layers import LeakyReadout, advance, running_weights
from workbench.networks.spiking import layers_with_memory, spiking_layers
from workbench.neurons.surrogate import triangle
from workbench.rules.stllr import STLLR, teach_layer


def error(output, y):
    """∂L/∂o[t] of the mean cross-entropy of each step."""
    return (output.softmax(-1) - nn.functional.one_hot(y, 3)) / len(y)


EXPECTED = {
    "direct": (direct_feedback, lambda output, y: error(output, y)),
    "released": (partial(direct_feedback, mean=False), lambda output, y: error(output, y) * len(y)),
    "sign": (sign_feedback, lambda output, y: error(output, y).sign() / len(y)),
    "target": (
        target_projection,
        lambda output, y: -nn.functional.one_hot(y, 3).double().expand_as(output) / len(y),
    ),
    "target, zero mean": (
        partial(target_projection, zero_mean=True),
        lambda output, y: (1 / 3 - nn.functional.one_hot(y, 3).double()).expand_as(output) / len(y),
    ),
}


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("name", EXPECTED)
def test_random_projections_are_what_they_say(make, name):
    net, shape = make()
    x, y = batch_for(shape)
    signal, project = EXPECTED[name]
    params = STLLR(FACTORS, chunk=4, signal=signal(net, x, seed=3))
    _, found = gradients(net, x, y, params)
    seen, output = run_through(net, x)
    matrices = feedback_matrices(net, x, seed=3)
    for layer_name, layer in spiking_layers(net).items():
        layer.zero_grad()
        delta = torch.einsum("tbc,c...->tb...", project(output, y), matrices[layer])
        teach_layer(layer, seen[layer][0], delta, params)
        for parameter_name, parameter in layer.named_parameters():
            assert torch.allclose(found[f"{layer_name}.{parameter_name}"], parameter.grad, atol=1e-11)


@pytest.mark.parametrize("make", NETWORKS)
def test_the_readout_learns_the_same_under_every_signal(make):
    net, shape = make()
    x, y = batch_for(shape)
    classifiers = make_classifiers(net, x, 3).double()
    signals = [
        BACKPROPAGATION,
        READOUT_ONLY,
        feedback_alignment(net),
        direct_feedback(net, x),
        sign_feedback(net, x),
        target_projection(net, x),
        local_classifiers(dict(zip(spiking_layers(net).values(), classifiers, strict=True))),
    ]
    name = next(n for n, layer in layers_with_memory(net).items() if isinstance(layer, LeakyReadout))
    found = [gradients(net, x, y, STLLR(FACTORS, signal=signal))[1][f"{name}.connection.weight"] for signal in signals]
    for other in found[1:]:
        assert torch.allclose(other, found[0], atol=1e-12)


@pytest.mark.parametrize("make", NETWORKS)
def test_feedback_alignment_with_the_forward_weights_is_backpropagation(make):
    net, shape = make()
    x, y = batch_for(shape)
    forward = {layer: layer.effective_weights().forward.detach() for layer in layers_with_memory(net).values()}
    _, expected = gradients(net, x, y, STLLR(FACTORS))
    aligned = Signal(BACKPROPAGATION.teach, feedback=forward)
    _, found = gradients(net, x, y, STLLR(FACTORS, signal=aligned))
    _, random = gradients(net, x, y, STLLR(FACTORS, signal=feedback_alignment(net)))
    first, last = next(iter(spiking_layers(net))), list(layers_with_memory(net))[-1]
    for name, grad in expected.items():
        assert torch.allclose(found[name], grad, atol=1e-12)
        assert torch.allclose(random[name], grad, atol=1e-12) == name.startswith(last), name
    assert random[f"{first}.connection.weight"].any()


def test_feedback_alignment_follows_the_fixed_weights_down():
    net, shape = dense()
    x, y = batch_for(shape, steps=1)
    signal = feedback_alignment(net, seed=5)
    _, found = gradients(net, x, y, STLLR(FACTORS, signal=signal))
    seen, output = run_through(net, x)
    first, second = spiking_layers(net).values()
    delta = error(output, y) @ signal.feedback[net.readout]
    psi = triangle(advance(second, seen[second][0], running_weights(second)).potential - 0.4)
    below = (delta * psi) @ signal.feedback[second]
    first.zero_grad()
    teach_layer(first, x, below, STLLR(FACTORS))
    assert torch.allclose(found["hidden.0.connection.weight"], first.connection.weight.grad, atol=1e-12)


@pytest.mark.parametrize("make", NETWORKS)
def test_local_classifiers_train_each_layer_on_its_own_spikes(make):
    net, shape = make()
    x, y = batch_for(shape)
    classifiers = make_classifiers(net, x, 3).double()
    by_layer = dict(zip(spiking_layers(net).values(), classifiers, strict=True))
    params = STLLR(FACTORS, chunk=4, signal=local_classifiers(by_layer))
    _, found = gradients(net, x, y, params)
    learned = [p.grad.clone() for p in classifiers.parameters()]
    seen, _ = run_through(net, x)
    classifiers.zero_grad()
    for name, layer in spiking_layers(net).items():
        z = seen[layer][1].requires_grad_()
        output = by_layer[layer](z.flatten(0, 1))
        loss = nn.functional.cross_entropy(output, y.repeat(len(x)), reduction="sum") / len(y)
        loss.backward()
        layer.zero_grad()
        teach_layer(layer, seen[layer][0], z.grad, params)
        assert torch.allclose(found[f"{name}.connection.weight"], layer.connection.weight.grad, atol=1e-11)
    for ours, parameter in zip(learned, classifiers.parameters(), strict=True):
        assert torch.allclose(ours, parameter.grad, atol=1e-11)


@pytest.mark.parametrize("signal", [direct_feedback, sign_feedback, target_projection])
def test_a_layer_does_not_know_what_lies_between_it_and_the_output(signal):
    net, shape = dense()
    x, y = batch_for(shape)
    params = STLLR(FACTORS, signal=signal(net, x))
    _, before = gradients(net, x, y, params)
    with torch.no_grad():
        net.hidden[1].gain.mul_(-1.0)
    _, after = gradients(net, x, y, params)
    _, backwards = gradients(net, x, y, STLLR(FACTORS))
    same = torch.equal(before["hidden.0.connection.weight"], after["hidden.0.connection.weight"])
    assert same == (signal is not direct_feedback)  # the error's sign is that of the label, its size has changed
    assert not torch.equal(backwards["hidden.0.connection.weight"], after["hidden.0.connection.weight"])


def test_only_the_readout_learns_when_nothing_flows_down():
    net, shape = dense()
    x, y = batch_for(shape)
    _, found = gradients(net, x, y, STLLR(FACTORS, signal=READOUT_ONLY))
    assert {name for name, grad in found.items() if grad is not None} == {
        "readout.connection.weight",
        "readout.connection.bias",
    }


def test_the_same_seed_gives_the_same_matrices():
    net, shape = convolutional()
    x, _ = batch_for(shape)
    one, same, other = (list(feedback_matrices(net, x, seed).values()) for seed in (0, 0, 1))
    assert [matrix.shape for matrix in one] == [(3, 16, 8, 8), (3, 32, 4, 4)]
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[0], other[0])
