"""Feedback alignment against a calculation by hand."""

import pytest
import torch
from few_blocks import convolutional, gradients, images, plain_dense, same
from torch.nn import functional as F

from workbench.networks.block_networks import mobilenet
from workbench.rules import backprop, feedback_alignment
from workbench.rules.feedback_alignment import FeedbackAlignment


def test_feedback_equal_to_the_weights_is_backpropagation():
    for net, side, channels in ((convolutional(), 12, 1), (mobilenet(10).double(), 32, 3)):
        x, y = images(4, side, channels)
        weights = tuple(c.weight.detach().clone() for c in feedback_alignment.connections(net))
        _, aligned = gradients(feedback_alignment.gradients, net, x, y, params=FeedbackAlignment(weights))
        _, exact = gradients(backprop.gradients, net, x, y)
        same(aligned, exact, 1e-11)


def test_feedback_alignment_by_hand():
    net = plain_dense()
    x, y = torch.randn(5, 8, dtype=torch.double), torch.tensor([0, 1, 2, 3, 0])
    params = feedback_alignment.feedback_weights(net, seed=3)
    _, ours = gradients(feedback_alignment.gradients, net, x, y, params=params)
    (w1, b1), (w2, b2) = ((block.body[-2].weight, block.body[-2].bias) for block in net.blocks)
    a1 = F.leaky_relu(x @ w1.T + b1, 0.01)
    a2 = F.leaky_relu(a1 @ w2.T + b2, 0.01)
    e = (net.classifier(a2).softmax(1) - F.one_hot(y, 4)) / 5
    slope = lambda a: torch.where(a > 0, 1.0, 0.01)  # noqa: E731
    d2 = (e @ params.feedback[2]) * slope(a2)
    d1 = (d2 @ params.feedback[1]) * slope(a1)
    assert torch.allclose(ours["classifier.weight"], e.T @ a2)
    assert torch.allclose(ours["blocks.1.body.0.weight"], d2.T @ a1)
    assert torch.allclose(ours["blocks.0.body.1.weight"], d1.T @ x)
    assert torch.allclose(ours["blocks.0.body.1.bias"], d1.sum(0))


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (
            lambda net, x, y: feedback_alignment.gradients(net, x, y, FeedbackAlignment(())),
            r"use feedback_weights\(network\)",
        ),
    ],
)
def test_bad_input_is_quoted(run, words):
    with pytest.raises(ValueError, match=words):
        run(convolutional(), *images())
