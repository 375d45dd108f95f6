"""Steps that leave a subspace alone, with every optimiser, against brute force."""

import copy

import pytest
import torch
from conceptor_cases import LAYERS, OPTIMIZERS, basis, random_conceptor, small_network
from torch import nn
from torch.nn import functional as F

from workbench.continual.conceptors import dense
from workbench.continual.projected_step import columns, descend, is_plain_sgd, layer_inputs, projected_step
from workbench.continual.protected import Mixing, prepare, protected_layers
from workbench.credit.classifier import learn_from_outputs


@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_columns_meet_the_rows_of_the_weights(make, shape):
    layer, x = make().double(), torch.randn(shape).double()
    y = layer(x) if layer.bias is None else layer(x) - layer.bias.view(-1, *[1] * (2 if len(shape) == 4 else 0))
    groups = getattr(layer, "groups", 1)
    X, W = columns(layer, x), layer.weight.flatten(1)
    if len(shape) == 4 and isinstance(layer, nn.Conv2d):
        pieces = X.unflatten(1, (shape[0], groups, -1))  # (d, batch, groups, places)
        rows = torch.einsum("god,dbgp->bgop", W.unflatten(0, (groups, -1)), pieces)
        torch.testing.assert_close(rows.flatten(1, 2), y.flatten(2), rtol=0, atol=1e-12)
    else:
        torch.testing.assert_close(W @ X, y.flatten(0, -2).T, rtol=0, atol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("k", [2, 7])
def test_every_optimiser_steps_by_its_own_step_times_what_is_left(optimizer, k):
    """Against the same optimiser on a plain layer: ΔW = (plain step) (I − C) for the first step."""
    plain = nn.Linear(9, 5).double()
    network = prepare(copy.deepcopy(plain))
    network.protect(random_conceptor(9, k))
    x, y = torch.randn(8, 9).double(), torch.randint(5, (8,))
    before = plain.weight.detach().clone()
    plain_optimizer, ours = optimizer(plain.parameters()), optimizer(network.parameters())
    expected = F.cross_entropy(plain(x), y)
    expected.backward()
    plain_optimizer.step()
    loss = descend(network, ours, lambda: learn_from_outputs(network(x), y))
    remaining = torch.eye(9).double() - dense(network.conceptor)
    torch.testing.assert_close(network.layer.weight, before + (plain.weight - before) @ remaining, rtol=0, atol=1e-12)
    torch.testing.assert_close(network.layer.bias, plain.bias)
    assert loss.loss == pytest.approx(expected.item())


def test_both_ways_of_plain_sgd_agree():
    """Projected inputs (descend) and projected steps give the same weights, for 20 steps with mixings."""
    networks = [prepare(small_network()), None]
    for layer in protected_layers(networks[0]).values():
        d = len(layer.vectors)
        layer.protect(random_conceptor(d, d // 3))
        layer.mix(1, [Mixing(basis(d, 2), torch.eye(2))])
    networks[1] = copy.deepcopy(networks[0])
    optimizers = [torch.optim.SGD(network.parameters(), lr=0.1) for network in networks]
    for _ in range(20):
        x, y = torch.randn(8, 1, 4, 4).double(), torch.randint(3, (8,))
        descend(networks[0], optimizers[0], lambda x=x, y=y: learn_from_outputs(networks[0](x, 1), y))
        optimizers[1].zero_grad()
        F.cross_entropy(networks[1](x, 1), y).backward()
        projected_step(optimizers[1], protected_layers(networks[1]).values())
    for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11)


def test_plain_sgd_is_recognised():
    parameters = [nn.Parameter(torch.zeros(2))]
    assert [is_plain_sgd(make(parameters)) for make in OPTIMIZERS] == [True, False, False, False, False]


def test_inputs_are_taken_without_dropout_and_the_mode_comes_back():
    network = prepare(nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 2)))
    network.train()
    x = torch.randn(3, 6)
    inputs = layer_inputs(network, lambda: network(x))
    assert torch.equal(inputs["1"], x.T)
    assert network.training
    with pytest.raises(RuntimeError):
        layer_inputs(network, lambda: network(torch.randn(3, 5)))
    assert not network[1]._forward_pre_hooks
