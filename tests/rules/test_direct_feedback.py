"""Direct feedback alignment against a calculation by hand."""

import copy

import pytest
import torch
from few_blocks import convolutional, gradients, images, plain_dense
from torch.nn import functional as F

from workbench.networks.block_networks import small_conv
from workbench.networks.blocks import feature_shapes
from workbench.rules import direct_feedback, feedback_alignment


def block_logits_in_training(net, x):
    with torch.no_grad():
        return copy.deepcopy(net)(x)


def test_direct_feedback_by_hand():
    net = plain_dense()
    x, y = torch.randn(5, 8, dtype=torch.double), torch.tensor([0, 1, 2, 3, 0])
    params = direct_feedback.direct_feedback(net, (8,), seed=3)
    _, ours = gradients(direct_feedback.gradients, net, x, y, params=params)
    a1 = net.blocks[0](x)
    a2 = net.blocks[1](a1)
    e = (net.classifier(a2).softmax(1) - F.one_hot(y, 4)) / 5
    for index, (a, below) in enumerate(((a1, x), (a2, a1))):
        delta = (e @ params.feedback[index]) * torch.where(a > 0, 1.0, 0.01)
        assert torch.allclose(ours[f"blocks.{index}.body.{1 - index}.weight"], delta.T @ below)
    assert torch.allclose(ours["classifier.weight"], e.T @ a2)


def test_direct_feedback_of_images_has_the_shape_of_each_activation():
    net, (x, y) = convolutional(), images()
    params = direct_feedback.direct_feedback(net, x.shape[1:])
    assert [B.shape[1:] for B in params.feedback] == feature_shapes(net, x.shape[1:])
    _, ours = gradients(direct_feedback.gradients, net, x, y, params=params)
    other = copy.deepcopy(net)
    other.zero_grad()
    a = other.blocks[0].features(x)
    error = (block_logits_in_training(other, x).softmax(1) - F.one_hot(y, 10)) / len(y)
    a.backward(torch.einsum("bc,cfhw->bfhw", error, params.feedback[0]))
    for name in ("body.0.weight", "body.1.weight", "body.1.bias"):
        assert torch.allclose(ours[f"blocks.0.{name}"], other.blocks[0].get_parameter(name).grad, atol=1e-12)


def test_feedback_repeats_with_its_seed_and_has_mean_zero():
    net = small_conv()
    first, again, other = (direct_feedback.direct_feedback(net, (1, 28, 28), seed) for seed in (0, 0, 1))
    assert all(a.equal(b) for a, b in zip(first.feedback, again.feedback, strict=True))
    assert not first.feedback[0].equal(other.feedback[0])
    assert first.feedback[0].mean().abs() < 0.01
    weights = feedback_alignment.feedback_weights(net).feedback
    assert [w.shape for w in weights] == [c.weight.shape for c in feedback_alignment.connections(net)]
    assert weights[1].std() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.05)


def test_feedback_makes_the_signal_as_large_as_the_error():
    """Uniform in ±√(3 / C): each entry has the variance 1 / C, so that a sum over the classes keeps the length of e."""
    for classes in (4, 10):
        B = direct_feedback.zero_mean((classes, 20_000), torch.Generator().manual_seed(0))
        assert float(B.abs().max()) == pytest.approx((3 / classes) ** 0.5, rel=1e-3)
        assert float(B.var()) == pytest.approx(1 / classes, rel=0.03)
        assert float(B.mean().abs()) < 0.01
        e = torch.randn(5, classes, generator=torch.Generator().manual_seed(1))
        rms = (e @ B).square().mean(1).sqrt()
        torch.testing.assert_close(rms, e.square().mean(1).sqrt(), rtol=0.05, atol=0)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (
            lambda net, x, y: direct_feedback.gradients(net, x, y, direct_feedback.direct_feedback(net, (1, 28, 28))),
            "16×28×28.* does not fit blocks with 16×12×12",
        ),
    ],
)
def test_bad_input_is_quoted(run, words):
    with pytest.raises(ValueError, match=words):
        run(convolutional(), *images())
