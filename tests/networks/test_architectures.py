"""The networks of the papers: sizes, pooling, and that every rule trains them."""

import itertools
from functools import partial

import pytest
import torch
from torch import nn

from workbench.credit.signals import layer_shapes
from workbench.networks.architectures import (
    PAPER_SOUND,
    AveragePool,
    Cells,
    global_pool,
    maximum_pool,
    small_vgg,
    sound_network,
    spiking_resnet18,
    spiking_small_conv,
    vgg9,
)
from workbench.networks.spiking import ResidualBlock, SpikingMLP, layers_with_memory, spiking_layers, spiking_logits
from workbench.rules import bptt, stllr


def shapes(net, *input_shape):
    return [tuple(shape) for shape in layer_shapes(net, torch.ones(1, 1, *input_shape)).values()]


def test_vgg9_is_the_papers():
    net = vgg9(11)
    assert shapes(net, 2, 32, 32) == [
        (64, 32, 32), (128, 32, 32), (256, 16, 16), (256, 16, 16),
        (512, 8, 8), (512, 8, 8), (512, 4, 4), (512, 4, 4),
    ]  # fmt: skip
    weights = [layer.connection.weight.numel() for layer in layers_with_memory(net).values()]
    channels = [2, 64, 128, 256, 256, 512, 512, 512, 512]
    assert weights == [9 * a * b for a, b in itertools.pairwise(channels)] + [512 * 4 * 11]
    assert sum(isinstance(part, AveragePool) for part in net) == 4


def test_vgg9_with_the_released_pooling():
    net = vgg9(10, (2, 48, 48), pool=maximum_pool, last_pool=global_pool, dropout=0.1)
    assert sum(isinstance(part, nn.MaxPool2d) for part in net) == 3
    assert net[-1].connection.in_features == 512
    assert spiking_logits(net, torch.rand(3, 2, 2, 48, 48)).shape == (2, 10)


def test_resnet18_is_the_papers():
    net = spiking_resnet18(10)
    assert shapes(net, 2, 32, 32) == [
        (64, 32, 32), *[(64, 16, 16)] * 4,
        *[(128, 8, 8)] * 5, *[(256, 4, 4)] * 5, *[(512, 2, 2)] * 5,
    ]  # fmt: skip
    assert len(spiking_layers(net)) == 17 + 3  # 17 convolutions and three shortcuts that change shape
    strides = [block.body[0].connection.stride[0] for block in net if isinstance(block, ResidualBlock)]
    assert strides == [1, 1, 2, 1, 2, 1, 2, 1]


def test_sound_network_is_the_papers():
    net = sound_network()
    layer = net.hidden[0]
    assert net.describe() == "700–450–20"
    assert layer.neuron == PAPER_SOUND
    assert net.readout.decay == PAPER_SOUND.decay
    assert layer.recurrent.weight.shape == (450, 450)
    assert layer.recurrent.bias is None


@pytest.mark.parametrize(
    ("make", "side"),
    [
        (partial(spiking_small_conv, 3, (2, 8, 8), cells=Cells(gain=3.0)), 8),
        (partial(small_vgg, 3, (2, 16, 16), cells=Cells(gain=3.0)), 16),
        (partial(spiking_resnet18, 3, stages=(4, 6, 8, 10), cells=Cells(gain=3.0)), 16),
        (partial(SpikingMLP, [2 * 8 * 8, 8], 3, recurrent=True), 8),
    ],
)
def test_networks_learn_with_every_rule(make, side):
    torch.manual_seed(0)
    net = make()
    x, y = (torch.rand(4, 2, 2, side, side) < 0.3).float(), torch.tensor([0, 2])
    for rule in (stllr.gradients, bptt.gradients):
        net.zero_grad()
        report = rule(net, x, y)
        assert report.logits.shape == (2, 3)
        assert len(report.spike_rates) == len(spiking_layers(net))
        weights = [layer.connection.weight for layer in layers_with_memory(net).values()]
        assert all(bool(weight.grad.isfinite().all()) for weight in weights)
        assert weights[0].grad.any()
        assert weights[-1].grad.any()


def test_gain_keeps_a_deep_network_from_falling_silent():
    x = (torch.rand(10, 2, 2, 32, 32, generator=torch.Generator().manual_seed(0)) < 0.05).float()
    y, rates = torch.zeros(2, dtype=torch.long), {}
    for gain in (1.0, 4.0):
        torch.manual_seed(0)
        report = stllr.gradients(small_vgg(5, cells=Cells(gain=gain)), x, y)
        rates[gain] = list(report.spike_rates.values())[-1]
    assert rates[1.0] == 0.0
    assert rates[4.0] > 0.01


@pytest.mark.parametrize("shape", [(3, 2, 4, 6), (1, 1, 5, 7), (2, 8, 2, 2)])
def test_average_pooling_is_the_library_s_with_and_without_gradient(shape):
    x = torch.rand(shape, dtype=torch.double, requires_grad=True)
    expected = torch.nn.functional.avg_pool2d(x, 2)
    assert torch.equal(AveragePool()(x), expected)
    with torch.no_grad():
        pooled = AveragePool()(x)
    assert pooled.shape == expected.shape
    assert torch.allclose(pooled, expected, atol=1e-15)
    spikes = (x > 0.5).float()
    with torch.no_grad():
        assert torch.equal(AveragePool()(spikes), torch.nn.functional.avg_pool2d(spikes, 2))
