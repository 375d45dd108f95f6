"""Bases, learning signals, rules on tiny networks, cost formulas and curves, fuzzed."""

import math

import numpy as np
import torch
from fuzzed import FLOATS, Refused, anything, close, filled, fuzz, mostly, outcome, sound, tensors
from hypothesis import example
from hypothesis import strategies as st

from workbench.cost import formulas, table
from workbench.cost.signal import backpropagated_macs, basis_macs
from workbench.credit import bases, signals
from workbench.networks import SpikingMLP
from workbench.networks.block_networks import dense_network
from workbench.rule import Steps
from workbench.rules import RULES
from workbench.watch.curves import running_mean

sizes = mostly(st.integers(1, 12), st.sampled_from([0, -1, 1.5, "2", None, True]))
BASES = [bases.sine, bases.cosine, bases.square, bases.dct, bases.orthonormal, bases.random]


@fuzz(basis=st.sampled_from(BASES), classes=sizes, latents=mostly(st.integers(1, 40), sizes))
@example(basis=bases.dct, classes=None, latents=3)
@example(basis=bases.sine, classes=1.5, latents=3)
@example(basis=bases.random, classes=2, latents="2")
def test_bases(basis, classes, latents):
    B = outcome(basis, classes, latents, words="classes|latents")
    if isinstance(B, Refused):
        return
    assert B.shape == (classes, latents)
    assert bool(B.isfinite().all())
    if basis is bases.orthonormal:
        assert close(B @ B.T, torch.eye(classes, dtype=B.dtype), 1e3)
    verdict = bases.judge_rows(B)
    assert 0 <= verdict.closest.cosine <= 1 + 1e-9


@fuzz(
    classes=st.integers(1, 4),
    latents=st.integers(1, 5),
    frequencies=tensors(0, 2, 4, kinds=FLOATS),
    phase=mostly(st.floats(-9, 9)),
    first=sizes,
)
@example(classes=1, latents=2, frequencies=torch.ones(()), phase=0.0, first=1)
@example(classes=1, latents=2, frequencies=torch.full((1,), math.nan), phase=0.0, first=1)
@example(classes=1, latents=2, frequencies=torch.ones(1), phase=math.nan, first=1)
@example(classes=1, latents=3, frequencies=torch.ones(1), phase=0.0, first=None)
@example(classes=1, latents=1, frequencies=torch.full((1,), 1e30, dtype=torch.float64), phase=1e308, first=1)
def test_options_of_bases(classes, latents, frequencies, phase, first):
    for basis in (bases.sine, bases.cosine, bases.square):
        B = outcome(basis, classes, latents, frequencies, phase, words="frequenc|phase")
        if not isinstance(B, Refused):
            assert B.shape == (classes, latents)
            assert bool((B.abs() <= 1).all())
    B = outcome(bases.dct, classes, latents, first, words="first|frequencies")
    assert isinstance(B, Refused) or B.shape == (classes, latents)


@fuzz(basis=tensors(0, 3, 5, kinds=FLOATS))
@example(basis=torch.full((2, 2), math.nan))
@example(basis=torch.ones(0, 2))
@example(basis=torch.ones(2))
def test_rows(basis):
    verdict = outcome(bases.judge_rows, basis, words="basis")
    if isinstance(verdict, Refused):
        return
    unit = torch.nn.functional.normalize(basis.double(), dim=1)
    among = [float((unit[a] @ unit[b]).abs()) for b in range(len(unit)) for a in range(b)]
    assert math.isclose(verdict.closest.cosine, max(among, default=0.0), abs_tol=1e-9)
    assert verdict.refused == (verdict.closest.cosine > 0.99)


