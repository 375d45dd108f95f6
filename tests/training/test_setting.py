"""One run of a setting: what each step tells, and what stops it."""

import itertools
import math
from functools import partial

import pytest
import torch
from tiny_training import tiny_data, tiny_run

from workbench.rules import stllr
from workbench.training import setting as training
from workbench.training.loop import train


def test_divergence_names_the_layer_and_leaves_the_network_alone():
    def broken(network, x, y):
        report = stllr.gradients(network, x, y)
        network.hidden[0].connection.weight.grad[0, 0] = float("nan")
        return report

    with pytest.raises(FloatingPointError, match=r"step 1, epoch 1.*'hidden.0.connection.weight'.*learning rate"):
        next(tiny_run(broken))


def test_infinite_loss_stops_the_run():
    def broken(network, x, y):
        return stllr.gradients(network, x, y)._replace(loss=math.inf)

    with pytest.raises(FloatingPointError, match="the loss is inf"):
        next(tiny_run(broken))


def test_a_rule_with_parameters_is_a_partial():
    rule = partial(stllr.gradients, params=stllr.STLLR(last_steps=3))
    assert next(tiny_run(rule)).loss > 0


def test_time_is_counted_without_evaluation_and_what_happens_between_records(monkeypatch):
    ticks = itertools.count()  # a clock that goes on by one whenever somebody looks at it
    monkeypatch.setattr(training, "working_time", lambda: float(next(ticks)))
    assert [r.seconds for r in tiny_run()] == list(range(1, 10))


def test_an_optimiser_of_another_network_is_refused():
    network, other = (torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2)) for _ in range(2))
    optimizer, data = torch.optim.SGD(other.parameters(), lr=0.1), tiny_data()
    with pytest.raises(ValueError, match="moves no parameter of the network; build it from"):
        next(train(training.Setting(network, optimizer, data, stllr.gradients, torch.nn.Module.__call__)))
    both = [*other.parameters(), *network.parameters()]  # a part of them is enough
    training.check_optimizer(network, torch.optim.SGD(both, lr=0.1))
