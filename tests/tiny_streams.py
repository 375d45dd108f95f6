"""Streams of clouds that are learned in a moment: for tests only."""

import torch

from workbench.continual.multihead import mlp
from workbench.continual.streams import Task
from workbench.experiments.streams import METHODS, StreamExperiment, StreamSetting


def toy_stream(tasks=3, n=80):
    """Two Gaussian clouds per task, in another pair of ten dimensions each."""
    stream = []
    for t in range(tasks):
        y = torch.arange(n) % 2
        x = 0.2 * torch.randn(n, 10, generator=torch.Generator().manual_seed(t))
        x[:, 2 * t] += 2.0 * y - 1
        x[:, 2 * t + 1] += 1
        stream.append(Task(f"clouds {t}", x[: n // 2], y[: n // 2], x[n // 2 :], y[n // 2 :], 2))
    return stream


def own_heads(seed, tasks):
    torch.manual_seed(seed)
    return StreamSetting(mlp([2] * tasks, (10, 32, 16)), toy_stream(tasks), learning_rate=0.3)


def shared_head(seed, tasks):
    torch.manual_seed(seed)
    return StreamSetting(mlp([2], (10, 32, 16)), toy_stream(tasks), learning_rate=0.3)


HEADS = StreamExperiment("heads", "clouds, a head per task", METHODS, epochs=2, tasks=5, prepare=own_heads)
SHARED = StreamExperiment("shared", "clouds, one head", METHODS, epochs=2, tasks=5, prepare=shared_head)
TINY_STREAMS = {"one head": SHARED, "own heads": HEADS}
