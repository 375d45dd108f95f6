"""Every two rules on one live network: their updates differ, unless theory says that they are the same.

A test that compares rules only where they agree cannot see that a rule has quietly become another one. Here every pair
of `RULES` is compared, in direction and not only in length; a new rule takes part without a line here, and is expected
to differ from all others.
"""

import itertools
from typing import NamedTuple

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.networks.block_networks import mini_conv
from workbench.networks.spiking import SpikingMLP, spiking_layers
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import fast_sigmoid
from workbench.neurons.traces import Factors
from workbench.rule import Steps
from workbench.rules import RULES, backprop, direct_feedback, feedback_alignment, lls, local_classifier
from workbench.rules.lls import LLS, local_head, mixing, per_class

pytestmark = pytest.mark.usefixtures("unchecked")

SPIKING = {rule.name: rule.for_spiking for rule in RULES if rule.for_spiking is not None}
BLOCKS = {rule.name: rule.for_blocks for rule in RULES if rule.for_blocks is not None}
DTYPES = [torch.float32, torch.float64]
DECAY = Factors().lambda_pre  # of the membranes: where S-TLLR remembers as they do, its causal part is OTTT
CLASSES = 4


class Case(NamedTuple):
    """A network and an input length, and the rules that are one and the same there, with the reason."""

    sizes: tuple[int, ...]
    recurrent: bool
    readout_decay: float
    steps: int
    equal: dict[frozenset[str], str]


CASES = {
    "two recurrent layers, leaky readout": Case(
        (20, 18, 16), True, 0.8, 12, {frozenset({"stllr-causal", "ottt"}): "λ_pre = γ, and no non-causal term"}
    ),
    "two layers, memoryless readout": Case(
        (20, 18, 16),
        False,
        0.0,
        12,
        {frozenset({"stllr-causal", "ottt", "eprop"}): "λ_pre = γ; e-prop filters by κ = 0, that is not at all"},
    ),
    "one layer, leaky readout": Case(
        (20, 16),
        False,
        0.8,
        12,
        {
            frozenset(
                {"stllr-causal", "ottt", "ndot"}
            ): "λ_pre = γ; no layer sees spikes of another, whose traces differ",
            frozenset({"bptt", "eprop"}): "no path leads through another spike, and κ is the readout's decay",
        },
    ),
    "one layer, memoryless readout": Case(
        (20, 16),
        False,
        0.0,
        12,
        {frozenset({"bptt", "stllr-causal", "ottt", "ndot", "eprop"}): "no error comes from a later step"},
    ),
    "one step": Case(
        (20, 18, 16),
        True,
        0.8,
        1,
        {
            frozenset(
                {"bptt", "stllr", "stllr-causal", "ottt", "ndot", "eprop", "tess-released"}
            ): "nothing to remember: plain backpropagation, also of the training loop published for TESS"
        },
    ),
}


def direction(update):
    return update / update.norm()


def assert_updates_differ(one, other):
    """Not in length alone: the angle between the two is more than half a degree."""
    assert float((direction(one) * direction(other)).sum()) < 1 - 4e-5


def assert_updates_agree(one, other):
    torch.testing.assert_close(one, other, rtol=0, atol=(1e-5 if one.dtype == torch.float32 else 1e-13) * one.norm())


def update_of(network, modules, rule, *batch):
    """All gradients of these modules as one vector, after making sure that there are any."""
    network.zero_grad(set_to_none=True)
    rule(network, *batch)
    parts = [p.grad.flatten() for module in modules for p in module.parameters() if p.grad is not None]
    assert all(bool(part.isfinite().all()) for part in parts)
    update = torch.cat(parts).clone()
    assert float(update.norm()) > 0
    return update


def live_network(case, dtype):
    """Spikes in every layer, weights and biases that matter."""
    torch.manual_seed(5)
    neuron = Neuron(DECAY, 0.6)
    network = SpikingMLP(
        case.sizes, CLASSES, neuron, fast_sigmoid, recurrent=case.recurrent, readout_decay=case.readout_decay
    )
    for parameter in network.parameters():
        nn.init.normal_(parameter, parameter.detach().mean().item(), 0.4)
    x = (torch.rand(case.steps, 6, case.sizes[0]) < 0.4).to(dtype)
    return network.to(dtype), x, torch.arange(6) % CLASSES


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_spiking_rules_differ_but_where_theory_says_they_do_not(name, dtype):
    case = CASES[name]
    network, x, y = live_network(case, dtype)
    layers, updates = list(spiking_layers(network).values()), {}
    for rule, prepare in SPIKING.items():
        gradients = prepare(network, x, CLASSES, Steps()).gradients
        updates[rule] = update_of(network, layers, gradients, x, y)
    rates = SPIKING["bptt"](network, x, CLASSES, Steps()).gradients(network, x, y).spike_rates
    assert min(rates.values()) > 0.02
    found = {pair for pair in itertools.combinations(updates, 2) if same(updates, *pair)}
    expected = {pair for pair in itertools.combinations(updates, 2) if any(set(pair) <= group for group in case.equal)}
    assert found == expected
    for one, other in itertools.combinations(updates, 2):
        (assert_updates_agree if (one, other) in expected else assert_updates_differ)(updates[one], updates[other])


