"""What an update depends on, found by experiment: rules that are known to be local, and broken ones that are caught."""

from functools import partial

import torch

from workbench.audit.locality import relative_change, replace_step, space_dependence, time_dependence, updates_by_step
from workbench.audit.updates import layers_of
from workbench.credit.bases import dct
from workbench.networks.block_networks import mini_conv
from workbench.rules import backprop, bptt, eprop, lls, stllr, tess
from workbench.rules.tess import TESS, make_heads


def test_tess_is_local_in_space_and_others_are_not(problem):
    network, x, y = problem
    before = [p.clone() for p in network.parameters()]
    params = TESS(make_heads(network, x, 4, basis=dct))
    local = space_dependence(network, x, y, partial(tess.gradients, params=params))
    assert local.later == 0
    assert (local.change.tril().diagonal() > 0).all()
    assert local.change[2, 0] > 0  # the input of the readout comes from below
    for rule in (stllr.gradients, bptt.gradients, partial(tess.released_gradients, params=params)):
        assert space_dependence(network, x, y, rule).later > 0.1
    assert all(p.equal(old) for p, old in zip(network.parameters(), before, strict=True))
    assert all(p.grad is None for p in network.parameters())


def test_blocks_taught_by_waves_are_local_and_backpropagation_is_not():
    torch.manual_seed(0)
    network, x, y = mini_conv(10, 1, lls.local_head(10)).double(), torch.rand(8, 1, 28, 28).double(), torch.arange(8)
    assert list(layers_of(network)) == ["blocks.0", "blocks.1", "blocks.2", "blocks.3", "classifier"]
    assert space_dependence(network, x, y, lls.gradients).later == 0
    assert space_dependence(mini_conv(10, 1).double(), x, y, backprop.gradients).later > 0.1


def test_only_bptt_looks_ahead(problem):
    network, x, y = problem
    for rule in (stllr, eprop):
        found = time_dependence(network, x, y, updates_by_step(rule.online))
        assert found.later == 0
        assert all((change.diagonal() > 0).all() for change in found.change.values())
    assert time_dependence(network, x, y, updates_by_step(bptt.by_step)).later > 0.1


def test_a_rule_that_looks_one_step_ahead_is_caught(problem):
    network, x, y = problem

    def peeping(network, x, y):
        for t, report in enumerate(stllr.online(network, x, y)):
            ahead = x[min(t + 1, len(x) - 1)] @ torch.arange(x.shape[-1]).to(x)
            for parameter in network.parameters():
                if parameter.grad is not None:
                    parameter.grad *= 1.0 + ahead.mean()
            yield report

    found = time_dependence(network, x, y, updates_by_step(peeping))
    change = found.change["hidden.0"]
    assert found.later > 0
    assert (change.diagonal(1) > 0).all()
    assert not change.triu(2).any()


def test_relative_change():
    old = torch.tensor([3.0, 4.0])
    assert relative_change(old, old.clone()) == 0.0
    assert relative_change(old, torch.zeros(2)) == 1.0
    assert relative_change(torch.zeros(2), old) == 1.0


def test_a_replaced_step_differs_there_and_nowhere_else():
    x = torch.zeros(3, 2, 4)
    x[1, 0, 0] = 1.0
    for step in range(3):
        other = replace_step(x, step)
        assert [bool((other[t] != x[t]).any()) for t in range(3)] == [t == step for t in range(3)]
