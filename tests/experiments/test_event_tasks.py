"""Events as tasks: a stream that any mix learns, the same for the same seed."""

import torch

from workbench.continual.learning import accuracy_matrix
from workbench.experiments.event_tasks import EVENT_TASKS, event_network, event_task
from workbench.experiments.experiment import start


def test_task_holds_recordings_with_samples_first():
    task = event_task(4, 2)
    assert task.train_x.shape == (40, 20, 578)
    assert task.test_x.shape == (20, 20, 578)
    assert task.classes == 10


def test_network_has_a_readout_for_each_task():
    network = event_network(3)
    assert network(torch.zeros(2, 4, 578), 2).shape == (2, 2)


def test_a_mix_with_conceptors_learns_two_tasks_and_forgets_nothing():
    A = accuracy_matrix(start(EVENT_TASKS, "traces+tess+all+code-cl", tasks=2))
    assert float(A[1].min()) > 0.8
    assert float(A[0, 0] - A[1, 0]) < 0.05
