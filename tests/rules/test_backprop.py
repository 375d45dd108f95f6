"""Backpropagation of a network of blocks against torch's, and what it is not: local."""

import copy

import pytest
import torch
from few_blocks import convolutional, gradients, images, same
from torch import nn
from torch.nn import functional as F

from workbench.networks.block_networks import mini_conv
from workbench.rules import backprop


def test_backpropagation_is_torch_s():
    net, (x, y) = convolutional(), images()
    report, ours = gradients(backprop.gradients, net, x, y)
    other = copy.deepcopy(net)
    other.zero_grad()
    loss = F.cross_entropy(other(x), y)
    loss.backward()
    same(ours, {name: p.grad for name, p in other.named_parameters()})
    assert report.loss == pytest.approx(loss.item())
    assert (report.spike_rates, report.state_bytes) == ({}, 0)


def test_backpropagation_is_not_local():
    torch.manual_seed(0)
    net, (x, y) = mini_conv(), images(side=16)
    _, before = gradients(backprop.gradients, net, x.float(), y)
    nn.init.normal_(net.classifier.weight)
    _, after = gradients(backprop.gradients, net, x.float(), y)
    assert not before["blocks.0.body.0.weight"].equal(after["blocks.0.body.0.weight"])
