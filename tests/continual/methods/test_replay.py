"""What is kept of old samples, and the gradients that it gives."""

import pytest
import torch
from tiny_streams import small, toy_stream
from torch.nn import functional as F

from workbench.continual.methods.replay import EpisodicMemory, Joint, Replay


def test_memory_keeps_and_draws():
    memory = EpisodicMemory(per_task=5, seed=1)
    x, y = torch.randn(20, 3), torch.arange(20)
    memory.add(x, y)
    memory.add(-x, y)
    assert memory.kept_bytes() == 2 * 5 * (3 * 4 + 8)
    drawn = memory.draw(1, 3)
    assert drawn.x.shape == (3, 3)
    assert torch.equal(drawn.x, -x[drawn.y])
    assert len(memory.draw(0, 50).y) == 5
    assert {memory.draw_task() for _ in range(40)} == {0, 1}
    x.zero_()
    assert float(memory.tasks[0].x.abs().max()) > 0  # a copy
    with pytest.raises(ValueError, match="at least one sample per task, got 0"):
        EpisodicMemory(0)


def test_joint_step_is_the_mean_over_tasks():
    network, (first, second) = small(2), toy_stream(2)
    method = Joint(network)
    method.after_task(0, first.train_x, first.train_y)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
    method.learn(optimizer, second.train_x, second.train_y, 1)
    ours = [p.grad.clone() for p in network.parameters()]
    loss = F.cross_entropy(network(first.train_x, 0), first.train_y)
    loss = (loss + F.cross_entropy(network(second.train_x, 1), second.train_y)) / 2
    for a, b in zip(ours, torch.autograd.grad(loss, list(network.parameters())), strict=True):
        torch.testing.assert_close(a, b)


def test_replay_adds_the_gradient_of_old_samples():
    network, (first, second) = small(2), toy_stream(2)
    method = Replay(network, per_task=40)
    method.after_task(0, first.train_x, first.train_y)
    method.learn(torch.optim.SGD(network.parameters(), lr=0.0), second.train_x, second.train_y, 1)
    ours = [p.grad.clone() for p in network.parameters()]
    loss = F.cross_entropy(network(first.train_x, 0), first.train_y)
    loss = loss + F.cross_entropy(network(second.train_x, 1), second.train_y)
    for a, b in zip(ours, torch.autograd.grad(loss, list(network.parameters())), strict=True):
        torch.testing.assert_close(a, b)
