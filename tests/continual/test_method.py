"""Methods take any rule that fills `.grad`, and their promises hold with it."""

import pytest
import torch
from torch import nn

from workbench.continual.learning import StreamSetting, accuracy_matrix, sgd
from workbench.continual.method import Method, TaskNetwork, backpropagation
from workbench.continual.methods.a_gem import AGEM
from workbench.continual.methods.code_cl import CodeCL
from workbench.continual.methods.ewc import EWC
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.continual.methods.gpm import GPM, GPMParams
from workbench.continual.methods.replay import Joint, Replay
from workbench.continual.methods.sgp import SGP
from workbench.continual.methods.trgp import TRGP
from workbench.continual.multihead import MultiHead, SharedHead, mlp
from workbench.continual.projected_step import layer_inputs
from workbench.continual.protected import protected_layers
from workbench.continual.streams import Task
from workbench.networks.block_networks import mini_conv
from workbench.rules import feedback_alignment, lls
from workbench.rules.lls import local_head
from workbench.training.loop import train
from workbench.training.setting import Plan

METHODS = [FineTuning, GPM, SGP, TRGP, CodeCL, EWC, AGEM, Replay, Joint]


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


@pytest.mark.parametrize("make", METHODS)
def test_every_method_takes_another_rule(make):
    setting = StreamSetting(make(blocks(), rule=lls.gradients), pictures(), sgd(0.1), 20)
    A = accuracy_matrix(train(setting, Plan(3)))
    assert float(A.diagonal()[0]) > 0.75
    other = StreamSetting(make(blocks()), pictures(), sgd(0.1), 20)
    assert [r.loss for r in train(other, Plan(1))] != [r.loss for r in train(setting, Plan(1))]


@pytest.mark.parametrize("optimizer", [sgd(0.1), lambda p: torch.optim.Adam(p, lr=0.01)])
def test_projection_protects_with_another_rule(optimizer):
    """ΔW X = 0 for the inputs of the finished task, when LLS teaches and GPM protects."""
    network, (first, second) = blocks(), pictures()
    method = GPM(network, GPMParams(threshold=1.0, samples=30), rule=lls.gradients)
    run = StreamSetting(method, [first], optimizer, 20)
    list(train(run, Plan(1)))
    x = run.begin(Plan(1)).samples(0)[0][:30]
    inputs = layer_inputs(network, lambda: network(x, 0))
    before = {name: layer.layer.weight.detach().flatten(1).clone() for name, layer in protected_layers(network).items()}
    moving = optimizer([p for p in network.parameters() if p.requires_grad])
    for _ in range(5):
        method.learn(moving, second.train_x[:20], second.train_y[:20], 1)
    moved = 0.0
    for name, layer in protected_layers(network).items():
        change = layer.layer.weight.detach().flatten(1) - before[name]
        X = inputs[name]
        assert float((change @ X).norm()) <= 1e-5 * max(float(change.norm() * X.norm()), 1.0)
        moved = max(moved, float(change.abs().max()))
    assert moved > 1e-4


def test_replay_adds_what_the_rule_says_of_both_batches():
    network, (first, second) = blocks(), pictures()
    method = Replay(network, rule=lls.gradients)
    method.after_task(0, first.train_x, first.train_y)
    x, y = second.train_x[:20], second.train_y[:20]
    network.train()
    method.gradients(x, y, 1)
    both = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
    network.zero_grad()
    again = Replay(network, rule=lls.gradients)
    again.after_task(0, first.train_x, first.train_y)
    past = again.memory.draw_task()
    old = again.memory.draw(past, 20)
    for batch in ((x, y), old):
        lls.gradients(network.network, *batch)
    for name, p in network.named_parameters():
        if p.grad is not None:
            torch.testing.assert_close(both[name], p.grad)


def test_feedback_alignment_refuses_protected_layers():
    """It would be backpropagation without a word: the layer inside runs with its own weights."""
    network, (first, _) = SharedHead(mini_conv(2)), pictures()
    rule = feedback_alignment.prepare(network.network, (1, 28, 28), 0)
    x, y = first.train_x[:20], first.train_y[:20]
    assert rule(network.seen(0), x, y).loss > 0
    method = GPM(network, rule=feedback_alignment.prepare(network.network, (1, 28, 28), 0))
    with pytest.raises(ValueError, match=r"is run by the module around it.*feedback alignment cannot train"):
        method.gradients(x, y, 0)


def test_a_network_without_tasks_is_refused():
    with pytest.raises(ValueError, match=r"called as network\(x, task\), got a Linear; put it into a MultiHead"):
        FineTuning(nn.Linear(3, 2))


def test_networks_with_tasks():
    heads, shared = mlp([2, 3], (10, 8)), blocks()
    assert isinstance(heads, TaskNetwork)
    assert isinstance(shared, TaskNetwork)
    x = torch.randn(4, 10)
    assert torch.equal(heads.seen(1)(x), heads(x, 1))
    assert shared.seen(1) is shared.network
    assert shared.free() == []
    assert isinstance(heads, MultiHead)


def test_the_method_alone_is_the_rule_and_a_step():
    network = mlp([2], (10, 8))
    x, y = torch.randn(6, 10), torch.randint(2, (6,))
    method = Method(network)
    before = [p.detach().clone() for p in network.parameters()]
    report = method.learn(torch.optim.SGD(network.parameters(), lr=0.5), x, y, 0)
    steps = [a - p.detach() for a, p in zip(before, network.parameters(), strict=True)]
    with torch.no_grad():
        for p, a in zip(network.parameters(), before, strict=True):
            p.copy_(a)
    network.zero_grad()
    again = backpropagation(network.seen(0), x, y)
    assert report.loss == again.loss
    for step, p in zip(steps, network.parameters(), strict=True):
        torch.testing.assert_close(step, 0.5 * p.grad)
    assert method.kept_bytes() == 0
    assert method.state() == {}
