"""Sequences of different length in one batch: what a rule makes of them padded is what it makes of each alone."""

from functools import partial

import pytest
import torch
from live_network import CLASSES, FACTORS, KAPPA, NEURON, PAIRS, RULES, heads, live, margin
from torch import nn

from workbench.credit.signals import (
    direct_feedback,
    feedback_alignment,
    local_classifiers,
    make_classifiers,
    sign_feedback,
    target_projection,
)
from workbench.networks.architectures import spiking_small_conv
from workbench.networks.spiking import SpikingMLP, spiking_layers, spiking_logits, stacked_weights
from workbench.neurons.surrogate import psi_gesture
from workbench.rules import bptt, eprop, ndot, ottt, stdp, stllr, tess

pytestmark = pytest.mark.usefixtures("unchecked")

LENGTHS = torch.tensor([4, 12, 7, 12, 9])
SHORTEST, LONGEST, STEPS = 4, 12, 15

ONE_SIGNAL = {
    "stllr": lambda net, x, k, chunk: partial(stllr.gradients, params=stllr.STLLR(FACTORS, k, chunk=chunk)),
    "stllr by layer": lambda net, x, k, chunk: partial(
        stllr.gradients, params=stllr.STLLR(lambda layer: FACTORS, k, True, False, chunk)
    ),
    "ottt": lambda net, x, k, chunk: partial(ottt.gradients, params=ottt.OTTT(k, chunk=chunk)),
    "ndot": lambda net, x, k, chunk: partial(ndot.gradients, params=ndot.NDOT(k)),
    "eprop": lambda net, x, k, chunk: partial(eprop.gradients, params=eprop.EProp(k)),
    "stdp": lambda net, x, k, chunk: partial(stdp.gradients, params=stdp.STDP(PAIRS, 1.0, k, chunk=chunk)),
    "tess": lambda net, x, k, chunk: partial(tess.gradients, params=tess.TESS(heads(net, x), FACTORS, k, chunk=chunk)),
    "tess, hard sigmoid": lambda net, x, k, chunk: partial(
        tess.gradients, params=tess.TESS(heads(net, x), FACTORS, k, loss=tess.hard_sigmoid_squares, chunk=chunk)
    ),
    "tess as released": lambda net, x, k, chunk: partial(
        tess.released_gradients, params=tess.TESS(heads(net, x), FACTORS, k, chunk=chunk)
    ),
    "bptt": lambda net, x, k, chunk: partial(bptt.gradients, params=bptt.BPTT(k)),
    "bptt in windows": lambda net, x, k, chunk: partial(bptt.gradients, params=bptt.BPTT(k, window=chunk)),
    "bptt, summed output": lambda net, x, k, chunk: partial(bptt.gradients, params=bptt.BPTT(k, summed_output=True)),
}
SIGNALS = {
    "direct feedback": direct_feedback,
    "signs": sign_feedback,
    "target projection": target_projection,
    "target projection, zero mean": partial(target_projection, zero_mean=True),
    "feedback alignment": lambda net, x: feedback_alignment(net),
    "local classifiers": lambda net, x: local_classifiers(
        dict(zip(spiking_layers(net).values(), net.classifiers, strict=True))
    ),
}
WAYS = {**ONE_SIGNAL, **dict.fromkeys(SIGNALS)}


def make(name, net, x, k, chunk):
    """The rule of that name with K and chunks of so many steps."""
    if name in SIGNALS:
        params = stllr.STLLR(FACTORS, k, chunk=chunk, signal=SIGNALS[name](net, x))
        return partial(stllr.gradients, params=params)
    return WAYS[name](net, x, k, chunk)


def dense(recurrent=False, dtype=torch.float64):
    net, x, _ = live(recurrent, dtype)
    with torch.random.fork_rng():
        torch.manual_seed(7)
        net.classifiers = make_classifiers(net, x, CLASSES).to(dtype)
    return net, padded(x)


def images(dtype=torch.float64):
    torch.manual_seed(5)
    net = spiking_small_conv(CLASSES, (2, 8, 8)).to(dtype)
    for name, parameter in net.named_parameters():
        if "bias" in name or "gain" in name:
            nn.init.normal_(parameter, parameter.detach().mean().item(), 0.3)
    return net, padded((torch.rand(LONGEST, 5, 2, 8, 8) < 0.4).to(dtype))


