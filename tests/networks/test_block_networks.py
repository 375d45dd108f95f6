"""Block networks: the published sizes, equality with plain torch, statistics renewed for averaged weights."""

import copy

import pytest
import torch
from few_blocks import convolutional
from torch import nn
from torch.nn import functional as F

from workbench.networks import block_networks as nets
from workbench.networks.blocks import (
    block_logits,
    check_examples,
    dense_block,
    feature_shapes,
    parameter_groups,
    refresh_statistics,
)
from workbench.rules.lls import local_head


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("make", "shape", "widths", "latents"),
    [
        (nets.small_conv, (1, 28, 28), "32–64–128–512–10", [512, 256, 512, 512]),
        (nets.small_conv_l, (3, 32, 32), "96–192–512–1024–10", [1536, 768, 2048, 2048]),
        (nets.mini_conv, (1, 28, 28), "16–32–64–256–10", [256, 128, 256, 256]),
        (nets.vgg8, (3, 32, 32), "128–256–256–256–512–512–1024–10", [2048, 1024, 1024, 1024, 2048, 2048, 1024]),
    ],
)
def test_published_widths_and_latents(make, shape, widths, latents):
    net = make(10, shape[0])
    assert net.describe() == widths
    assert [block.n_latents() for block in net.blocks] == latents
    x = torch.randn(2, *shape)
    for block, n in zip(net.blocks, latents, strict=True):
        a = block.features(x)
        assert block.latents(a).shape == (2, n)
        x = block.between(a)
    assert net.classifier(x).shape == (2, 10)


def test_mobilenet_for_visual_wake_words():
    net = nets.mobilenet()
    assert net.describe() == "32–64–128–128–256–256–512–512–512–512–512–512–1024–1024–2"
    sides = [shape[1] for shape in feature_shapes(net, (3, 128, 128))]
    assert sides == [64, 64, 32, 32, 16, 16, 8, 8, 8, 8, 8, 8, 4, 4]
    assert [block.cells for block in net.blocks] == [8, 4, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1]
    assert net(torch.randn(2, 3, 64, 64)).shape == (2, 2)


def test_small_conv_equals_plain_torch():
    torch.manual_seed(0)
    net, x = nets.small_conv(10, 3), torch.randn(4, 3, 32, 32)
    c1, c2, c3, fc = (block.body for block in net.blocks)
    h = F.max_pool2d(c1(x), 2)
    h = F.max_pool2d(c2(h), 2)
    h = fc(F.adaptive_avg_pool2d(c3(h), 2).flatten(1))
    assert torch.allclose(net(x), net.classifier(h), atol=1e-6)
    assert [type(m) for m in c1] == [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU]
    assert (c1[0].kernel_size, c1[0].padding, c1[0].bias is not None) == ((3, 3), (1, 1), True)
    assert c1[2].negative_slope == 0.01
    assert parameters(net) == sum([32 * 28 + 64, 64 * 289 + 128, 128 * 577 + 256, 512 * 513 + 1024, 10 * 513])


def test_pooling_before_latents_changes_what_they_average_and_nothing_else():
    torch.manual_seed(0)
    net = nets.small_conv().double().eval()
    pooled, x = nets.pool_before_latents(copy.deepcopy(net)), torch.randn(3, 1, 28, 28, dtype=torch.double)
    assert pooled(x).equal(net(x))
    assert pooled.state_dict().keys() == net.state_dict().keys()
    for before, after in zip(net.blocks, pooled.blocks, strict=True):
        assert after.n_latents() == before.n_latents()
        a = before.features(x)
        received = F.max_pool2d(a, 2) if before in list(net.blocks)[:2] else a
        assert after.features(x).equal(received)
        assert after.latents(after.features(x)).equal(before.latents(received))
        x = before.between(a)
    assert not any(isinstance(m, nn.MaxPool2d) for block in pooled.blocks for m in block.between)


