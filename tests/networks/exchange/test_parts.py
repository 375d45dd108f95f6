"""Networks of this library as parts and edges, and back."""

import own_networks
import pytest
import torch
from torch import nn

from workbench.networks.architectures import spiking_resnet18, spiking_small_conv
from workbench.networks.exchange.parts import network_of, parts_of
from workbench.networks.layers import LeakyReadout, SpikingLayer, TimeDropout
from workbench.networks.spiking import SpikingMLP, SpikingSequential, spiking_logits
from workbench.networks.taken_spiking import TakenSpiking, take_spiking

NETWORKS = {
    "dense": (lambda: SpikingMLP([32, 9, 7], 3, recurrent=True), (32,)),
    "images": (lambda: spiking_small_conv(3, (2, 8, 8)), (2, 8, 8)),
    "residual": (lambda: spiking_resnet18(3, stages=(2, 3)), (2, 8, 8)),
    "taken": (lambda: take_spiking(own_networks.SpikingStep(), (2, 8, 8)), (2, 8, 8)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_parts_make_the_same_network_again(name):
    make, shape = NETWORKS[name]
    torch.manual_seed(0)
    network = make().double()
    again = network_of(parts_of(network))
    x = (torch.rand(6, 2, *shape) < 0.5).double()
    assert torch.equal(spiking_logits(again, x), spiking_logits(network, x))
    assert isinstance(again, TakenSpiking if name in ("residual", "taken") else SpikingSequential)
    assert {id(p) for p in again.parameters()} == {id(p) for p in network.parameters()}


def test_names_are_those_of_the_modules():
    names = [part.name for part in parts_of(NETWORKS["dense"][0]())]
    assert names == ["flatten", "hidden.0", "hidden.1", "readout"]


def test_masks_are_left_out_where_they_do_nothing():
    network = SpikingSequential(SpikingLayer(nn.Linear(4, 4)), TimeDropout(0.3), LeakyReadout(4, 3))
    with pytest.raises(ValueError, match=r"'1' \(TimeDropout\) drops values at random.*network.eval\(\)"):
        parts_of(network)
    assert [part.name for part in parts_of(network.eval())] == ["0", "2"]


def test_a_network_that_only_its_forward_knows():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = SpikingLayer(nn.Linear(4, 4))

    with pytest.raises(ValueError, match="Own is a network of your own, of which only its forward knows"):
        parts_of(Own())
