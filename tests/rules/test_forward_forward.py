"""The forward-forward algorithm against a calculation by hand."""

import copy

import pytest
import torch
from few_blocks import convolutional, gradients, images, plain_dense
from torch.nn import functional as F

from workbench.rules import forward_forward
from workbench.rules.forward_forward import ForwardForward


def test_forward_forward_by_hand():
    net = plain_dense((12, 7, 6))
    x, y = torch.rand(5, 12, dtype=torch.double), torch.tensor([0, 1, 2, 3, 0])
    _, ours = gradients(forward_forward.gradients, net, x, y, params=ForwardForward(0.7, 2.0))
    wrong = torch.tensor([1, 3, 1, 0, 2])
    assert forward_forward.wrong_labels(y, 4).equal(wrong)
    other = copy.deepcopy(net)
    other.zero_grad()
    for labels, sign in ((y, 1.0), (wrong, -1.0)):
        h = x.clone()
        h[:, :4] = 2.0 * F.one_hot(labels, 4) * x.max(1, keepdim=True).values
        for block in other.blocks:
            h = block(h / h.square().mean(1, keepdim=True).sqrt())
            (F.softplus(-sign * (h.square().mean(1) - 0.7)).mean() / 2).backward()
            h = h.detach()
    for name, parameter in other.blocks.named_parameters():
        assert torch.allclose(ours[f"blocks.{name}"], parameter.grad), name


def test_forward_forward_predicts_the_label_with_the_largest_goodness():
    net = plain_dense((12, 7, 6))
    x = torch.rand(3, 12, dtype=torch.double)
    logits = forward_forward.goodness_logits(net, x)
    h = forward_forward.write_label(x, F.one_hot(torch.tensor([2, 2, 2]), 4).double())
    h = net.blocks[0](forward_forward.unit_activity(h))
    a = net.blocks[1](forward_forward.unit_activity(h))
    assert torch.allclose(logits[:, 2], a.square().mean(1))


def test_wrong_labels_are_wrong_and_all_equally_frequent():
    y = torch.full((90,), 4)
    wrong = forward_forward.wrong_labels(y, 10)
    assert wrong.bincount(minlength=10).tolist() == [10, 10, 10, 10, 0, 10, 10, 10, 10, 10]


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (
            lambda net, x, y: forward_forward.gradients(net, x[:, :, :3, :3], y),
            "9 values have no room for a label of 10",
        ),
        (lambda net, x, y: forward_forward.wrong_labels(y, 1), "at least two classes, got 1"),
    ],
)
def test_bad_input_is_quoted(run, words):
    with pytest.raises(ValueError, match=words):
        run(convolutional(), *images())
