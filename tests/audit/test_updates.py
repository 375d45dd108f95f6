"""The update of each layer, whole and step by step."""

import pytest
import torch
from torch import nn

from workbench.audit.locality import updates_by_step
from workbench.audit.updates import layer_updates, layers_of
from workbench.rules import bptt, eprop, stllr


def test_the_steps_of_bptt_sum_to_its_gradient(problem):
    network, x, y = problem
    steps = updates_by_step(bptt.by_step)(network, x, y)
    whole = layer_updates(network, x, y, bptt.gradients)
    for name, update in whole.items():
        assert len(steps[name]) == len(x)
        torch.testing.assert_close(steps[name].sum(0), update, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rule", [stllr, eprop])
def test_the_steps_of_an_online_rule_sum_to_its_update(problem, rule):
    network, x, y = problem
    steps = updates_by_step(rule.online)(network, x, y)
    for name, update in layer_updates(network, x, y, rule.gradients).items():
        torch.testing.assert_close(steps[name].sum(0), update, rtol=1e-10, atol=1e-12)


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="spiking network or a BlockNetwork, got Linear"):
        layers_of(nn.Linear(2, 2))
