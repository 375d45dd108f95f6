"""Voices as tasks: the same voices by other ears, learned by a recurrent network with any mix."""

import pytest
import torch

from workbench.continual.learning import accuracy_matrix
from workbench.experiments.experiment import prepare, start
from workbench.experiments.voice_tasks import VOICE_TASKS, voice_task


def test_the_task_holds_recordings_with_samples_first():
    task = voice_task()
    assert task.train_x.shape == (800, 60, 128)
    assert task.test_x.shape == (200, 60, 128)
    assert task.test_y.bincount().tolist() == [40] * 5


def test_one_readout_and_orders_of_the_seed():
    one, again, other = (prepare(VOICE_TASKS, "bptt", seed) for seed in (1, 1, 2))
    assert len(one.stream) == 5
    assert one.method.network(one.stream[0].test_x[:3], 4).shape == (3, 5)
    assert torch.equal(one.stream[2].test_x, again.stream[2].test_x)
    assert not torch.equal(one.stream[2].test_x, other.stream[2].test_x)


@pytest.mark.parametrize("mix", ["traces+dfa+lance+code-cl", "eprop+backprop+lance+ewc"])
def test_any_mix_begins(mix):
    assert next(start(VOICE_TASKS, mix, epochs=1, tasks=2)).loss < 3


def test_a_recurrent_network_learns_with_a_mix():
    A = accuracy_matrix(start(VOICE_TASKS, "traces+backprop+all+gpm", epochs=2, tasks=1))
    assert float(A[0, 0]) > 0.3  # chance is 0.2