@fuzz(
    output=mostly(tensors(3, 3, 4, kinds=FLOATS), tensors(0, 4, 3, kinds=FLOATS)),
    y=tensors(0, 2, 4, kinds=[torch.int64, torch.uint8, torch.bool, torch.float32], fills=["spikes", "zeros", "ones"]),
    fair=st.booleans(),
    seed=st.integers(0, 99),
)
@example(output=torch.ones(2), y=torch.zeros(2).long(), fair=False, seed=0)
@example(output=torch.ones(2, 0, 3), y=torch.zeros(0).long(), fair=False, seed=0)
@example(output=torch.ones(2, 2, 3), y=torch.zeros(3).long(), fair=False, seed=0)
def test_losses(output, y, fair, seed):
    if fair and output.ndim == 3 and output.shape[2]:
        labels = torch.arange(output.shape[1]) * 7 + seed
        y = labels % output.shape[2]
    loss = outcome(signals.summed_cross_entropy, output, y, words="labels|\\by\\b|output")
    if isinstance(loss, Refused) or not sound(output):
        return
    steps = [torch.nn.functional.cross_entropy(o.double(), y.long()) for o in output]
    assert close(loss, sum(steps, torch.zeros((), dtype=torch.float64)), 1e3)
    learning = filled(output.shape[:2], torch.bool, "spikes", seed)
    part = signals.masked_loss(signals.summed_cross_entropy, output, y, learning) if bool(learning.any()) else None
    rest = signals.masked_loss(signals.summed_cross_entropy, output, y, ~learning) if not bool(learning.all()) else None
    both = sum(p for p in (part, rest) if p is not None)
    assert close(torch.as_tensor(both, dtype=loss.dtype), loss, 1e4)


SPIKING = [rule for rule in RULES if rule.for_spiking is not None]
labels = st.lists(mostly(st.integers(0, 1), st.integers(-2, 3)), min_size=0, max_size=4)


@fuzz(
    ci=100,  # a rule on a network takes some 20 ms
    rule=st.sampled_from(SPIKING),
    x=mostly(
        st.builds(
            lambda steps, batch, fill, kind, seed: filled((steps, batch, 3), kind, fill, seed),
            st.integers(1, 4),
            st.integers(1, 3),
            st.sampled_from(["spikes", "normal", "zeros", "bad"]),
            st.sampled_from([torch.float32, torch.float32, torch.float64, torch.bool, torch.uint8]),
            st.integers(0, 99),
        ),
        tensors(0, 4, 3, arrays=True),
    ),
    y=labels,
    fair=st.booleans(),
    last=mostly(st.none() | st.integers(1, 4), st.sampled_from([0, -1, 1.5, "2", True])),
)
@example(rule=SPIKING[0], x=torch.full((1, 2, 3), -1e308, dtype=torch.float64), y=[], fair=True, last=None)
def test_rules(rule, x, y, fair, last):
    """A rule gives finite gradients of every parameter that learns, or says what of the batch is wrong."""
    torch.manual_seed(0)
    network = SpikingMLP([3, 4], classes=2)
    if fair and x.ndim == 3:
        y = [label % 2 for label in (y * x.shape[1] or [0] * x.shape[1])[: x.shape[1]]]
    words = r"\bx\b|\by\b|label|step|batch|inputs"
    sample = torch.zeros(4, 1, 3)
    prepared = outcome(rule.for_spiking, network, sample, 2, Steps(last), words="last|step")
    if isinstance(prepared, Refused):
        return
    report = outcome(prepared.gradients, network, x, torch.tensor(y).long(), words=words)
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert all(bool(grad.isfinite().all()) for grad in gradients)
    if isinstance(report, Refused):
        assert all(not bool(grad.any()) for grad in gradients)
        return
    assert math.isfinite(report.loss)
    assert report.logits.shape == (x.shape[1], 2)
    assert all(0 <= rate <= 1 for rate in report.spike_rates.values())


BLOCKS = [rule for rule in RULES if rule.for_blocks is not None]


