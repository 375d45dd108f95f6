"""S-TLLR in recurrent and convolutional layers: golden vectors, autograd, and written-out eligibilities."""

from functools import partial

import numpy as np
import pytest
import torch
from few_neurons import gradients, largest_difference, network
from torch import nn

from workbench.credit import eligibility as of_layers
from workbench.credit.signals import direct_feedback_through
from workbench.networks.layers import LeakyReadout, SpikingLayer, advance, running_weights
from workbench.networks.spiking import SpikingMLP, SpikingSequential, layers_with_memory, spiking_logits
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import psi_gesture, psi_speech, spike, triangle
from workbench.neurons.traces import Factors, eligibility
from workbench.rules import bptt, stllr
from workbench.rules.stllr import STLLR, teach_layer


def close(ours, golden, tolerance=3e-5):
    golden = torch.as_tensor(np.asarray(golden))
    return float((ours.reshape(golden.shape) - golden).norm() / golden.norm()) < tolerance


def decay_of(logit):
    return float(torch.sigmoid(torch.tensor(float(logit))))


def set_parameters(layer, values, prefix):
    names = {
        "weight": "connection.weight",
        "bias": "connection.bias",
        "gain": "gain",
        "weight_rec": "recurrent.weight",
        "gain_rec": "recurrent_gain",
    }
    with torch.no_grad():
        for theirs, ours in names.items():
            if prefix + theirs in values and ours in dict(layer.named_parameters()):
                parameter = layer.get_parameter(ours)
                parameter.copy_(torch.tensor(values[prefix + theirs]).reshape(parameter.shape))
    return names


def golden_case(vectors, connection, psi, **options):
    neuron = Neuron(decay_of(vectors["leak_logit"]), float(vectors["threshold"]))
    layer = SpikingLayer(connection, neuron, psi, **options)
    names = set_parameters(layer, vectors, "param_")
    return layer, {f"grad_{theirs}": ours for theirs, ours in names.items() if f"grad_{theirs}" in vectors}


def check_golden(vectors, layer, names, chunk):
    factors, last_steps = Factors(*vectors["factors"].tolist()), int(vectors["last_steps"])
    delta = torch.tensor(vectors["learning_signal"])[-last_steps:]
    taught = teach_layer(layer, torch.tensor(vectors["x"]), delta, STLLR(factors, None, True, False, chunk))
    assert torch.equal(taught.output, torch.tensor(vectors["spikes"]))
    assert close(taught.traces.neurons.rest, vectors["membrane_after_reset"][-1])
    assert close(taught.traces.q, vectors["trace_pre"][-1])
    if factors.alpha_post:
        assert close(taught.traces.h, vectors["trace_post"][-1])
    assert close(taught.below, vectors["grad_x"])
    assert len(names) >= 3
    for theirs, ours in names.items():
        assert close(layer.get_parameter(ours).grad, vectors[theirs]), theirs


@pytest.mark.parametrize("chunk", [1, 4, 16])
def test_recurrent_golden_vectors_as_released(golden, chunk):
    vectors = golden("stllr_recurrent")
    n_out, n_in = vectors["param_weight"].shape
    layer, names = golden_case(vectors, nn.Linear(n_in, n_out), psi_speech, recurrent=True)
    check_golden(vectors, layer, names, chunk)


@pytest.mark.parametrize(("name", "options"), [("pad1", {"padding": 1}), ("stride2", {"stride": 2})])
@pytest.mark.parametrize("chunk", [1, 3, 16])
def test_convolutional_golden_vectors_as_released(golden, name, options, chunk):
    vectors = golden(f"stllr_conv_{name}")
    n_out, n_in, size, _ = vectors["param_weight"].shape
    layer, names = golden_case(vectors, nn.Conv2d(n_in, n_out, size, **options), psi_gesture)
    check_golden(vectors, layer, names, chunk)


def golden_network(vectors):
    def layer(index, **options):
        n_out, n_in = vectors[f"layer{index}_weight"].shape
        neuron = Neuron(decay_of(vectors[f"layer{index}_leak"]), float(vectors[f"layer{index}_threshold"]))
        return SpikingLayer(nn.Linear(n_in, n_out), neuron, psi_speech, **options)

    classes, n_in = vectors["layer3_weight"].shape
    readout = LeakyReadout(n_in, classes, decay_of(vectors["layer3_leak"]), trace_decay=0.99)
    net = SpikingSequential(layer(1, recurrent=True), layer(2), readout)
    return net, [set_parameters(part, vectors, f"layer{i + 1}_") for i, part in enumerate(net)]


