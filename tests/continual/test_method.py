"""Methods take any rule that fills `.grad`, and their promises hold with it."""

import pytest
import torch
from corner_pictures import blocks, pictures
from torch import nn

from workbench.continual.learning import StreamSetting, accuracy_matrix, sgd
from workbench.continual.method import Method, TaskNetwork, backpropagation
from workbench.continual.methods.a_gem import AGEM
from workbench.continual.methods.code_cl import CodeCL
from workbench.continual.methods.ewc import EWC
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.continual.methods.gpm import GPM
from workbench.continual.methods.replay import Joint, Replay
from workbench.continual.methods.sgp import SGP
from workbench.continual.methods.trgp import TRGP
from workbench.continual.multihead import MultiHead, mlp
from workbench.rules import lls
from workbench.training.loop import train
from workbench.training.setting import Plan

pytestmark = pytest.mark.usefixtures("unchecked")

METHODS = [FineTuning, GPM, SGP, TRGP, CodeCL, EWC, AGEM, Replay, Joint]


@pytest.mark.parametrize("make", METHODS)
def test_every_method_takes_another_rule(make):
    setting = StreamSetting(make(blocks(), rule=lls.gradients), pictures(), sgd(0.1), 20)
    A = accuracy_matrix(train(setting, Plan(3)))
    assert float(A.diagonal()[0]) > 0.75
    other = StreamSetting(make(blocks()), pictures(), sgd(0.1), 20)
    assert [r.loss for r in train(other, Plan(1))] != [r.loss for r in train(setting, Plan(1))]


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
    assert shared.free() == [shared.network.heads]
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
