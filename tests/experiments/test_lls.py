"""Settings of the LLS experiments: every rule takes steps, averaged weights come and go, runs can be resumed."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch
from few_images import step
from torch import nn

from workbench.credit.bases import closest_rows, square
from workbench.data.images import ImageSet
from workbench.data.pictures import crop_padded, mirror
from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.split import Split
from workbench.experiments.experiment import Experiment, start
from workbench.experiments.lls import (
    BLOCK_RULES,
    MANY_ROWS,
    block_setting,
    fashion_pictures,
    lls_fashion,
    lls_fashion_full,
)
from workbench.networks.block_networks import mini_conv
from workbench.networks.blocks import block_logits
from workbench.rules.lls import LocalHead
from workbench.training.loop import train
from workbench.training.score import evaluate
from workbench.training.setting import Plan, unchanged

pytestmark = pytest.mark.usefixtures("unchecked")


@pytest.fixture(scope="module")
def data():
    small = fashion_mnist_small()
    parts = (ImageSet(part.images[:n], part.labels[:n]) for part, n in ((small.train, 64), (small.test, 20)))
    return fashion_pictures(Split(*parts, small.classes))


def few_images(data, rule, seed):
    return block_setting(rule, data, mini_conv, seed, refresh=2)


def setting(data, rule, seed=0):
    return few_images(data, BLOCK_RULES[rule], seed)


@pytest.mark.parametrize("rule", BLOCK_RULES)
def test_every_rule_lowers_its_loss(data, rule):
    run = setting(data, rule)
    losses = [step(run, torch.arange(64)).loss for _ in range(6)]
    assert losses[-1] < losses[0]
    assert all(p.grad is not None for p in run.network.parameters())


def test_rules_start_from_the_same_weights_and_differ_by_their_heads(data):
    nets = {name: setting(data, name).network for name, rule in BLOCK_RULES.items() if rule.make is None}
    first = nets["bp"].blocks[0].body[0].weight
    assert all(net.blocks[0].body[0].weight.equal(first) for net in nets.values())
    heads = {name: net.heads[0] for name, net in nets.items() if len(net.heads)}
    assert heads["lls"].modulation is None
    assert heads["lls-m"].modulation.shape == (10,)
    assert heads["lls-mxm"].modulation.shape == (10, 10)
    assert heads["lls-mxm-reduced"].modulation.shape == (20, 10)
    assert heads["lls-mxm-64"].modulation.shape == (64, 10)
    assert isinstance(heads["lls-random"], LocalHead)
    assert not isinstance(heads["local-classifiers"], LocalHead)


@pytest.mark.parametrize("latents", [128, 256, 512])  # of the blocks of both networks
def test_many_waves_stay_apart(latents):
    assert closest_rows(square(MANY_ROWS, latents)).cosine < 0.4


def test_published_settings(data):
    run = lls_fashion(BLOCK_RULES["lls"], seed=0)
    assert len(run.data.train.labels) == 5000
    assert run.batch_size == 32
    assert setting(data, "lls").batch_size == 128
    for group in run.optimizer.param_groups:
        assert (group["lr"], group["weight_decay"]) == (5e-3, 0.0)
    assert len(run.optimizer.param_groups) == 5


def test_published_settings_of_the_whole_data_set(monkeypatch):
    monkeypatch.setattr("workbench.experiments.lls.fashion_mnist", fashion_mnist_small)
    run = lls_fashion_full(BLOCK_RULES["lls"], seed=0)
    assert run.data.train.augment == (crop_padded, mirror)
    assert run.data.test.augment == ()
    assert (run.batch_size, run.schedule) == (128, None)
    assert run.network.describe() == "32–64–128–512–10"


def test_pooled_variants_are_the_same_network_with_other_latents(data):
    plain, pooled = (setting(data, name).network for name in ("lls-mxm-64", "lls-mxm-64-pooled"))
    assert [[type(m) for m in block.between] for block in pooled.blocks[:2]] == [[], []]
    x = data.test.batch(torch.arange(20))[0]
    assert block_logits(plain, x).equal(block_logits(pooled, x))


def numbers(records):
    """What must not differ between two runs: everything but time."""
    return [r._replace(seconds=0.0, samples_per_second=0.0) for r in records]


@pytest.mark.parametrize("stopped_after", [1, 2, 3])
def test_resumed_run_goes_on_with_the_same_numbers(data, tmp_path, stopped_after):
    """Also right after an evaluation, which has put other weights in and taken them out again."""

    def begin(seed, resume=False):
        run = setting(data, "lls-mxm", seed)
        run = run._replace(batch_size=32)
        return train(run, Plan(epochs=3), tmp_path / "half", resume, checkpoint_every=1)

    whole = numbers(begin(0))
    broken_off = list(itertools.islice(begin(0), stopped_after + 1))  # the last one is yielded before it is saved
    rest = numbers(begin(9, resume=True))
    assert numbers(broken_off[:-1]) + rest == whole


def test_held_out_numbers_are_those_of_the_averaged_weights(data):
    experiment = Experiment("few", "64 images", BLOCK_RULES, 2, partial(few_images, data))
    with_averages = list(start(experiment, "lls"))[-1]
    run = few_images(data, BLOCK_RULES["lls"], 0)
    plain = list(train(run._replace(evaluating=unchanged), Plan(2)))[-1]
    assert with_averages.loss == pytest.approx(plain.loss, rel=1e-3)  # evaluation does not change the training
    with run.evaluating(data.train):
        right, loss = evaluate(run.network, data.test, run.logits)
    assert (with_averages.held_out_score, with_averages.held_out_loss) == pytest.approx((right, loss), rel=1e-2)
    assert abs(plain.held_out_loss - loss) > 0.02


def test_seed_decides_weights_and_feedback(data):
    first, again, other = (setting(data, "dfa", seed) for seed in (0, 0, 1))
    rows = torch.arange(32)
    losses = [[step(run, rows).loss for _ in range(2)] for run in (first, again, other)]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]
    assert isinstance(first.network.classifier, nn.Linear)
    assert np.isfinite(losses).all()
