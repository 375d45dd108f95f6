"""Residual networks: sizes, shortcuts, names of published files."""

import torch
from torch import nn

from workbench.networks import resnet as imagenet_resnet
from workbench.networks.resnet import pad_shortcut, resnet20


def test_resnet20_has_the_papers_size_and_stages():
    network = resnet20()
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) + 1 == 20
    assert sum(p.numel() for p in network.parameters()) == 269_722  # the paper's 0.27 M
    shapes = [network.layer1, network.layer2, network.layer3]
    x = torch.randn(2, 16, 32, 32)
    for stage, expected in zip(shapes, [(16, 32), (32, 16), (64, 8)], strict=True):
        x = stage(x)
        assert x.shape == (2, expected[0], expected[1], expected[1])


def test_shortcut_takes_every_second_pixel_and_pads_channels_on_both_sides():
    x = torch.randn(2, 4, 6, 6)
    y = pad_shortcut(x, 2, 4)
    torch.testing.assert_close(y[:, 2:6], x[:, :, ::2, ::2])
    assert y.shape == (2, 8, 3, 3)
    assert not y[:, :2].any()
    assert not y[:, 6:].any()


def test_imagenet_networks_have_the_names_of_published_files():
    with torch.device("meta"):
        networks = [imagenet_resnet.resnet18(), imagenet_resnet.resnet34()]
    assert [sum(p.numel() for p in n.parameters()) for n in networks] == [11_689_512, 21_797_672]
    assert [len(n.state_dict()) for n in networks] == [122, 218]
    names = set(networks[0].state_dict())
    assert {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight"} <= names
    assert {"layer2.0.downsample.1.num_batches_tracked", "layer4.1.bn2.bias", "fc.weight", "fc.bias"} <= names
