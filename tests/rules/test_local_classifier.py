"""Local classifiers against autograd of each block alone."""

import copy

import pytest
from few_blocks import convolutional, gradients, images, same
from torch.nn import functional as F

from workbench.rules import local_classifier


def test_local_classifiers_are_trained_with_their_block():
    net, (x, y) = convolutional(local_classifier.trained_head(10)), images()
    report, ours = gradients(local_classifier.gradients, net, x, y)
    other = copy.deepcopy(net)
    other.zero_grad()
    for block, head in zip(other.blocks, other.heads, strict=True):
        a = block.features(x.detach())
        F.cross_entropy(block.latents(a) @ head.weight.T, y).backward()
        x = block.between(a)
    loss = F.cross_entropy(other.classifier(x.detach()), y)
    loss.backward()
    same(ours, {name: p.grad for name, p in other.named_parameters()}, 1e-11)
    assert report.loss == pytest.approx(loss.item())