def padded(x, filler=0.0):
    """Twelve steps as fifteen, in which the steps behind each sample's own hold `filler`."""
    x = torch.cat([x, x[: STEPS - LONGEST]])
    for b, end in enumerate(LENGTHS):
        x[end:, b] = filler
    return x


Y = torch.arange(5) % CLASSES


def update(net, rule, *batch, **lengths):
    """The report, and `.grad` of every parameter."""
    net.zero_grad()
    report = rule(net, *batch, **lengths)
    return report, {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


def each_alone(net, rule, x):
    """Reports and updates of every sequence by itself, cut to its length."""
    return [update(net, rule, x[:end, b : b + 1], Y[b : b + 1]) for b, end in enumerate(LENGTHS.tolist())]


def mean_update(alone):
    return {name: sum(grads[name] for _, grads in alone) / len(alone) for name in alone[0][1]}


def distance(found, expected):
    assert found.keys() == expected.keys()
    norms = {name: float(each.norm()) for name, each in expected.items()}
    return max(float((found[name] - expected[name]).norm()) / max(norms[name], 1e-9) for name in expected)


def check_law(net, make_rule, x, bound, k):
    """A padded batch against its sequences alone, whatever stands in the padding: update, loss, outputs, rates."""
    rule = make_rule()
    alone = each_alone(net, rule, x)
    expected = mean_update(alone)
    assert sum(float(g.norm()) > 1e-4 for g in expected.values()) > 3
    learned = torch.full((5,), k) if k else LENGTHS
    for filler in (1.0, torch.finfo(x.dtype).max):  # what overflows may not even be run
        x = padded(x[:LONGEST], filler)
        report, found = update(net, rule, x, Y, lengths=LENGTHS)
        assert distance(found, expected) < bound
        logits = torch.cat([one.logits for one, _ in alone])
        assert torch.allclose(report.logits, logits, atol=bound, rtol=10 * bound)
        for name, rate in report.spike_rates.items():
            rates = torch.tensor([one.spike_rates[name] for one, _ in alone])
            assert rate == pytest.approx(float((rates * LENGTHS).sum() / LENGTHS.sum()), rel=1e-5)
        losses = torch.tensor([one.loss for one, _ in alone], dtype=torch.float64)
        if "summed" not in str(rule):
            assert report.loss == pytest.approx(float((losses * learned).sum() / learned.sum()), rel=10 * bound)
        else:
            assert report.loss == pytest.approx(float(losses.mean()), rel=10 * bound)


@pytest.mark.parametrize(("recurrent", "k", "chunk"), [(False, None, 16), (True, 3, 5), (True, None, 1)])
@pytest.mark.parametrize("name", WAYS)
def test_a_padded_batch_learns_as_its_sequences_alone(name, recurrent, k, chunk):
    net, x = dense(recurrent)
    if name == "bptt in windows" and k is None:
        k = SHORTEST  # a window begins where the sequence does
    check_law(net, lambda: make(name, net, x, k, chunk), x, 1e-11, k)


@pytest.mark.parametrize(("k", "chunk"), [(3, 5), (1, 1)])
@pytest.mark.parametrize("name", ["stllr", "bptt", "direct feedback", "target projection"])
def test_images_too(name, k, chunk):
    """Under a memoryless readout; between the ends of two samples there may be steps in which none learns."""
    net, x = images()
    check_law(net, lambda: make(name, net, x, k, chunk), x, 1e-11, k)


@pytest.mark.parametrize("name", WAYS)
def test_in_single_precision(name):
    net, x = dense(recurrent=True, dtype=torch.float32)
    assert margin(net, x[:LONGEST]) > 2e-5
    check_law(net, lambda: make(name, net, x, 3, 5), x, 5e-6, 3)


@pytest.mark.parametrize("k", [None, 3])
@pytest.mark.parametrize("name", RULES)
def test_a_padded_batch_learns_as_the_plain_text_of_each_sequence(name, k):
    """The same against `by_definition`, which knows nothing of lengths."""
    net, x = dense(recurrent=True)
    matrices = stacked_weights(net)
    net.zero_grad()
    for b, end in enumerate(LENGTHS.tolist()):
        plain = RULES[name].plain(
            [W.detach() for W in matrices],
            [head.rows / head.rows.shape[1] ** 0.5 for head in heads(net, x).values()],
            x[:end, b : b + 1],
            Y[b : b + 1],
            last_steps=k,
            neuron=NEURON,
            psi=psi_gesture,
            readout_decay=KAPPA,
        )
        for W, each in zip(matrices, plain, strict=True):
            W.backward(each / 5, retain_graph=True)
    expected = {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}
    _, found = update(net, make(name, net, x, k, 5), x, Y, lengths=LENGTHS)
    assert distance(found, expected) < 1e-12


BY_STEP = {
    "stllr": lambda net, x, k: partial(stllr.online, params=stllr.STLLR(FACTORS, k)),
    "ottt": lambda net, x, k: partial(ottt.online, params=ottt.OTTT(k)),
    "eprop": lambda net, x, k: partial(eprop.online, params=eprop.EProp(k)),
    "stdp": lambda net, x, k: partial(stdp.online, params=stdp.STDP(PAIRS, 1.0, k)),
    "tess": lambda net, x, k: partial(tess.online, params=tess.TESS(heads(net, x), FACTORS, k)),
    "bptt": lambda net, x, k: partial(bptt.by_step, params=bptt.BPTT(k)),
}


@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize("name", BY_STEP)
def test_the_steps_of_an_update_add_up_to_it(name, k):
    """Steps in which no sample learns are not reported (BPTT knows a part of the update for every step)."""
    net, x = dense(recurrent=True)
    report, expected = update(net, make(name, net, x, k, 5), x, Y, lengths=LENGTHS)
    total, reports = {n: torch.zeros_like(g) for n, g in expected.items()}, []
    for step in BY_STEP[name](net, x, k)(net, x, Y, lengths=LENGTHS):
        reports.append(step)
        for n in total:
            grad = net.get_parameter(n).grad
            total[n] += 0.0 if grad is None else grad
    assert distance(total, expected) < 1e-11
    learning = {int(end) - back for end in LENGTHS for back in range(1, 1 + (k or int(end)))}
    assert len(reports) == (LONGEST if name == "bptt" else len(learning))
    assert torch.allclose(reports[-1].logits, report.logits, atol=1e-12)
    assert reports[-1].loss == pytest.approx(report.loss if name != "bptt" else reports[0].loss)


@pytest.mark.parametrize("size", [1, 5, 16])
@pytest.mark.parametrize("problem", [partial(dense, True), images])
def test_outputs_are_averaged_over_each_samples_own_steps(problem, size):
    net, x = problem()
    alone = [spiking_logits(net, x[:end, b : b + 1]) for b, end in enumerate(LENGTHS.tolist())]
    for filler in (0.0, 3.0):
        found = spiking_logits(net, padded(x[:LONGEST], filler), size, LENGTHS)
        assert torch.allclose(found, torch.cat(alone), atol=1e-12)
    whole = spiking_logits(net, x, size)
    assert not torch.allclose(whole, found, atol=1e-3)


@pytest.mark.parametrize("name", WAYS)
def test_whole_sequences_are_the_same_bit_for_bit_with_or_without_lengths(name):
    net, x = dense(recurrent=True, dtype=torch.float32)
    rule = make(name, net, x, 3, 5)
    report, expected = update(net, rule, x, Y)
    again, found = update(net, rule, x, Y, lengths=torch.full((5,), STEPS))
    assert (report.loss, report.spike_rates, report.state_bytes) == (again.loss, again.spike_rates, again.state_bytes)
    assert torch.equal(report.logits, again.logits)
    assert all(torch.equal(found[n], expected[n]) for n in expected)


def test_without_lengths_padding_is_learned_too():
    """What the lengths are for: silent padding changes the update."""
    net, x = dense()
    rule = make("stllr", net, x, None, 5)
    assert distance(update(net, rule, x, Y)[1], update(net, rule, x, Y, lengths=LENGTHS)[1]) > 0.1


@pytest.mark.parametrize("name", ["stllr", "eprop", "stdp", "bptt"])
def test_lengths_that_do_not_fit_are_quoted(name):
    net, x = dense()
    with pytest.raises(ValueError, match=r"must lie in 1\.\.15.*got 0\.\.8"):
        make(name, net, x, None, 5)(net, x, Y, lengths=LENGTHS - 4)
    with pytest.raises(ValueError, match=r"last_steps must lie in 1\.\.4"):
        make(name, net, x, 5, 5)(net, x, Y, lengths=LENGTHS)


def test_a_network_of_one_layer_is_enough():
    net = SpikingMLP([3, 4], 2).double()
    x, y, lengths = torch.ones(6, 2, 3, dtype=torch.double), torch.tensor([0, 1]), torch.tensor([1, 6])
    stllr.gradients(net, x, y, lengths=lengths)
    assert all(p.grad.isfinite().all() for p in net.parameters())
