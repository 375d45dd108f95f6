"""An experiment's own settings of some rules come first, all others as their files say."""

import pytest
import torch

from workbench.experiments.spiking_rules import and_all_others, made
from workbench.networks.spiking import SpikingMLP
from workbench.rule import Prepared, Steps
from workbench.rules import RULES

EXAMPLE = torch.zeros(1, 1, 6)


def test_a_rule_is_prepared_for_the_network_with_example_classes_and_steps():
    asked = []

    def prepare(network, example, classes, steps):
        asked.append((network, example, classes, steps))
        return Prepared("the gradients of this network")

    make = made(prepare, EXAMPLE, 3, Steps(last=2))
    assert not asked  # nothing is prepared before there is a network
    assert make("a network") == "the gradients of this network"
    assert asked == [("a network", EXAMPLE, 3, Steps(last=2))]


def test_own_rules_come_first_and_replace_those_of_the_same_name():
    def mine(network):
        return "mine"

    rules = and_all_others({"stllr-mine": mine, "tess": mine}, EXAMPLE, 3)
    spiking = [rule.name for rule in RULES if rule.for_spiking is not None]
    assert list(rules) == ["stllr-mine", "tess", *(name for name in spiking if name != "tess")]
    assert rules["tess"] is rules["stllr-mine"] is mine


@pytest.mark.parametrize("name", [rule.name for rule in RULES if rule.for_spiking is not None])
def test_every_rule_of_spiking_networks_learns(name):
    torch.manual_seed(0)
    network = SpikingMLP([6, 8], 3)
    x, y = (torch.rand(5, 4, 6) < 0.5).float(), torch.arange(4) % 3
    report = and_all_others({}, EXAMPLE, 3)[name](network)(network, x, y)
    assert report.logits.shape == (4, 3)
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())
