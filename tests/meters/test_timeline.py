"""Kept bytes from moment to moment of a training step."""

import math
import weakref

import pytest
import torch
import torch.nn.functional as F
from few_activations import residual_free_network

from workbench.compression.lance import compress
from workbench.compression.memory import kept_by_formula
from workbench.meters.timeline import Moment, memory_timeline, network_tensors, saved_bytes, saved_tensors
from workbench.watch.bytes_in_a_step import alive, place_names

double = pytest.mark.usefixtures("in_double_precision")


@double
def test_the_plain_network_keeps_norm_inputs_and_relu_outputs_too():
    net, x = residual_free_network(), torch.randn(6, 3, 8, 8)
    big = [block for block in saved_tensors(lambda: net(x), [*network_tensors(net), x]) if len(block.shape) == 4]
    # three norm inputs, and three ReLU outputs of which two are also inputs of convolutions
    assert [block.bytes for block in big] == [6 * 8 * 8 * 8 * 8] * 6


@double
def test_the_timeline_rises_in_the_forward_pass_and_falls_back_to_nothing():
    net, x, y = residual_free_network(), torch.randn(6, 3, 8, 8), torch.arange(6) % 4
    for network in (net, compress(net, [x], layers=["3", "6"])):
        ignore = [*network_tensors(network), x, y]
        step = lambda network=network: F.cross_entropy(network(x), y).backward()  # noqa: E731
        moments = memory_timeline(network, step, ignore)
        changes = [moment.change for moment in moments]
        assert [moment.total for moment in moments] == list(torch.tensor(changes).cumsum(0))
        assert moments[-1].total == 0
        assert max(moment.total for moment in moments) == saved_bytes(step, ignore)
        kept = {block.bytes for block in saved_tensors(lambda network=network: network(x), ignore)}
        assert kept <= {change for change in changes if change > 0}
    layers = {moment.layer: moment.change for moment in moments if moment.change > 0}
    core = math.prod(layer.ranks[i] or layer.sizes[i] for layer in kept_by_formula(network, 6)[:1] for i in range(4))
    assert layers["3"] == core * 8
    assert layers["2"] == 6 * 8 * 8 * 8 // 8
    assert "4" not in layers


@double
def test_kept_bytes_stay_constant_while_training():
    net, x, y = residual_free_network(), torch.randn(6, 3, 8, 8), torch.arange(6) % 4
    lance = compress(net, [x])
    optimiser = torch.optim.SGD(lance.parameters(), lr=0.1)
    kept = set()
    for _ in range(5):
        kept.add(saved_bytes(lambda: lance(x), network_tensors(lance)))
        optimiser.zero_grad()
        F.cross_entropy(lance(x), y).backward()
        optimiser.step()
    assert len(kept) == 1


def test_moments_are_placed_forwards_and_backwards():
    moments = [Moment("a.block", 8, 8), Moment("b", 4, 12), Moment("", 1, 13), Moment("", -1, 12)]
    moments += [Moment("b", -4, 8), Moment("a.block.x", 2, 10), Moment("a.block.x", -2, 8), Moment("a.block", -8, 0)]
    curve = alive(moments, ["a.x", "b"])
    assert curve.places == [0, 1, 2, 2, 3, 4, 4, 4]
    assert curve.bytes == [8, 12, 13, 12, 8, 10, 8, 0]
    assert curve.peak == 13
    assert place_names(["a", "b"]) == ["a", "b", "loss", "b", "a"]


def test_a_graph_that_is_not_run_backwards_goes_with_its_result():
    x, made = torch.ones(100, requires_grad=True), []

    def step():
        made.append(weakref.ref(y := x.rsqrt()))
        return y

    assert [block.bytes for block in saved_tensors(step, [x])] == [400]
    assert [moment.change for moment in memory_timeline(torch.nn.Identity(), step, [x])] == [400, -400]
    assert [each() for each in made] == [None, None]
