"""What is drawn while a network learns is drawn again from the same place, and nothing else is touched."""

import pytest
import torch
from torch import nn

from workbench.networks.layers import TimeDropout
from workbench.training.chance import drawing, drawing_state, restore_drawing


@pytest.mark.parametrize("layer", [nn.Dropout(0.5), nn.Dropout2d(0.5), nn.AlphaDropout(0.5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_masks_go_on_where_they_were_left(layer, dtype):
    network, x = nn.Sequential(nn.Identity(), layer), torch.ones(2, 3, 8, 8, dtype=dtype)
    network(x)
    state = drawing_state(network)
    first, second = network(x), network(x)
    assert not torch.equal(first, second)
    torch.rand(7)
    restore_drawing(state)
    assert torch.equal(network(x), first)
    assert torch.equal(network(x), second)


def test_masks_of_whole_sequences_go_on_too():
    layer, x = TimeDropout(0.5), torch.ones(4, 3, 50)
    state = drawing_state(layer)
    first = layer.masked(x, {})
    assert not torch.equal(layer.masked(x, {}), first)
    restore_drawing(state)
    assert torch.equal(layer.masked(x, {}), first)


def test_a_network_that_draws_nothing_leaves_the_generator_alone():
    state = drawing_state(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
    assert state is None
    torch.rand(3)
    before = torch.get_rng_state()
    restore_drawing(state)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_belongs_to_a_seed_is_drawn_again_and_nothing_else_is_disturbed():
    network, x = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)), torch.ones(8, 4)
    before, drawn = torch.get_rng_state(), []
    for seed in (1, 1, 2):
        with drawing(network, seed):
            drawn.append(network(x) == 0)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    linear = nn.Linear(4, 4)
    before = torch.get_rng_state()
    with drawing(linear, 1):  # which draws nothing: torch goes on as it would have
        number = torch.rand(1)
    torch.set_rng_state(before)
    assert torch.equal(torch.rand(1), number)
