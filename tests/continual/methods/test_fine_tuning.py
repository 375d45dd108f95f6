"""Fine-tuning, which keeps nothing."""

import torch
from tiny_streams import small, toy_stream

from workbench.continual.learning import StreamSetting
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.training.loop import train
from workbench.training.setting import Plan


def test_schedule_runs_once_per_task():
    rates = []

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    how = {"batch_size": 20, "schedule": lambda progress: 1 - progress}
    list(train(StreamSetting(FineTuning(small()), toy_stream(2), lambda p: Watched(p, lr=0.5), **how), Plan(epochs=2)))
    assert rates == [0.5, 0.5, 0.25, 0.25] * 2