@pytest.mark.parametrize("name", ["bp", "dfa"])
@pytest.mark.parametrize("chunk", [1, 4, 16])
def test_golden_network_as_released(golden, name, chunk):
    vectors = golden(f"stllr_net_{name}")
    net, names = golden_network(vectors)
    params = STLLR(Factors(*vectors["factors"].tolist()), int(vectors["last_steps"]), True, False, chunk)
    if name == "dfa":
        matrices = {net[i]: torch.tensor(vectors[f"feedback{i + 1}"]) for i in range(2)}
        params = params._replace(signal=direct_feedback_through(matrices, mean=False))
    report = stllr.gradients(net, torch.tensor(vectors["x"]), torch.tensor(vectors["y"]), params)
    assert close(report.logits, vectors["logits"].mean(0))
    checked = 0
    for i, part in enumerate(net):
        for theirs, ours in names[i].items():
            key = f"layer{i + 1}_grad_{theirs}"
            if key in vectors:
                assert close(part.get_parameter(ours).grad, vectors[key], tolerance=1e-4), key
                checked += 1
    assert checked == 10


def recurrent_network():
    return network(kappa=0.0)


def convolutional_network(neuron=Neuron(0.7, 0.4), **options):
    torch.manual_seed(2)
    layer = partial(SpikingLayer, neuron=neuron, psi=triangle)
    return shaken(
        SpikingSequential(
            layer(nn.Conv2d(2, 4, 3, padding=1)),
            nn.AvgPool2d(2),
            layer(nn.Conv2d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2)),
            nn.Flatten(),
            LeakyReadout(24, 3, **options),
        ).double()
    )


def shaken(net):
    for parameter in net.parameters():  # biases and gains that matter
        nn.init.normal_(parameter, parameter.detach().mean().item(), 0.3)
    return net


def batch_for(net, steps, rate=0.4):
    generator = torch.Generator().manual_seed(steps)
    shape, classes = ((11,), 4) if isinstance(net, SpikingMLP) else ((2, 8, 8), 3)
    x = (torch.rand(steps, 5, *shape, generator=generator) < rate).double()
    return x, torch.randint(0, classes, (5,), generator=generator)


NETWORKS = [recurrent_network, partial(convolutional_network, decay=0.9)]


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("rate", [0.08, 0.4])
@pytest.mark.parametrize("last_steps", [None, 7])
def test_size_of_pieces_does_not_change_the_result(make, rate, last_steps):
    net = make()
    batch, params = batch_for(net, 20, rate), STLLR(Factors(0.3, 0.7, -0.5, 1.2), last_steps)
    reference, expected = gradients(stllr.gradients, net, *batch, params._replace(chunk=1))
    for chunk in (3, 16, 64):
        report, local = gradients(stllr.gradients, net, *batch, params._replace(chunk=chunk))
        assert largest_difference(local, expected) < 1e-12
        assert report.loss == pytest.approx(reference.loss, abs=1e-12)


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("factors", [Factors(), Factors(0.5, 0.0, 1.0, 1.0)])
def test_one_time_step_is_plain_backpropagation_for_every_layer(make, factors):
    net = make()
    batch = batch_for(net, 1)
    _, local = gradients(stllr.gradients, net, *batch, STLLR(factors))
    net.zero_grad()
    bptt.gradients(net, *batch)
    reference = {name: p.grad if p.grad is not None else torch.zeros_like(p) for name, p in net.named_parameters()}
    for name, expected in reference.items():
        assert torch.allclose(local[name], expected, atol=1e-10), name


def test_last_convolution_equals_backpropagation_through_time():
    net = convolutional_network(decay=0.0)
    batch = batch_for(net, 20)
    _, local = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.2, 0.7, alpha_post=0.0)))
    _, through_time = gradients(bptt.gradients, net, *batch)
    for name in ("2.connection.weight", "2.connection.bias", "2.gain", "4.connection.weight", "4.connection.bias"):
        assert torch.allclose(local[name], through_time[name], rtol=1e-7), name
    first = "0.connection.weight"
    assert (local[first] - through_time[first]).norm() / through_time[first].norm() > 0.01


def cut_recurrence(net, x, y):
    """Backpropagation through time with the path through z[t−1] cut: what the recurrent rule must equal."""
    layer, readout = net.hidden[0], net.readout
    weight, recurrent = layer.effective_weights()
    rest, z, loss = torch.zeros(x.shape[1], 9, dtype=x.dtype), torch.zeros(x.shape[1], 9, dtype=x.dtype), 0.0
    for now in x:
        u = layer.neuron.decay * rest + now @ weight.T + layer.connection.bias + z.detach() @ recurrent.T
        z = spike(u - layer.neuron.threshold, layer.psi)
        rest = u - layer.neuron.threshold * z.detach()
        loss = loss + nn.functional.cross_entropy(readout.connection(z), y)
    loss.backward()


def test_recurrent_layer_equals_backpropagation_through_time_without_past_spikes():
    net = recurrent_network()
    batch = batch_for(net, 25)
    _, local = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.2, 0.8, alpha_post=0.0), chunk=6))
    net.zero_grad()
    cut_recurrence(net, *batch)
    for name, parameter in net.named_parameters():
        assert torch.allclose(local[name], parameter.grad, atol=1e-10), name
    _, through_time = gradients(bptt.gradients, net, *batch)
    name = "hidden.0.recurrent.weight"
    assert (local[name] - through_time[name]).norm() / through_time[name].norm() > 0.01


