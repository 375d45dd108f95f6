"""A stream of pictures that differ in a corner, and a network of blocks for it: for tests only."""

import torch

from workbench.continual.multihead import SharedHead
from workbench.continual.streams import Task
from workbench.networks.block_networks import mini_conv
from workbench.rules.lls import local_head


def pictures(tasks=2, n=60, seed=0):
    """Two kinds of 28×28 pictures per task, which differ in one corner."""
    generator = torch.Generator().manual_seed(seed)
    stream = []
    for t in range(tasks):
        y = torch.arange(2 * n) % 2
        x = 0.3 * torch.randn(2 * n, 1, 28, 28, generator=generator)
        x[:, 0, 14 * t : 14 * t + 14, :14] += (2.0 * y - 1)[:, None, None]
        stream.append(Task(f"corner {t}", x[:n], y[:n], x[n:], y[n:], 2))
    return stream


def blocks():
    """A network of blocks that LLS can train, for two classes, under one head for all tasks."""
    return SharedHead(mini_conv(2, seed=0, make_head=local_head(2)))
