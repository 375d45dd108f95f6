"""Every legal cell of time, space and memory against the update written out, and directions against it projected."""

import itertools

import pytest
import torch
from explicit_updates import block_updates, updates
from torch import nn

from workbench.mixes import KINDS, MEMORIES, SPACES, TIMES, Mix, kind_of, prepare, refusal
from workbench.mixes.time import NO_PAST
from workbench.networks.blocks import BlockNetwork, conv_block, dense_block
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP, SpikingSequential, layers_with_memory
from workbench.neurons.lif import Neuron
from workbench.neurons.traces import Factors

pytestmark = pytest.mark.usefixtures("in_double_precision")
CLASSES, NEURON = 3, Neuron(0.8, 0.5)
LEGAL = {
    kind: [m for m in (Mix(*a) for a in itertools.product(TIMES, SPACES, MEMORIES)) if refusal(m, kind) is None]
    for kind in KINDS
}
FACTORS = {"instant": NO_PAST, "traces": Factors(), "eprop": Factors(), "bptt": Factors()}


def network(kind):
    """A small network whose layers all fire, and that is not standardised, so that Ŵ is W."""
    with seeded(3):
        if kind == "blocks":
            convolution = conv_block(1, 4, 2, nn.Sequential(nn.MaxPool2d(2), nn.Flatten()))
            return BlockNetwork([convolution, dense_block(36, 16)], nn.Linear(16, CLASSES))
        if kind == "convolutional":
            first = SpikingLayer(nn.Conv2d(2, 4, 3, padding=1), NEURON, standardize=False)
            second = SpikingLayer(nn.Conv2d(4, 5, 3), NEURON, standardize=False)
            return SpikingSequential(first, nn.AvgPool2d(2), second, nn.Flatten(), LeakyReadout(5, CLASSES, 0.7))
        recurrent = kind == "recurrent"
        return SpikingMLP([6, 9, 8], CLASSES, NEURON, standardize=False, readout_decay=0.7, recurrent=recurrent)


def inputs(kind, seed=0):
    """A few samples, `(time, batch, ...)` of a spiking network."""
    generator = torch.Generator().manual_seed(seed)
    if kind == "blocks":
        return torch.rand(5, 1, 6, 6, generator=generator)
    shape = (6, 4, 2, 6, 6) if kind == "convolutional" else (7, 4, 6)
    return (torch.rand(shape, generator=generator) < 0.4).double()


def labels(kind):
    """Of `inputs`."""
    return torch.tensor([0, 1, 2, 0, 1])[: 5 if kind == "blocks" else 4]


def learned(mix, kind):
    """A prepared network with its gradients, and the update written out."""
    n, other = network(kind), inputs(kind, 1)
    assert kind_of(n) == kind
    rule = prepare(mix, n, [other], CLASSES)
    x, y = inputs(kind), labels(kind)
    bases = {name: buffer.clone() for name, buffer in n.named_buffers()}
    rule.gradients(n, x, y)
    for name, buffer in n.named_buffers():  # those of ASI have moved
        if "compressor" in name:
            buffer.copy_(bases[name])
    return n, rule, x, y


@pytest.mark.parametrize(
    ("kind", "mix"), [(kind, mix) for kind in KINDS[:3] for mix in LEGAL[kind]], ids=lambda v: str(v)
)
def test_every_legal_cell_of_spiking_networks_is_its_definition(kind, mix):
    n, rule, x, y = learned(mix, kind)
    params = next(iter(rule.gradients.keywords.values()))
    signal = params.params.signal if hasattr(params, "params") else params.signal
    expected = updates(mix, n, signal, x, y, FACTORS[mix.time.name])
    assert len(expected) >= 6
    for name, layer in layers_with_memory(n).items():
        torch.testing.assert_close(layer.connection.weight.grad, expected[name], rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(layer.connection.bias.grad, expected[f"{name}.bias"], rtol=1e-9, atol=1e-12)
        if layer.recurrent is not None:
            wanted = expected[f"{name}.recurrent"]
            torch.testing.assert_close(layer.recurrent.weight.grad, wanted, rtol=1e-9, atol=1e-12)
        assert float(layer.connection.weight.grad.abs().max()) > 1e-6


@pytest.mark.parametrize("mix", LEGAL["blocks"], ids=str)
def test_every_legal_cell_of_blocks_is_its_definition(mix):
    n, rule, x, y = learned(mix, "blocks")
    expected = block_updates(mix, n, rule.gradients, x, y)
    for number, block in enumerate(n.blocks):
        grad = block.body[0].weight.grad
        torch.testing.assert_close(grad, expected[str(number)], rtol=1e-8, atol=1e-11)
        assert float(grad.abs().max()) > 1e-6
    torch.testing.assert_close(n.classifier.weight.grad, expected["classifier"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_cells_are_silently_equal(kind):
    """Checkpointing and lists of events are exact, and equal to keeping all; no others are."""
    seen = {}
    for mix in LEGAL[kind]:
        if mix.memory.name in ("checkpoint", "events"):
            continue
        n, *_ = learned(mix, kind)
        first = n.blocks[0].body[0] if kind == "blocks" else next(iter(layers_with_memory(n).values())).connection
        direction = first.weight.grad.flatten() / first.weight.grad.norm()
        for other, grad in seen.items():
            assert float(direction @ grad) < 1 - 1e-6, f"{mix} moves as {other} does"
        seen[str(mix)] = direction
    assert len(seen) > 40
