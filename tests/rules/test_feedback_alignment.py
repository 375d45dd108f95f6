"""Backpropagation and the rules that replace its error signal, each against a calculation by hand."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.networks.block_networks import dense_network, mini_conv, mobilenet, small_conv
from workbench.networks.blocks import block_logits, feature_shapes
from workbench.rules import backprop, direct_feedback, drtp, feedback_alignment, forward_forward, local_classifier
from workbench.rules.direct_feedback import DirectFeedback, all_positive
from workbench.rules.feedback_alignment import FeedbackAlignment
from workbench.rules.forward_forward import ForwardForward


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


def block_logits_in_training(net, x):
    with torch.no_grad():
        return copy.deepcopy(net)(x)


def test_what_all_rows_of_the_feedback_share_counts_for_drtp_but_not_for_dfa():
    net, (x, y) = convolutional(), images()
    params = direct_feedback.direct_feedback(net, x.shape[1:])
    shifted = DirectFeedback(tuple(B + 5.0 for B in params.feedback))
    _, first = gradients(direct_feedback.gradients, net, x, y, params=params)
    _, second = gradients(direct_feedback.gradients, net, x, y, params=shifted)
    same(first, second)
    weight = "blocks.1.body.1.bias"
    _, first = gradients(drtp.gradients, net, x, y, params=params)
    _, second = gradients(drtp.gradients, net, x, y, params=shifted)
    assert not torch.allclose(first[weight], second[weight], atol=0.1)


def test_all_positive_feedback_pushes_every_unit_the_same_way_in_drtp():
    net, (x, y) = convolutional(), images()
    for draw, alike in ((all_positive, True), (direct_feedback.zero_mean, False)):
        params = direct_feedback.direct_feedback(net, x.shape[1:], draw=draw)
        _, ours = gradients(drtp.gradients, net, x, y, params=params)
        signs = ours["blocks.0.body.1.bias"].sign()
        assert bool((signs == -1.0).all()) == alike


def test_target_projection_is_the_label_s_row():
    net = plain_dense()
    x, y = torch.randn(5, 8, dtype=torch.double), torch.tensor([0, 1, 2, 3, 0])
    params = direct_feedback.direct_feedback(net, (8,))
    _, ours = gradients(drtp.gradients, net, x, y, params=params)
    delta = -params.feedback[0][y] / 5 * torch.where(net.blocks[0](x) > 0, 1.0, 0.01)
    assert torch.allclose(ours["blocks.0.body.1.weight"], delta.T @ x)


def test_feedback_repeats_with_its_seed_and_has_mean_zero():
    net = small_conv()
    first, again, other = (direct_feedback.direct_feedback(net, (1, 28, 28), seed) for seed in (0, 0, 1))
    assert all(a.equal(b) for a, b in zip(first.feedback, again.feedback, strict=True))
    assert not first.feedback[0].equal(other.feedback[0])
    assert first.feedback[0].mean().abs() < 0.01
    weights = feedback_alignment.feedback_weights(net).feedback
    assert [w.shape for w in weights] == [c.weight.shape for c in feedback_alignment.connections(net)]
    assert weights[1].std() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.05)


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


LEARNERS = {
    "bp": (backprop.gradients, lambda net: {}),
    "fa": (feedback_alignment.gradients, lambda net: {"params": feedback_alignment.feedback_weights(net)}),
    "dfa": (direct_feedback.gradients, lambda net: {"params": direct_feedback.direct_feedback(net, (64,))}),
    "drtp": (drtp.gradients, lambda net: {"params": direct_feedback.direct_feedback(net, (64,))}),
    "local-classifiers": (local_classifier.gradients, lambda net: {}),
    "forward-forward": (forward_forward.gradients, lambda net: {}),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_every_rule_learns_two_separate_clouds(name):
    torch.manual_seed(0)
    rule, options = LEARNERS[name]
    centres = torch.randn(4, 64)
    y = torch.arange(80) % 4
    x = centres[y] + 0.3 * torch.randn(80, 64)
    net = dense_network([64, 40, 40], 4, local_classifier.trained_head(4), normalize=name != "forward-forward")
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    arguments = options(net)
    for _ in range(40):
        optimizer.zero_grad()
        rule(net, x, y, **arguments)
        optimizer.step()
    logits = forward_forward.goodness_logits if name == "forward-forward" else block_logits
    fresh = centres[y] + 0.3 * torch.randn(80, 64)
    assert (logits(net, fresh).argmax(1) == y).float().mean() > 0.9


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (
            lambda net, x, y: direct_feedback.gradients(net, x, y, direct_feedback.direct_feedback(net, (1, 28, 28))),
            "16×28×28.* does not fit blocks with 16×12×12",
        ),
        (
            lambda net, x, y: feedback_alignment.gradients(net, x, y, FeedbackAlignment(())),
            r"use feedback_weights\(network\)",
        ),
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


def test_names_of_the_modules_are_those_of_torch():
    assert isinstance(convolutional().blocks[0].body[0], nn.Conv2d)


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