def test_latents_after_pooling_teach_the_largest_of_each_window_only():
    torch.manual_seed(0)
    block = nets.pool_before_latents(nets.small_conv()).blocks[0]
    a = block.body[:3](torch.randn(2, 1, 28, 28)).detach().requires_grad_()
    z = block.latents(block.body[3](a))
    z.backward(torch.ones_like(z))
    windows = a.detach().unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    taught = a.grad.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    assert (taught != 0).sum(-1).eq(1).all()
    assert taught.argmax(-1).equal(windows.argmax(-1))


def test_more_latents_than_units_repeat_units():
    block = nets.small_conv_l().blocks[-1]
    a = torch.randn(3, 1024)
    assert block.latents(a).equal(a.repeat_interleave(2, dim=1))


def test_latents_of_a_dense_block_are_averages_of_neighbours():
    a = torch.randn(3, 12)
    assert torch.allclose(dense_block(5, 12, 4).latents(a), a.view(3, 4, 3).mean(2))
    assert dense_block(5, 12).latents(a) is a


def test_dense_network_takes_images():
    net = nets.dense_network([64, 30, 20], 5)
    assert net(torch.randn(3, 1, 8, 8)).shape == (3, 5)
    assert len(nets.dense_network([64, 30], 5, normalize=False).blocks[0].body) == 3


def test_weights_lie_channels_last_and_change_no_number():
    torch.manual_seed(0)
    net, x = nets.small_conv(10, 3).double(), torch.randn(4, 3, 32, 32, dtype=torch.double)
    other = copy.deepcopy(net).to(memory_format=torch.contiguous_format)
    weight = "blocks.1.body.0.weight"
    assert net.get_parameter(weight).is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(net(x), other(x), atol=1e-12)


def test_large_finite_numbers_are_no_fault():
    y = torch.tensor([0, 1])
    check_examples(nets.mini_conv(), torch.full((2, 1, 8, 8), 3e38), y)
    with pytest.raises(ValueError, match="NaN"):
        check_examples(nets.mini_conv(), torch.full((2, 1, 8, 8), float("inf")), y)


def test_every_parameter_is_in_one_group():
    net = nets.small_conv(10, 1, local_head(10))
    grouped = [p for group in parameter_groups(net) for p in group["params"]]
    assert {id(p) for p in grouped} == {id(p) for p in net.parameters()}
    assert len(grouped) == len(list(net.parameters()))


def test_logits_use_running_statistics_and_leave_the_network_in_training():
    torch.manual_seed(0)
    net, x = nets.mini_conv(), torch.randn(5, 1, 28, 28)
    alone = torch.cat([block_logits(net, x[i : i + 1]) for i in range(5)])
    assert torch.allclose(block_logits(net, x), alone, atol=1e-5)
    assert net.training
    assert not net(x).allclose(alone, atol=1e-2)


def test_refreshed_statistics_are_the_mean_over_the_batches():
    torch.manual_seed(0)
    net = nets.dense_network([6, 4], 3).double()
    norm, linear = net.blocks[0].body[2], net.blocks[0].body[1]
    norm.running_mean.fill_(9.0)
    batches = [torch.randn(8, 6, dtype=torch.double) for _ in range(3)]
    refresh_statistics(net, batches)
    outputs = torch.stack([linear(x) for x in batches])
    assert torch.allclose(norm.running_mean, outputs.mean((0, 1)))
    assert torch.allclose(norm.running_var, outputs.var(1).mean(0))
    assert norm.momentum == 0.1
    assert net.training


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nets.dense_network([5], 3), r"at least one block, all positive, got \[5\]"),
        (
            lambda: check_examples(nets.mini_conv(), torch.zeros(0, 1, 8, 8), torch.zeros(0, dtype=torch.long)),
            "got shape",
        ),
        (
            lambda: check_examples(nets.mini_conv(), torch.zeros(2, 1, 8, 8), torch.tensor([0, 10])),
            r"0\.\.9, got 0\.\.10",
        ),
    ],
)
def test_bad_input_is_quoted(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_names_of_the_modules_are_those_of_torch():
    assert isinstance(convolutional().blocks[0].body[0], nn.Conv2d)