@fuzz(
    ci=100,
    rule=st.sampled_from(BLOCKS),
    x=mostly(
        st.builds(
            lambda batch, fill, kind, seed: filled((batch, 6), kind, fill, seed),
            st.integers(1, 4),
            st.sampled_from(["spikes", "normal", "zeros", "ones", "bad"]),
            st.sampled_from(FLOATS),
            st.integers(0, 99),
        ),
        tensors(0, 4, 3, arrays=True),
    ),
    y=labels,
    fair=st.booleans(),
)
def test_rules_for_blocks(rule, x, y, fair):
    """As `test_rules`: finite gradients, or words about what of the batch is wrong."""
    torch.manual_seed(0)
    form = rule.for_blocks
    network = dense_network([6, 4, 4], 2, form.head(2), form.normalized)
    if fair and x.ndim == 2:
        y = [label % 2 for label in (y * len(x) or [0] * len(x))[: len(x)]]
    report = outcome(
        form.prepare(network, (6,), 0),
        network,
        x,
        torch.tensor(y).long(),
        words=r"\bx\b|\by\b|label|batch|inputs|sample",
    )
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    if isinstance(report, Refused):
        assert all(not bool(grad.any()) for grad in gradients)
        return
    if sound(torch.as_tensor(x)):
        assert all(bool(grad.isfinite().all()) for grad in gradients)
        assert math.isfinite(report.loss)
    assert report.logits.shape == (len(x), 2)


@fuzz(inputs=sizes, width=sizes, depth=sizes, classes=sizes, steps=sizes, learning=sizes)
@example(inputs=2, width=3, depth=1.5, classes=2, steps=4, learning=2)
@example(inputs=2, width="3", depth=1, classes=2, steps=4, learning=2)
@example(inputs=2, width=3, depth=1, classes=2, steps=4, learning=1.5)
@example(inputs=2, width=3, depth=1, classes=2, steps=None, learning=1)
def test_costs(inputs, width, depth, classes, steps, learning):
    """Whole numbers that grow with the steps, and the savings of S-TLLR's paper are their quotients."""
    layers = outcome(table.dense_sizes, inputs, width, depth, classes, words="inputs|width|depth|classes")
    if isinstance(layers, Refused):
        return
    assert sum(size.neurons for size in layers) == inputs + depth * width + classes
    costs = outcome(table.rule_costs, layers, steps, learning, words="learning_steps|steps")
    saving = outcome(formulas.mac_saving, steps, learning, words="learning_steps|steps")
    assert isinstance(costs, Refused) == isinstance(saving, Refused)
    if isinstance(costs, Refused):
        return
    for cost in costs.values():
        assert isinstance(cost.macs, int)
        assert isinstance(cost.memory, int)
        assert min(cost) > 0
    longer = table.rule_costs(layers, steps + 1, learning)
    assert all(longer[name].macs >= cost.macs for name, cost in costs.items())
    assert math.isclose(costs["BPTT"].macs / costs["S-TLLR"].macs, saving)
    assert backpropagated_macs(layers, learning) == learning * sum(size.macs for size in layers[2:])
    assert basis_macs([size.neurons for size in layers], classes, learning) > 0


@fuzz(steps=mostly(st.integers(1, 300), anything), non_causal=st.booleans())
@example(steps=None, non_causal=True)
@example(steps=math.nan, non_causal=True)
@example(steps=0, non_causal=True)
def test_break_even(steps, non_causal):
    most = outcome(table.break_even, steps, non_causal, words="steps")
    saving = outcome(formulas.memory_saving, steps, non_causal, words="steps")
    assert isinstance(most, Refused) == isinstance(saving, Refused)
    if not isinstance(most, Refused) and steps < 1e6:
        assert 0 <= most <= steps
        assert most == 0 or formulas.mac_saving(steps, most, non_causal) >= 1
        assert most == steps or formulas.mac_saving(steps, most + 1, non_causal) < 1


@fuzz(
    values=st.lists(st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf]), max_size=12),
    window=mostly(st.integers(1, 9), anything),
)
@example(values=[1.0], window=None)
@example(values=[1.0, 2.0], window=1.5)
@example(values=[math.nan, 1.0, 2.0, 3.0], window=2)
@example(values=[math.inf, -math.inf, 0.0], window=3)
@example(values=[1e16, 1.0, 1.0, 1.0], window=2)
def test_running_means(values, window):
    """One number that is none hides those that see it, and no later ones."""
    means = outcome(running_mean, values, window, words="window")
    if isinstance(means, Refused):
        return
    for k in range(len(values)):
        seen = values[max(0, k - int(window) + 1) : k + 1]
        if all(map(math.isfinite, seen)):
            assert math.isclose(means[k], np.mean(seen), rel_tol=1e-9, abs_tol=1e-9)
