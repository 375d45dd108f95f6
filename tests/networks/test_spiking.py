"""The papers' networks have the papers' shapes, and the parts do what they say."""

from functools import partial

import pytest
import torch
from torch import nn

from workbench.meters.live import peak_live_bytes
from workbench.networks import spiking
from workbench.networks.architectures import spiking_small_conv, spiking_vgg
from workbench.networks.layers import SpikingLayer
from workbench.networks.spiking import (
    MOST_STEPS,
    ResidualBlock,
    Simulation,
    SpikingMLP,
    SpikingSequential,
    chunk_steps,
    spiking_logits,
)
from workbench.neurons.lif import Neuron
from workbench.rules import ottt, stdp, stllr

pytestmark = pytest.mark.usefixtures("unchecked")


def test_residual_block_adds_spikes():
    layer = SpikingLayer(nn.Linear(6, 6), Neuron(0.5, 0.1), standardize=False)
    nn.init.eye_(layer.connection.weight)
    block = ResidualBlock(SpikingSequential(layer))
    x = torch.ones(4, 3, 6)
    z = Simulation(block).run(layer, x)
    assert torch.equal(block(x, Simulation(block).run), z + x)
    assert float(block(x, Simulation(block).run).max()) == 2.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("batch", "size", "steps"), [(1, 8, 16), (4, 32, 8), (16, 34, 1), (64, 34, 1)])
def test_a_chunk_of_images_is_chosen_by_the_bytes_of_its_largest_map(batch, size, steps, dtype):
    """16 channels of `size` × `size`: two MiB hold eight steps of four samples of 32 × 32 in single precision."""
    network = spiking_small_conv(3, (2, size, size)).to(dtype)
    x = torch.zeros(20, batch, 2, size, size, dtype=dtype)
    expected = steps if dtype is torch.float32 or steps in (1, 16) else steps // 2
    assert chunk_steps(network, x) == expected
    assert all(p.grad is None for p in network.parameters())


def test_the_largest_map_may_be_the_input_or_lie_deep():
    wide = spiking_vgg(((1,), (64,)), 3, (8, 16, 16))
    assert chunk_steps(wide, torch.zeros(2, 128, 8, 16, 16)) == 2**21 // (4 * 128 * 64 * 8 * 8)
    narrow = spiking_vgg(((1,), (1,)), 3, (8, 16, 16))
    assert chunk_steps(narrow, torch.zeros(2, 64, 8, 16, 16)) == 2**21 // (4 * 64 * 8 * 16 * 16)


def test_dense_layers_take_as_many_steps_whatever_they_weigh():
    assert chunk_steps(SpikingMLP([4000, 50], 3), torch.zeros(2, 300, 4000)) == MOST_STEPS


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("rule", "params"),
    [(stllr, stllr.STLLR()), (ottt, ottt.OTTT()), (stdp, stdp.STDP())],
    ids=["stllr", "ottt", "stdp"],
)
def test_few_steps_at_once_take_little_memory_and_give_the_same_numbers(monkeypatch, rule, params, dtype):
    monkeypatch.setattr(spiking, "CHUNK_BYTES", 4 * 16 * 8 * 8 * dtype.itemsize)  # the largest map of one step
    torch.manual_seed(0)
    network = spiking_small_conv(3, (2, 8, 8)).to(dtype)
    x, y = (torch.rand(16, 4, 2, 8, 8) < 0.2).to(dtype), torch.arange(4) % 3
    peaks, updates = [], []
    for chunk in (None, 16):
        network.zero_grad(set_to_none=True)
        run = partial(rule.gradients, network, x, y, params._replace(chunk=chunk))
        peaks.append(peak_live_bytes(run))
        updates.append(torch.cat([p.grad.flatten() for p in network.parameters()]))
    assert 3 * peaks[0] < peaks[1]
    assert float((updates[0] - updates[1]).norm() / updates[1].norm()) < (1e-4 if dtype is torch.float32 else 1e-12)
    one, all_at_once = (partial(spiking_logits, network, x, size) for size in (None, 16))
    assert 2 * peak_live_bytes(one) < peak_live_bytes(all_at_once)
    assert torch.allclose(one(), all_at_once(), atol=1e-6)


def test_what_does_not_fit_is_refused_when_it_runs():
    network = spiking_small_conv(3, (2, 8, 8))
    with pytest.raises(ValueError, match=r"2 inputs.*got \(\d+, 4, 3, 8, 8\)"):
        stllr.gradients(network, torch.zeros(6, 4, 3, 8, 8), torch.zeros(4, dtype=torch.long))
