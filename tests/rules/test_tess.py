"""TESS: local in space and time by experiment, equal to S-TLLR with its own signal, and the golden block."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.credit.bases import dct, square
from workbench.networks.layers import LeakyReadout, SpikingLayer, over_the_maximum
from workbench.networks.spiking import SpikingMLP, SpikingSequential
from workbench.neurons.lif import Neuron, run_lif, soft_reset, unit_reset
from workbench.neurons.surrogate import psi_gesture, spike
from workbench.neurons.traces import Factors, eligibility
from workbench.rules import stllr, tess
from workbench.rules.tess import TESS, Head, make_heads


def problem(steps=9, classes=4):
    torch.manual_seed(0)
    network = SpikingMLP([11, 16, 12], classes, Neuron(0.7, 0.6)).double()
    x = (torch.rand(steps, 5, 11) < 0.4).double()
    return network, x, torch.arange(5) % classes


def heads_for(network, x):
    """Cosine waves: with 12 latents the released square waves of two classes coincide."""
    return make_heads(network, x, 4, basis=dct)


def gradients(rule, network, *arguments):
    network.zero_grad()
    report = rule(network, *arguments)
    return report, {n: None if p.grad is None else p.grad.clone() for n, p in network.named_parameters()}


def change_everything_above_the_first_layer(network):
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if not name.startswith("hidden.0"):
                parameter.add_(torch.randn_like(parameter))


def test_nothing_downstream_changes_a_layer_bit_for_bit():
    network, x, y = problem()
    params = TESS(heads_for(network, x))
    _, before = gradients(tess.gradients, network, x, y, params)
    change_everything_above_the_first_layer(network)
    _, after = gradients(tess.gradients, network, x, y, params)
    for name in before:
        assert before[name].equal(after[name]) == name.startswith("hidden.0"), name


def test_the_released_loop_is_not_local():
    network, x, y = problem()
    params = TESS(heads_for(network, x))
    _, before = gradients(tess.released_gradients, network, x, y, params)
    change_everything_above_the_first_layer(network)
    _, after = gradients(tess.released_gradients, network, x, y, params)
    assert not before["hidden.0.connection.weight"].equal(after["hidden.0.connection.weight"])


@pytest.mark.parametrize("alpha_post", [0.0, 1.0, -0.5])
def test_equals_the_explicit_sum_of_signal_and_eligibility(alpha_post):
    network, x, y = problem()
    factors = Factors(0.2, 0.5, alpha_post, 1.0)
    params = TESS(heads_for(network, x), factors, chunk=4)
    for layer in network.hidden:
        layer.gain = None  # compare Ŵ itself
    _, ours = gradients(tess.gradients, network, x, y, params)
    layer = network.hidden[0]
    z, u, _ = run_lif(F.linear(x, layer.connection.weight, layer.connection.bias).detach(), layer.neuron)
    rows, psi = params.heads[layer].rows / 16**0.5, psi_gesture(u - 0.6)
    m = tess.learning_signal(z, rows, y.expand(len(x), -1)) / len(y)
    expected = sum(
        torch.einsum("ti,tij->ij", m[:, b], eligibility(x[:, b], psi[:, b], factors, released=True)) for b in range(5)
    )
    assert torch.allclose(ours["hidden.0.connection.weight"], expected, atol=1e-12)


def test_one_step_is_backpropagation_of_the_layers_own_loss():
    network, x, y = problem(steps=1)
    params = TESS(heads_for(network, x))
    _, ours = gradients(tess.gradients, network, x, y, params)
    layer = network.hidden[0]
    network.zero_grad()
    current = F.linear(x, layer.effective_weight(), layer.connection.bias)
    z = run_lif(current, layer.neuron, fire=partial(spike, psi=layer.psi)).spikes
    params.loss(tess.head_logits(z, params.heads[layer]), y).backward()
    for name, parameter in layer.named_parameters():
        assert torch.allclose(ours[f"hidden.0.{name}"], parameter.grad, atol=1e-12), name


def test_a_row_added_to_all_classes_changes_nothing():
    network, x, y = problem()
    heads = heads_for(network, x)
    moved = {layer: head._replace(rows=head.rows + torch.rand(head.rows.shape[1])) for layer, head in heads.items()}
    _, before = gradients(tess.gradients, network, x, y, TESS(heads))
    _, after = gradients(tess.gradients, network, x, y, TESS(moved))
    assert torch.allclose(before["hidden.0.connection.weight"], after["hidden.0.connection.weight"], atol=1e-12)


def test_state_does_not_grow_with_time():
    sizes = set()
    for steps in (5, 20, 80):
        network, x, y = problem(steps)
        sizes.add(tess.gradients(network, x, y, TESS(heads_for(network, x))).state_bytes)
    assert len(sizes) == 1


def test_scales_and_their_signals():
    """At B/n the signal is the label alone; at ±1 it depends on the activity (papers.md, T3)."""
    torch.manual_seed(0)
    n, s = 1024, (torch.rand(20, 1024) < 0.2).float()
    rows, y = square(10, n).float(), torch.arange(20) % 10
    label_only = (0.1 - F.one_hot(y, 10)) @ rows
    cosines = {}
    for scale in (tess.over_n, tess.over_root_n, tess.as_printed):
        m = (torch.softmax(scale(s) @ rows.T, -1) - F.one_hot(y, 10)) @ rows
        cosines[scale] = float(F.cosine_similarity(m, label_only).mean())
    assert cosines[tess.over_n] > 0.9999
    assert cosines[tess.as_printed] < 0.95
    assert cosines[tess.over_n] > cosines[tess.over_root_n] > cosines[tess.as_printed]
    assert torch.allclose(tess.unit_length(s).norm(dim=-1), torch.ones(20))


def test_hard_sigmoid_squares_by_hand():
    logits = torch.tensor([[[-4.0, 0.0, 1.0]]], requires_grad=True)
    loss = tess.hard_sigmoid_squares(logits, torch.tensor([2]))
    assert float(loss.detach()) == pytest.approx(0.5 * (0.0 + 0.25 + 0.0625))
    loss.backward()
    assert logits.grad[0, 0].tolist() == pytest.approx([0.0, 0.5, -0.25])


def test_layer_without_a_head_is_named():
    network, x, y = problem()
    heads = heads_for(network, x)
    heads.pop(network.hidden[1])
    with pytest.raises(ValueError, match=r"no head for hidden\.1"):
        tess.gradients(network, x, y, TESS(heads))


def test_golden_block(golden):
    """A convolution, LIF, max-pooling and a signal on 2 × 2 cells, its loss applied at every step."""
    vectors = golden("tess_conv_block")
    weight = torch.tensor(vectors["weight"])
    layer = SpikingLayer(
        nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1, bias=False),
        Neuron(0.5, 0.6),
        psi_gesture,
        reset=unit_reset,
    )
    with torch.no_grad():
        layer.connection.weight.copy_(weight)
        layer.gain.copy_(torch.tensor(vectors["gain"]).flatten(1))
    network = SpikingSequential(layer, nn.AdaptiveAvgPool2d(1), nn.Flatten(), LeakyReadout(weight.shape[0], 10, 0.0))
    x, y = torch.tensor(vectors["x"]), torch.tensor(vectors["labels"])
    cells = int(vectors["signal_pool"])
    head = Head(square(10, weight.shape[0] * cells**2).float(), cells, nn.MaxPool2d(int(vectors["pool_size"])))
    seen = []

    def keep(logits, labels):
        seen.extend(F.cross_entropy(step, labels) for step in logits.detach())
        return tess.summed_cross_entropy(logits, labels)

    params = TESS({layer: head}, Factors(*vectors["factors"].tolist()), scale=tess.over_n, loss=keep, chunk=3)
    tess.gradients(network, x, y, params)
    assert np.allclose(torch.stack(seen), vectors["losses"], atol=1e-6)
    for ours, name in ((layer.connection.weight.grad, "grad_weight"), (layer.gain.grad, "grad_gain")):
        golden_grad = torch.tensor(vectors[name]).reshape(ours.shape)
        assert float((ours - golden_grad).norm() / golden_grad.norm()) < 1e-5, name


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tess_learns_through_the_released_form_of_the_weights(dtype):
    _, x, y = problem()
    torch.manual_seed(2)
    sizes, x = [x.shape[2], 16], x.to(dtype)
    network = SpikingMLP(sizes, 4, standardize=over_the_maximum).to(dtype)
    params = TESS(heads_for(network, x))
    _, ours = gradients(tess.gradients, network, x, y, params)
    plain, layer = SpikingMLP(sizes, 4, standardize=False).to(dtype), network.hidden[0]
    plain.load_state_dict(network.state_dict())
    with torch.no_grad():
        plain.hidden[0].connection.weight.copy_(layer.effective_weight())
    _, of_effective = gradients(tess.gradients, plain, x, y, TESS(heads_for(plain, x)))
    name = "hidden.0.connection.weight"
    G, W = of_effective[name], layer.connection.weight.detach()
    torch.testing.assert_close(ours[name], (G - G.mean(1, keepdim=True)) / (W.max() - W.mean()))
    torch.testing.assert_close(ours["readout.connection.weight"], of_effective["readout.connection.weight"])


def test_paper_and_released_reset_are_different_neurons():
    current = torch.full((4, 1), 0.7)
    assert run_lif(current, Neuron(1.0, 0.6), reset=soft_reset).spikes.flatten().tolist() == [1, 1, 1, 1]
    assert run_lif(current, Neuron(1.0, 0.6), reset=unit_reset).spikes.flatten().tolist() == [1, 0, 1, 1]


def test_the_same_traces_as_stllr():
    network, x, y = problem()
    report, _ = gradients(tess.gradients, network, x, y, TESS(heads_for(network, x)))
    reference, _ = gradients(stllr.gradients, network, x, y, stllr.STLLR(tess.FACTORS))
    assert report.state_bytes == reference.state_bytes
    assert report.logits.equal(reference.logits)
