"""Data with lengths: training, evaluation and the record see no padding, and nothing learns padding without a word."""

from functools import partial

import pytest
import torch
from tiny_training import numbers
from torch.utils.data import DataLoader

from workbench.data.sequences import sequences
from workbench.data.split import Split
from workbench.experiments.overrides import fewer_samples
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.rule import Steps, for_lengths
from workbench.rules import RULES, bptt, stllr
from workbench.training.loop import train
from workbench.training.score import evaluate
from workbench.training.setting import Plan, Setting

pytestmark = pytest.mark.usefixtures("unchecked")

SAMPLES, CLASSES = 24, 3


def some_sequences(seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(SAMPLES) % CLASSES
    lengths = torch.randint(3, 12, (SAMPLES,), generator=generator).tolist()
    inputs = [
        (torch.rand(steps, 12, generator=generator) < 0.2 + 0.1 * (k % 3)).to(dtype) for k, steps in enumerate(lengths)
    ]
    for x, label in zip(inputs, labels.tolist(), strict=True):
        x[:, 4 * label : 4 * label + 4] = 1.0
    return sequences(inputs, labels)


class Dirty:
    """The same samples with something in the padding, and longer."""

    def __init__(self, samples):
        self.samples, self.labels = samples, samples.labels

    def batch(self, rows):
        x, y, lengths = self.samples.batch(rows)
        x = torch.cat([x, x.new_ones(2, *x.shape[1:])])
        for b, end in enumerate(lengths):
            x[end:, b] = 7.0
        return x, y, lengths


def run(data, make_rule=lambda network: stllr.gradients, logits=spiking_logits, **plan):
    torch.manual_seed(1)
    network = SpikingMLP([12, 16], CLASSES)
    rule = make_rule(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    return train(Setting(network, optimizer, data, rule, logits, batch_size=8), Plan(epochs=2, **plan))


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.for_spiking is not None], ids=lambda rule: rule.name)
def test_what_stands_in_the_padding_changes_nothing(rule):
    def make(network):
        return rule.for_spiking(network, torch.zeros(1, 1, 12), CLASSES, Steps()).gradients

    clean, dirty = (
        [r._replace(saved_bytes=0) for r in numbers(run(Split(each, each), make))]
        for each in (some_sequences(), Dirty(some_sequences()))
    )
    assert clean == dirty


def test_it_learns():
    assert list(run(Split(some_sequences(), some_sequences(1)))).pop().held_out_score > 0.9


def test_evaluation_is_that_of_each_sequence_alone():
    torch.manual_seed(0)
    network, samples = SpikingMLP([12, 16], CLASSES).double(), some_sequences(dtype=torch.float64)
    logits = torch.cat(
        [spiking_logits(network, samples.x[:end, b : b + 1]) for b, end in enumerate(samples.lengths.tolist())]
    )
    score, loss = evaluate(network, samples, spiking_logits, batch_size=7)
    assert score == pytest.approx(float((logits.argmax(1) == samples.labels).float().mean()))
    assert loss == pytest.approx(float(torch.nn.functional.cross_entropy(logits, samples.labels)))


def test_a_part_of_the_samples_keeps_its_lengths():
    samples = some_sequences()
    few = fewer_samples(Split(samples, samples), per_class=2).train
    x, _, lengths = few.batch(torch.arange(6))
    assert torch.equal(lengths, samples.lengths[few.rows])
    assert len(x) == int(lengths.max())


def padded_batch(items):
    """How a DataLoader puts sequences of different length together."""
    inputs, labels, lengths = zip(*items, strict=True)
    return torch.nn.utils.rnn.pad_sequence(list(inputs)), torch.stack(labels), torch.tensor(lengths)


def test_loaders_and_arrays_with_lengths_learn_as_sets_of_sequences_do():
    sets = some_sequences(), some_sequences(1)
    loaders = [
        DataLoader([(x[:n], y, int(n)) for x, y, n in zip(s.x.unbind(1), *s[1:], strict=True)], collate_fn=padded_batch)
        for s in sets
    ]
    wanted = [(r.loss, r.held_out_loss) for r in run(Split(*sets))]
    for data in (tuple(loaders), tuple(tuple(each) for each in sets)):
        assert [(r.loss, r.held_out_loss) for r in run(data)] == wanted
    with pytest.raises(ValueError, match=r"lengths of shape \(23,\) need x \(time, sample"):
        next(run(((*sets[0][:2], sets[0].lengths[1:]), sets[1])))


def test_a_rule_or_readout_without_lengths_is_refused_before_it_learns():
    data = Split(some_sequences(), some_sequences())
    for rule, logits, name in (
        (lambda network, x, y: stllr.gradients(network, x, y), spiking_logits, "<lambda>"),
        (stllr.gradients, lambda network, x: spiking_logits(network, x), "<lambda>"),
    ):
        with pytest.raises(ValueError, match=f"differ in length, and {name} has no parameter `lengths`"):
            next(run(data, lambda network, rule=rule: rule, logits))


@pytest.mark.parametrize(
    "rule", [partial(bptt.gradients, params=bptt.BPTT(2)), lambda n, x, y, **rest: (n, x, y, rest)]
)
def test_lengths_are_handed_to_what_takes_them(rule):
    lengths = torch.tensor([3, 4])
    assert for_lengths(rule, lengths).keywords["lengths"] is lengths
    assert for_lengths(rule, None) is rule
