"""Bytes: every answer keeps at most what it promises, with every rule, in either order with a direction."""

import itertools

import pytest
import torch
from small_networks import CLASSES, inputs, labels, network
from torch import nn

from workbench.continual.methods.gpm import GPM
from workbench.continual.protected import protected_layers
from workbench.continual.spiking_tasks import SpikingTasks, time_first
from workbench.meters.kept import KeptBytes
from workbench.mixes import (
    ALL,
    ASI,
    BPTT_GRAPH,
    CHECKPOINT,
    EVENTS,
    HOSVD,
    INSTANT,
    LANCE,
    LLS_SPACE,
    SPACES,
    TESS_SPACE,
    TIMES,
    TRACES,
    Mix,
    prepare,
    refusal,
)
from workbench.mixes.memory import hidden_connections
from workbench.networks.blocks import BlockNetwork, conv_block
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP, SpikingSequential

COMPRESSED = [HOSVD, ASI, LANCE]


def kept(mix, n, x, y, *ignored, energy=0.7):
    """Bytes that autograd keeps in a batch, without parameters and bases; inputs are counted, as papers do."""
    rule = prepare(mix, n, [x], CLASSES, energy=energy)
    with KeptBytes(*n.parameters(), *n.buffers(), y, *ignored) as meter:
        rule.gradients(n, x, y)
    return meter.peak


def low_rank(steps=12, batch=16, width=80):
    """Sparse spikes of few patterns."""
    generator = torch.Generator().manual_seed(0)
    patterns = (torch.rand(3, width, generator=generator) < 0.15).float()
    return patterns[torch.randint(3, (steps, batch), generator=generator)]


@pytest.mark.parametrize("memory", COMPRESSED)
@pytest.mark.parametrize(
    ("time", "space"), [(TRACES, TESS_SPACE), (TRACES, SPACES[0]), (INSTANT, SPACES[2]), (BPTT_GRAPH, SPACES[0])]
)
def test_cores_keep_fewer_bytes_in_spiking_networks(memory, time, space):
    x, y = low_rank(), torch.arange(16) % CLASSES
    with seeded(0):
        networks = [SpikingMLP([80, 20], CLASSES) for _ in range(2)]
    assert kept(Mix(time, space, memory), networks[0], x, y) < 0.9 * kept(Mix(time, space), networks[1], x, y)


@pytest.mark.parametrize("memory", COMPRESSED)
def test_lls_on_cores_keeps_fewer_bytes_than_lls(memory):
    x, y, sizes = torch.rand(16, 1, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3), torch.arange(16) % 3, []
    for answer in (memory, ALL):
        with seeded(0):
            blocks = [conv_block(1, 32, 2), conv_block(32, 8, 2, nn.Sequential(nn.Flatten()))]
            sizes.append(kept(Mix(INSTANT, LLS_SPACE, answer), BlockNetwork(blocks, nn.Linear(2048, 3)), x, y))
    assert sizes[0] < 0.9 * sizes[1]


def test_events_keep_less_where_spikes_are_few_and_no_more_where_they_are_not():
    """LANCE's core is larger than the list of events where fewer entries fire than the rank's share of the inputs."""
    for share, smaller in ((0.02, True), (0.9, False)):
        generator = torch.Generator().manual_seed(0)
        x, y = (torch.rand(12, 16, 80, generator=generator) < share).float(), torch.arange(16) % CLASSES
        with seeded(0):
            networks = [SpikingMLP([80, 20], CLASSES) for _ in range(3)]
        events, core, every = (
            kept(Mix(BPTT_GRAPH, memory=m), n, x, y) for n, m in zip(networks, (EVENTS, LANCE, ALL), strict=True)
        )
        assert events <= 1.01 * every
        assert (events < core) is smaller


def test_checkpointing_keeps_less():
    x, y = low_rank(steps=64), torch.arange(16) % CLASSES
    with seeded(0):
        networks = [SpikingMLP([80, 20], CLASSES) for _ in range(2)]
    sizes = [kept(Mix(BPTT_GRAPH, memory=m), n, x, y, x) for m, n in zip((CHECKPOINT, ALL), networks, strict=True)]
    assert sizes[0] < 0.3 * sizes[1]


@pytest.mark.parametrize("kind", ["dense", "recurrent", "convolutional"])
def test_order_of_compression_and_protection_does_not_matter_and_both_promises_hold(kind):
    steps = []
    for first in ("memory", "direction"):
        n = network(kind).double()
        tasks, x, y = SpikingTasks(n), inputs(kind).double(), labels(kind)
        if first == "direction":
            method = GPM(tasks)
        rule = prepare(Mix(TRACES, memory=LANCE), n, [x], CLASSES).gradients
        if first == "memory":
            method = GPM(tasks)
        method.rule = time_first(rule)
        seen = x.transpose(0, 1)
        method.after_task(0, seen, y)
        before = {name: g.weight.detach().clone() for name, g in protected_layers(n).items()}
        other = inputs(kind, 5).double().transpose(0, 1)
        optimizer = torch.optim.SGD([p for p in tasks.parameters() if p.requires_grad], lr=0.1)
        method.learn(optimizer, other, y, 1)
        moved = {name: g.weight.detach() - before[name] for name, g in protected_layers(n).items()}
        for name, guard in protected_layers(n).items():
            assert float((moved[name].flatten(1) @ guard.vectors).abs().max()) < 1e-9
        steps.append(moved)
        assert hidden_connections(n)
    assert steps[0].keys() == steps[1].keys()
    for name in steps[0]:
        torch.testing.assert_close(*(step[name] for step in steps), rtol=1e-9, atol=1e-12)


def test_refusals_of_memory_are_the_reasons_given():
    eprop = TIMES[2]
    assert "bases stay" in refusal(Mix(eprop, memory=HOSVD), "dense")
    assert "not zero where the input is" in refusal(Mix(eprop, memory=EVENTS), "dense")
    assert "smaller chunks" in refusal(Mix(TRACES, memory=CHECKPOINT), "dense")
    assert "free before the next block" in refusal(Mix(INSTANT, LLS_SPACE, CHECKPOINT), "blocks")
    convolutional = SpikingSequential(SpikingLayer(nn.Conv2d(1, 2, 3)), nn.Flatten(), LeakyReadout(2, 3))
    with pytest.raises(ValueError, match=r"eprop\+backprop\+all\+anywhere cannot train a convolutional network"):
        prepare(Mix(eprop), convolutional, [torch.zeros(2, 1, 1, 3, 3)], 3)
    assert len(list(itertools.product(TIMES, SPACES))) == 44
