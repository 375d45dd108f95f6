"""A tiny experiment that trains in a moment: for tests only."""

from typing import NamedTuple

import torch
from torch import Tensor

from workbench.experiments.experiment import Experiment
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.rules import bptt, stllr
from workbench.training.setting import Setting


class Few(NamedTuple):
    """Recordings in memory, `x` (time, sample, input)."""

    x: Tensor
    labels: Tensor

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        return self.x[:, rows], self.labels[rows]


class Both(NamedTuple):
    """The same samples to learn from and to test with."""

    train: Few
    test: Few


def prepare(make_rule, seed: int) -> Setting:
    labels = torch.arange(3).repeat(8)
    x = (torch.rand(6, 24, 12, generator=torch.Generator().manual_seed(1)) < 0.3).float()
    x[:, torch.arange(24), labels] = 1.0
    torch.manual_seed(seed)
    network = SpikingMLP([12, 10], classes=3)
    data = Both(Few(x, labels), Few(x, labels))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    return Setting(network, optimizer, data, make_rule(network), spiking_logits, batch_size=6)


RULES = {"stllr": lambda network: stllr.gradients, "bptt": lambda network: bptt.gradients}
TINY = Experiment("tiny", "24 samples of three classes", RULES, 2, prepare)
