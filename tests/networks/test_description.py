"""Descriptions of networks: what is compared, in which words, and what is built again."""

import json
from functools import partial

import pytest
import torch
from torch import nn

from workbench.continual.multihead import mlp
from workbench.continual.protected import prepare, select_task
from workbench.networks.description import describe, differences, rebuild
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import fast_sigmoid, triangle


def layer(psi, neuron=Neuron()):
    return SpikingMLP([6, 5], 3, neuron, psi)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (layer(triangle), ["hidden.0.psi: triangle in the file, fast_sigmoid in the network"]),
        (layer(partial(triangle, height=0.3)), ["psi: triangle", "psi(height): 0.3 in the file, not there"]),
        (layer(partial(fast_sigmoid, 0.3)), ["psi(0): 0.3 in the file, not there"]),
        (layer(fast_sigmoid, Neuron(0.9, 0.6)), ["hidden.0.neuron.decay: 0.9 in the file, 0.5"]),
        (layer(fast_sigmoid), []),
    ],
)
def test_differences_in_words(other, words):
    found = list(differences(describe(other), describe(layer(fast_sigmoid))))
    assert len(found) == len(words)
    assert all(word in line for word, line in zip(words, found, strict=True))


def test_a_description_is_plain_json_and_survives_it():
    network = layer(partial(triangle, height=0.3))
    description = json.loads(json.dumps(describe(network)))
    assert description == describe(network)
    assert not list(differences(description, describe(network)))
    assert describe(rebuild(description, network.state_dict())) == description


def test_the_order_of_channels_in_memory_is_kept():
    for n_in in (1, 3):
        connection = nn.Conv2d(n_in, 2, 3).to(memory_format=torch.channels_last)
        again = rebuild(describe(connection), connection.state_dict())
        assert again.weight.stride() == connection.weight.stride()
        assert torch.equal(again.weight, connection.weight)


def test_mode_is_kept_part_by_part():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    network[1].eval()
    again = rebuild(describe(network), network.state_dict())
    assert [part.training for part in again.modules()] == [True, True, False]


def test_what_changes_while_a_network_learns_is_no_difference():
    one, other = (prepare(mlp([2, 2], (8, 6))) for _ in range(2))
    select_task(one, 1)
    assert describe(one) != describe(other)
    assert not list(differences(describe(one), describe(other)))


def test_what_hangs_on_a_part_cannot_be_kept():
    network = nn.Linear(2, 2)
    network.register_forward_hook(lambda *_: None)
    with pytest.raises(ValueError, match="'_forward_hooks' is a function, which a file cannot hold"):
        rebuild(describe(network), network.state_dict())
    assert not list(differences(describe(network), describe(nn.Linear(2, 2))))


def test_a_buffer_that_no_file_keeps_is_named():
    network = nn.Linear(2, 2)
    network.register_buffer("table", torch.ones(2), persistent=False)
    with pytest.raises(ValueError, match="'table' is a buffer that is not kept"):
        rebuild(describe(network), network.state_dict())
