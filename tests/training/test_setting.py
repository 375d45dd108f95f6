"""One run of a setting: what each step tells, and what stops it."""

import itertools
import math
from functools import partial

import pytest
from tiny_training import tiny_run

from workbench.rules import stllr
from workbench.training import setting as training


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
    monkeypatch.setattr(training.time, "perf_counter", lambda: float(next(ticks)))
    assert [r.seconds for r in tiny_run()] == list(range(1, 10))