def same(updates, one, other):
    return float((direction(updates[one]) * direction(updates[other])).sum()) > 1 - 4e-5


def block_network(head, dtype):
    """The same weights whatever hangs on the blocks."""
    torch.manual_seed(0)
    network = mini_conv(CLASSES, 1, head)
    generator = torch.Generator().manual_seed(1)
    for parameter in (*network.blocks.parameters(), *network.classifier.parameters()):
        draws = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.data = (parameter.detach().double() + 0.1 * draws).float()
    return network.to(dtype)


def block_update(rule, head, dtype, block=None):
    """The update of all blocks, or of one, that a rule makes on the one network and batch of these tests."""
    network = block_network(head, dtype)
    generator = torch.Generator().manual_seed(2)
    x = torch.rand(12, 1, 16, 16, generator=generator).to(dtype)
    blocks = list(network.blocks) if block is None else [network.blocks[block]]
    return update_of(network, blocks, rule(network), x, torch.arange(12) % CLASSES)


@pytest.mark.parametrize("dtype", DTYPES)
def test_block_rules_differ(dtype):
    """All of them, at every block; heads do not change the weights that are compared."""
    for block in range(len(block_network(None, dtype).blocks)):
        updates = {}
        for name, rule in BLOCKS.items():
            prepare = lambda network, rule=rule: rule.prepare(network, (1, 16, 16), 0)  # noqa: E731
            updates[name] = block_update(prepare, rule.head(CLASSES), dtype, block)
        for one, other in itertools.combinations(updates, 2):
            assert not same(updates, one, other), (block, one, other)
            assert_updates_differ(updates[one], updates[other])


@pytest.mark.parametrize("dtype", DTYPES)
def test_block_rules_agree_where_one_is_a_case_of_the_other(dtype):
    """Feedback alignment through W is backpropagation; LLS-M with m = 1 and LLS-MxM with M = I are LLS; LLS on the
    weights of trained classifiers, without normalising and at τ = 1, is their rule."""

    def aligned(network):
        weights = tuple(c.weight.detach() for c in feedback_alignment.connections(network))
        params = feedback_alignment.FeedbackAlignment(weights)
        return lambda *batch: feedback_alignment.gradients(*batch, params)

    def modulated(value):
        def make(network):
            for head in network.heads:
                head.modulation.data = value(head.modulation)
            return lls.gradients

        return make

    def waves_of_classifiers(network):
        for head, trained in zip(network.heads, block_network(TRAINED, dtype).heads, strict=True):
            head.basis = trained.weight.detach()
        return lambda *batch: lls.gradients(*batch, LLS(1.0, normalized=False))

    TRAINED = local_classifier.trained_head(CLASSES)
    plain = block_update(lambda _: lls.gradients, local_head(CLASSES), dtype)
    assert_updates_agree(block_update(aligned, None, dtype), block_update(lambda _: backprop.gradients, None, dtype))
    for maker, value in ((per_class, torch.ones_like), (mixing, lambda M: torch.eye(len(M), dtype=M.dtype))):
        assert_updates_agree(block_update(modulated(value), local_head(CLASSES, modulation=maker), dtype), plain)
        assert_updates_differ(
            block_update(lambda _: lls.gradients, local_head(CLASSES, modulation=maker), dtype), plain
        )
    assert_updates_agree(
        block_update(waves_of_classifiers, local_head(CLASSES), dtype),
        block_update(lambda _: local_classifier.gradients, TRAINED, dtype),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_direct_feedback_through_the_classifiers_weights_is_exact_for_a_last_dense_block(dtype):
    """Of the feedback matrices the last one alone can be right: then the last block learns as by backpropagation."""

    def through_weights(network):
        made = direct_feedback.direct_feedback(network, (1, 16, 16), 0)
        W = network.classifier.weight.detach()
        feedback = (*made.feedback[:-1], W.view_as(made.feedback[-1]))
        return lambda *batch: direct_feedback.gradients(*batch, direct_feedback.DirectFeedback(feedback))

    exact = [block_update(lambda _: backprop.gradients, None, dtype, block) for block in (-1, 0)]
    ours = [block_update(through_weights, None, dtype, block) for block in (-1, 0)]
    assert_updates_agree(ours[0], exact[0])
    assert_updates_differ(ours[1], exact[1])


def test_the_oracle_sees():
    """Two updates that differ in length only are the same rule; in direction, they are not."""
    one = torch.randn(50, generator=torch.Generator().manual_seed(0))
    turned = one + 0.02 * one.norm() * F.normalize(torch.randn(50, generator=torch.Generator().manual_seed(1)), dim=0)
    assert_updates_differ(one, turned)
    for other in (one, 3 * one):
        with pytest.raises(AssertionError):
            assert_updates_differ(one, other)
    with pytest.raises(AssertionError):
        assert_updates_agree(one, 3 * one)
