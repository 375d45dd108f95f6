"""Weights from a seed: what is drawn, what is left alone, and two threads that draw at once."""

import threading
from functools import partial
from importlib import import_module

import pytest
import torch
from gate import PATIENCE, Door
from torch import nn

from workbench.networks import architectures, block_networks, resnet
from workbench.networks.seeded import seeded

module = import_module("workbench.networks.seeded")  # the face gives the function of this name


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_it_draws_what_a_seeded_generator_draws_and_leaves_no_trace():
    torch.manual_seed(3)
    expected = nn.Linear(4, 3)
    torch.manual_seed(42)
    torch.rand(5)
    before = torch.get_rng_state()
    with seeded(3):
        drawn = nn.Linear(4, 3)
        with seeded(9):  # a maker inside another
            nn.Linear(2, 2)
        second = nn.Linear(4, 3)
    assert same(drawn, expected)
    assert not same(second, expected)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.initial_seed() == 42
    with pytest.raises(RuntimeError), seeded(1):
        torch.rand(1, 2) @ torch.rand(3, 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_two_threads_that_draw_by_turns_get_what_each_gets_alone(monkeypatch):
    """The first one inside goes on drawing when the second one has come to the lock."""
    alone, together = {}, {}
    door = Door(module._DRAWING)

    def draw(seed, into):
        with seeded(seed):
            first = torch.rand(3)
            if into is together:
                door.wait_for(2)
            into[seed] = torch.cat([first, torch.rand(3)])

    for seed in (0, 1):
        draw(seed, alone)
    monkeypatch.setattr(module, "_DRAWING", door)
    threads = [threading.Thread(target=draw, args=(seed, together)) for seed in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert all(torch.equal(alone[seed], together[seed]) for seed in (0, 1))


MAKERS = [
    block_networks.mini_conv,
    block_networks.small_conv,
    partial(block_networks.dense_network, [6, 5], 3),
    partial(architectures.spiking_small_conv, 3),
    partial(architectures.spiking_resnet18, 3, stages=(4, 8)),
    partial(architectures.sound_network, 7, 6, 5),
    resnet.resnet20,
]


@pytest.mark.parametrize("make", MAKERS)
def test_makers_depend_on_their_seed_only(make):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, again, other = make(), make(seed=0), make(seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert same(first, again)
    assert not same(first, other)
    torch.manual_seed(8)
    assert same(first, make())
