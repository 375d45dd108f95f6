"""Blocks with a classifier for each task."""

import pytest
import torch
from torch import nn

from workbench.continual.block_tasks import BlockTasks
from workbench.networks.block_networks import dense_network


def tasks():
    torch.manual_seed(0)
    return BlockTasks(dense_network([6, 8], 2), [nn.Linear(8, 2), nn.Linear(8, 3)])


def test_each_task_is_answered_by_its_own_classifier():
    network, x = tasks(), torch.randn(4, 6)
    network.eval()
    features = network.network.blocks[0](x)
    for task, classifier in enumerate(network.heads):
        assert torch.equal(network(x, task), classifier(features))


def test_what_a_task_is_taught_is_the_network_s_own():
    network = tasks()
    network.seen(1)(torch.randn(4, 6)).sum().backward()
    assert network.heads[1].weight.grad is not None
    assert network.network.blocks[0].body[1].weight.grad is not None
    assert network.heads[0].weight.grad is None
    assert network.network.classifier.weight.grad is None  # nobody's
    assert network.network.classifier is not network.heads[1]  # looking changes nothing


def test_a_task_without_a_classifier_is_refused():
    with pytest.raises(ValueError, match=r"classifiers for tasks 0\.\.1, got task 2"):
        tasks().seen(2)


def test_classifiers_are_free_and_blocks_are_not():
    network = tasks()
    free = {id(p) for part in network.free() for p in part.parameters()}
    assert {id(p) for p in network.heads.parameters()} <= free
    assert not {id(p) for p in network.network.blocks.parameters()} & free
