"""A run that trains in a moment, and what must be the same in two such runs: for tests only."""

import torch
from torch.nn import functional as F

from workbench.data.event_sets import EventSet
from workbench.data.split import Split
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.rules import stllr
from workbench.training.loop import train
from workbench.training.setting import Plan, Setting


def tiny_data(samples=96, steps=8, inputs=12, classes=3):
    """Each class fires its own third of the inputs more often."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(samples) % classes
    rates = 0.1 + 0.5 * F.one_hot(labels, classes).repeat_interleave(inputs // classes, dim=1)
    counts = (torch.rand(steps, samples, inputs, generator=generator) < rates).to(torch.uint8)
    half = samples // 2
    train_set, test_set = (EventSet(counts[:, rows], labels[rows]) for rows in (slice(half), slice(half, None)))
    return Split(train_set, test_set, ("a", "b", "c"))


def tiny_run(rule=stllr.gradients, rate=1e-2, seed=0, **options):
    torch.manual_seed(seed)
    network = SpikingMLP([12, 16], classes=3)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    setting = Setting(network, optimizer, tiny_data(), rule, spiking_logits, batch_size=16)
    return train(setting, Plan(epochs=3, seed=seed), **options)


def numbers(records):
    """What must not differ between two runs: everything but time."""
    return [r._replace(seconds=0.0, samples_per_second=0.0) for r in records]