@pytest.mark.parametrize("released", [False, True])
def test_recurrent_update_equals_the_explicit_eligibility_matrices(released):
    torch.manual_seed(3)
    layer = SpikingLayer(nn.Linear(6, 5), Neuron(0.7, 0.4), triangle, standardize=False, recurrent=True).double()
    x = (torch.rand(15, 3, 6) < 0.4).double()
    delta, factors = torch.randn(15, 3, 5, dtype=torch.double), Factors(0.4, 0.6, -0.8, 1.2)
    teach_layer(layer, x, delta, STLLR(factors, None, released, chunk=4))
    ran = advance(layer, x, running_weights(layer))
    psi = triangle(ran.potential - 0.4)
    past = torch.cat([torch.zeros_like(ran.output[:1]), ran.output[:-1]])
    assert past.any()
    for weight, pre in ((layer.connection.weight, x), (layer.recurrent.weight, past)):
        explicit = sum(
            torch.einsum("ti,tij->ij", delta[:, b], eligibility(pre[:, b], psi[:, b], factors, released))
            for b in range(3)
        )
        assert torch.allclose(weight.grad, explicit, atol=1e-12)


def test_convolutional_update_equals_the_explicit_eligibility_at_every_position():
    torch.manual_seed(3)
    connection = nn.Conv2d(2, 3, 3, stride=2, padding=1)
    layer = SpikingLayer(connection, Neuron(0.7, 0.4), triangle, standardize=False).double()
    x = (torch.rand(9, 2, 2, 5, 5) < 0.4).double()
    delta, factors = torch.randn(9, 2, 3, 3, 3, dtype=torch.double), Factors(0.4, 0.6, -0.8, 1.2)
    teach_layer(layer, x, delta, STLLR(factors, chunk=4))
    psi = triangle(advance(layer, x, running_weights(layer)).potential - 0.4)
    patches = nn.functional.unfold(x.flatten(0, 1), 3, stride=2, padding=1).unflatten(0, (9, 2))  # (t, b, 18, place)
    explicit = sum(
        torch.einsum("ti,tij->ij", d, eligibility(patches[:, b, :, place], p, factors))
        for b in range(2)
        for place in range(9)
        for d, p in [(delta[:, b].flatten(2)[:, :, place], psi[:, b].flatten(2)[:, :, place])]
    )
    assert torch.allclose(connection.weight.grad, explicit.view(3, 2, 3, 3), atol=1e-12)


@pytest.mark.parametrize("size", [1, 3])
def test_convolution_over_one_position_is_a_dense_layer(size):
    torch.manual_seed(3)
    conv = SpikingLayer(nn.Conv2d(4, 5, size), Neuron(0.7, 0.4), triangle).double()
    dense = SpikingLayer(nn.Linear(4 * size * size, 5), Neuron(0.7, 0.4), triangle).double()
    with torch.no_grad():
        dense.connection.weight.copy_(conv.connection.weight.flatten(1))
    x = (torch.rand(12, 3, 4, size, size) < 0.4).double()
    delta, params = torch.randn(12, 3, 5, dtype=torch.double), STLLR(Factors(0.4, 0.6, -0.8, 1.2), chunk=5)
    of_conv = teach_layer(conv, x, delta[..., None, None], params)
    of_dense = teach_layer(dense, x.flatten(2), delta, params)
    assert torch.equal(of_conv.output.flatten(2), of_dense.output)
    assert torch.allclose(of_conv.below.flatten(2), of_dense.below, atol=1e-12)
    for name, parameter in dense.named_parameters():
        assert torch.allclose(conv.get_parameter(name).grad.flatten(), parameter.grad.flatten(), atol=1e-12)


@pytest.mark.parametrize("make", NETWORKS)
def test_update_is_linear_in_both_amplitudes(make):
    net = make()
    batch = batch_for(net, 12)
    _, both = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.3, 0.7, -0.6, 1.4)))
    _, causal = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.3, 0.7, 0.0, 1.0)))
    _, non_causal = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.3, 0.7, 1.0, 0.0)))
    readout = list(layers_with_memory(net))[-1]
    for name in both:
        if not name.startswith(readout):
            assert torch.allclose(both[name], 1.4 * causal[name] - 0.6 * non_causal[name], atol=1e-11), name


@pytest.mark.parametrize("make", NETWORKS)
def test_simulation_gives_the_rule_its_outputs(make):
    net = make()
    x, y = batch_for(net, 20)
    report, _ = gradients(stllr.gradients, net, x, y)
    assert torch.allclose(spiking_logits(net, x, size=7), report.logits, atol=1e-12)
    assert torch.allclose(bptt.gradients(net, x, y).logits, report.logits, atol=1e-10)


def test_no_signal_is_computed_for_the_inputs_of_the_network(monkeypatch):
    asked, through = [], of_layers.input_gradient

    def noted(connection, *rest):
        asked.append(connection)
        return through(connection, *rest)

    monkeypatch.setattr(of_layers, "input_gradient", noted)
    net = network(sizes=(11, 9, 7))
    x, y = batch_for(net, 6)
    stllr.gradients(net, x, y, STLLR(chunk=3))
    assert [tuple(each.weight.shape) for each in asked] == [(4, 7), (7, 9)] * 2  # readout and second layer, twice
