"""Streams of clouds that are learned in a moment: for tests only."""

import torch

from workbench.continual.learning import StreamSetting, sgd
from workbench.continual.multihead import mlp
from workbench.continual.streams import Task
from workbench.experiments.experiment import Experiment
from workbench.experiments.streams import METHODS


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


def own_heads(method, seed):
    return StreamSetting(method(mlp([2] * 5, (10, 32, 16), seed=seed)), toy_stream(5), sgd(0.3))


def shared_head(method, seed):
    return StreamSetting(method(mlp([2], (10, 32, 16), seed=seed)), toy_stream(5), sgd(0.3))


HEADS = Experiment("heads", "clouds, a head per task", METHODS, epochs=2, prepare=own_heads, tasks=5)
SHARED = Experiment("shared", "clouds, one head", METHODS, epochs=2, prepare=shared_head, tasks=5)
TINY_STREAMS = {"one head": SHARED, "own heads": HEADS}


def small(tasks=3):
    """A network for `toy_stream`."""
    return mlp([2] * tasks, (10, 32, 16))
