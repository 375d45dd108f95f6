"""Every rule against its own plain text: the fast path of a live dense or recurrent network gives the same numbers."""

from functools import partial

import pytest
import torch
from live_network import CLASSES, KAPPA, NEURON, RULES, live, margin, scaled_rows
from torch import nn

from workbench.credit.bases import dct
from workbench.networks.block_networks import dense_network
from workbench.networks.spiking import layers_with_memory, stacked_weights
from workbench.neurons.surrogate import psi_gesture
from workbench.rules import lls


def by_definition(rule, network, x, y, k):
    """`.grad` of every parameter as the plain text has it."""
    network.zero_grad()
    matrices = stacked_weights(network)
    plain = rule.plain(
        [W.detach() for W in matrices],
        scaled_rows(network, x),
        x,
        y,
        last_steps=k,
        neuron=NEURON,
        psi=psi_gesture,
        readout_decay=KAPPA,
    )
    for W, update in zip(matrices, plain, strict=True):
        W.backward(update, retain_graph=True)
    return {name: p.grad.clone() for name, p in network.named_parameters()}


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-13), (torch.float32, 2e-6)])
@pytest.mark.parametrize("k", [None, 5])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("name", RULES)
def test_the_fast_form_gives_the_numbers_of_the_plain_text(name, recurrent, k, dtype, bound):
    network, x, y = live(recurrent, dtype)
    assert margin(network, x) > 2e-5
    expected = by_definition(RULES[name], network, x, y, k)
    network.zero_grad()
    report = RULES[name].fast(network, x, y, k)
    assert all(0.05 < rate < 0.8 for rate in report.spike_rates.values())
    for parameter, wanted in expected.items():
        found = dict(network.named_parameters())[parameter].grad
        assert wanted.norm() > 1e-3, parameter
        assert float((found - wanted).norm() / wanted.norm()) < bound, parameter


@pytest.mark.parametrize("kind", [torch.int32, torch.int16])
@pytest.mark.parametrize("name", RULES)
def test_labels_of_any_integers_are_taken(name, kind):
    network, x, y = live(recurrent=False, dtype=torch.float64)
    expected = by_definition(RULES[name], network, x, y, None)
    found = by_definition(RULES[name], network, x, y.to(kind), None)
    assert all(torch.equal(found[parameter], wanted) for parameter, wanted in expected.items())


def test_the_plain_texts_differ_from_one_another():
    """On a live network no two of the rules are the same: the comparison above is not of zeros or of one rule."""
    network, x, y = live(recurrent=True, dtype=torch.float64)
    found = [by_definition(rule, network, x, y, 5) for rule in RULES.values()]
    updates = [torch.cat([g.flatten() for name, g in each.items() if "hidden" in name]) for each in found]
    for k, one in enumerate(updates):
        for other in updates[k + 1 :]:
            assert float((one - other).norm() / one.norm()) > 0.05


def test_stacked_weights_without_bias_and_without_standardisation():
    network, *_ = live(recurrent=True, dtype=torch.float64, standardize=False, bias=False)
    first, second, readout = stacked_weights(network)
    assert first.shape == (9, 11 + 1 + 9)
    assert second.shape == (7, 9 + 1 + 7)
    assert readout.shape == (CLASSES, 7 + 1)
    assert not first[:, 11].any()
    layer = list(layers_with_memory(network).values())[1]
    assert torch.equal(second[:, :9], layer.connection.weight)
    assert torch.equal(second[:, 10:], layer.recurrent.weight)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-13), (torch.float32, 2e-6)])
def test_lls_gives_the_numbers_of_its_plain_text(dtype, bound):
    torch.manual_seed(2)
    maker = lls.local_head(CLASSES, dct)
    network = dense_network([11, 9, 7], CLASSES, maker, normalize=False).to(dtype)
    x, y = torch.rand(6, 11, dtype=dtype), torch.arange(6) % CLASSES
    lls.gradients(network, x, y, lls.LLS(temperature=0.3))
    maps = [m for m in network.modules() if isinstance(m, nn.Linear)]
    matrices = [torch.cat([m.weight, m.bias[:, None]], 1).detach() for m in maps]
    waves = [head.basis for head in lls.local_heads(network)]
    plain = partial(lls.by_definition, matrices, waves, x, y.int())
    for m, wanted, other in zip(maps, plain(0.3), plain(0.5), strict=True):
        found = torch.cat([m.weight.grad, m.bias.grad[:, None]], 1)
        assert float((found - wanted).norm() / wanted.norm()) < bound
        assert m is network.classifier or not torch.allclose(found, other, rtol=0.01)
