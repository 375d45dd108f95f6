"""Small networks of blocks in float64, images for them, and what a rule makes of both: for tests only."""

import torch
from torch import nn

from workbench.networks.block_networks import dense_network, mini_conv
from workbench.rules.lls import local_head


def images(batch=6, side=12, channels=1):
    generator = torch.Generator().manual_seed(batch)
    x = torch.randn(batch, channels, side, side, generator=generator, dtype=torch.double)
    return x, torch.randint(0, 10, (batch,), generator=generator)


def convolutional(make_head=None):
    torch.manual_seed(0)
    return mini_conv(10, 1, make_head).double()


def plain_dense(sizes=(8, 7, 6), classes=4):
    """Without batch normalisation, so that a gradient can be written down in one line."""
    torch.manual_seed(0)
    return dense_network(sizes, classes, normalize=False).double()


def gradients(rule, net, *batch, **options):
    net.zero_grad()
    report = rule(net, *batch, **options)
    return report, {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


def same(ours, theirs, tolerance=1e-12):
    assert ours.keys() == theirs.keys()
    for name in theirs:
        assert torch.allclose(ours[name], theirs[name], atol=tolerance), name


def with_local_heads(make=mini_conv, channels=1, seed=0, **head):
    torch.manual_seed(seed)
    net = make(10, channels, local_head(10, **head)).double()
    for module in net.modules():  # scales and shifts that matter
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return net
