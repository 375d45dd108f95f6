"""Spiking layers and readouts: the neuron they run, their weights, and what they refuse."""

from functools import partial

import pytest
import torch
from few_neurons import gradients
from hypothesis import given
from hypothesis import strategies as st
from searched import QUICK, bad_numbers, refuses
from torch import nn

from workbench.networks.architectures import spiking_vgg
from workbench.networks.layers import (
    LeakyReadout,
    SpikingLayer,
    TimeDropout,
    advance,
    over_the_maximum,
    running_weights,
)
from workbench.networks.spiking import SpikingMLP, SpikingSequential, spiking_logits
from workbench.neurons.lif import Neuron, run_lif
from workbench.neurons.surrogate import triangle
from workbench.rules import bptt, stllr
from workbench.rules.stllr import STLLR


@QUICK
@given(st.one_of(st.floats(max_value=0.0), bad_numbers))
def test_thresholds_that_are_not_positive_are_quoted(threshold):
    refuses("threshold v_th must be a positive number", SpikingLayer, nn.Linear(2, 2), Neuron(0.5, threshold))


@QUICK
@given(st.one_of(bad_numbers, st.floats(1.0001, 5.0), st.floats(-5.0, -1e-9)))
def test_membrane_decays_outside_are_quoted(decay):
    refuses("decay γ must lie in", SpikingLayer, nn.Linear(2, 2), Neuron(decay, 1.0))
    refuses("decay γ must lie in", LeakyReadout, 2, 2, decay)
    refuses("probability must lie in", TimeDropout, decay)


def test_layers_run_the_neuron_of_the_library():
    torch.manual_seed(3)
    layer = SpikingLayer(nn.Linear(6, 5), Neuron(0.7, 0.4), triangle)
    x = (torch.rand(30, 3, 6) < 0.4).float()
    ran = advance(layer, x, running_weights(layer))
    current = nn.functional.linear(x, layer.effective_weight(), layer.connection.bias)
    expected = run_lif(current, layer.neuron)
    assert torch.equal(ran.output, expected.spikes)
    assert torch.allclose(ran.potential, expected.potential, atol=1e-5)


def test_dropout_mask_stays_for_a_sequence_and_keeps_the_mean():
    torch.manual_seed(0)
    mask = TimeDropout(0.3).draw(torch.zeros(100, 1000))
    assert mask.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    assert float(mask.mean()) == pytest.approx(1.0, abs=0.01)
    assert TimeDropout(0.3).eval().draw(torch.zeros(3, 2)).eq(1.0).all()
    layer, readout = SpikingLayer(nn.Linear(11, 9)), LeakyReadout(9, 4)
    net = SpikingSequential(TimeDropout(0.5), layer, TimeDropout(0.5), readout).double()
    x, y = torch.ones(20, 5, 11, dtype=torch.double), torch.zeros(5, dtype=torch.long)
    found = []
    for rule in (*(partial(stllr.gradients, params=STLLR(chunk=chunk)) for chunk in (1, 7, 20)), bptt.gradients):
        torch.manual_seed(1)
        found.append(gradients(rule, net, x, y)[0].logits)
    assert all(torch.allclose(logits, found[0]) for logits in found)
    assert not torch.allclose(spiking_logits(net, x), found[0])


def test_bad_networks_are_quoted():
    with pytest.raises(ValueError, match="only a dense layer can be recurrent, got Conv2d"):
        SpikingLayer(nn.Conv2d(1, 1, 1), recurrent=True)
    with pytest.raises(ValueError, match="leave nothing of an image of 8 × 8"):
        spiking_vgg(((1,),) * 4, 2, (1, 8, 8))
    with pytest.raises(ValueError, match="at least one hidden layer"):
        SpikingMLP([5], 2)
    with pytest.raises(ValueError, match=r"decay γ must lie in \[0, 1\], got 1\.5"):
        LeakyReadout(3, 2, 1.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda **o: SpikingMLP([1, 4], classes=3, **o), "connection of Linear.in_features=1.* has 1 weight for each"),
        (lambda **o: SpikingLayer(nn.Conv2d(4, 4, 1, groups=4), **o), "connection of Conv2d.*has 1 weight"),
        (lambda **o: SpikingLayer(nn.Conv2d(1, 4, 1), **o), "connection of Conv2d.*give standardize=False"),
        (lambda **o: SpikingLayer(nn.Linear(3, 1), recurrent=True, **o), "recurrent connection of Linear"),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_weight_per_output_cannot_be_standardised(make, message, dtype):
    """It had NaN weights from the first step on, and the advice to lower the learning rate."""
    with pytest.raises(ValueError, match=message):
        make()
    plain = make(standardize=False).to(dtype)
    assert all(bool(p.isfinite().all()) for p in plain.parameters())
    smallest = SpikingMLP([2, 2], classes=2, recurrent=True).to(dtype)
    assert bool(smallest.hidden[0].effective_weight().isfinite().all())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("make", [lambda: nn.Linear(12, 7), lambda: nn.Conv2d(3, 5, 3, padding=1)])
def test_released_form_of_the_weights_without_standardisation(make, dtype):
    """(W_i − mean W_i) / (max W − mean W), number by number; the gradient takes the divisor as given."""
    torch.manual_seed(4)
    layer = SpikingLayer(make(), standardize=over_the_maximum).to(dtype)
    W = layer.connection.weight
    flat = W.detach().flatten(1).tolist()
    everything = [w for row in flat for w in row]
    spread = max(everything) - sum(everything) / len(everything)
    expected = torch.tensor([[(w - sum(row) / len(row)) / spread for w in row] for row in flat], dtype=dtype)
    torch.testing.assert_close(layer.effective_weight().flatten(1), expected)
    G = torch.randn_like(W)
    (found,) = torch.autograd.grad(layer.effective_weight(), W, G)
    rows = G.flatten(1)
    torch.testing.assert_close(found.flatten(1), (rows - rows.mean(1, keepdim=True)) / spread)
    assert layer.gain is None
    torch.nn.init.zeros_(W)
    assert not layer.effective_weight().any()  # not NaN
