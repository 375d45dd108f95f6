"""Spiking networks that are told their task."""

import pytest
import torch

from workbench.continual.method import TaskNetwork
from workbench.continual.spiking_tasks import SpikingTasks, time_first
from workbench.mixes import CLASSIFIER, LLS_MXM, TRACES, Mix, learner
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spiking import SpikingMLP, SpikingSequential, spiking_logits
from workbench.rules import stllr


def with_readouts():
    """A body and two readouts."""
    body = SpikingSequential(SpikingLayer(torch.nn.Linear(5, 6)))
    return SpikingTasks(body, [LeakyReadout(6, 2), LeakyReadout(6, 3)])


def test_answers_are_those_of_the_network_with_samples_first():
    network, x = SpikingMLP([5, 6], 3), (torch.rand(4, 7, 5) < 0.5).float()
    tasks = SpikingTasks(network)
    assert isinstance(tasks, TaskNetwork)
    torch.testing.assert_close(tasks(x, 2), spiking_logits(network, x.transpose(0, 1)))
    assert tasks.seen(9) is network
    assert tasks.free() == []


def test_each_task_has_its_readout_and_no_other():
    tasks, x = with_readouts(), (torch.rand(4, 7, 5) < 0.5).float()
    assert [tasks(x, task).shape[1] for task in (0, 1)] == [2, 3]
    rule = time_first(stllr.gradients)
    rule(tasks.seen(1), x, torch.tensor([0, 1, 2, 0]))
    assert tasks.readouts[0].connection.weight.grad is None
    assert tasks.readouts[1].connection.weight.grad is not None
    assert tasks.free() == [tasks.readouts]
    with pytest.raises(ValueError, match=r"readouts for tasks 0\.\.1, got task 2"):
        tasks.seen(2)


@pytest.mark.parametrize("space", [CLASSIFIER, LLS_MXM])
def test_what_a_rule_hangs_on_layers_learns_and_is_free(space):
    tasks, x = SpikingTasks(SpikingMLP([5, 6], 3)), (torch.rand(4, 7, 5) < 0.5).float()
    method = learner(Mix(TRACES, space), tasks, [x.transpose(0, 1)], 3)
    (head,) = tasks.free()
    assert next(head.parameters()) in set(tasks.parameters())
    method.gradients(x, torch.tensor([0, 1, 2, 0]), 0)
    assert float(next(head.parameters()).grad.abs().max()) > 0
