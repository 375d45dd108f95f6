"""Settings of the LLS experiments: every variant takes steps, averaged weights come and go, runs can be resumed."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from workbench.block_networks import mini_conv
from workbench.blocks import block_logits
from workbench.data.fashion_mnist import fashion_mnist_small
from workbench.data.images import ImageSet, ImageSplit
from workbench.lls_settings import (
    VARIANTS,
    averaged_weights,
    block_setting,
    fashion_pictures,
    first_batches,
    lls_fashion,
)
from workbench.rules.lls import LocalHead
from workbench.training import Plan, train


@pytest.fixture(scope="module")
def data():
    small = fashion_mnist_small()
    parts = (ImageSet(part.images[:n], part.labels[:n]) for part, n in ((small.train, 64), (small.test, 20)))
    return fashion_pictures(ImageSplit(*parts, small.classes))


def setting(data, variant, seed=0):
    return block_setting(VARIANTS[variant], data, mini_conv, seed, epochs=1, refresh=2)


def step(run, rows):
    run.optimizer.zero_grad()
    report = run.rule(run.network, *run.data.train.batch(rows))
    run.optimizer.step()
    return report


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_lowers_its_loss(data, variant):
    run = setting(data, variant)
    losses = [step(run, torch.arange(64)).loss for _ in range(6)]
    assert losses[-1] < losses[0]
    assert all(p.grad is not None for p in run.network.parameters())


def test_variants_start_from_the_same_weights_and_differ_by_their_heads(data):
    nets = {name: setting(data, name).network for name in VARIANTS}
    first = nets["bp"].blocks[0].body[0].weight
    assert all(net.blocks[0].body[0].weight.equal(first) for net in nets.values())
    heads = {name: net.heads[0] for name, net in nets.items() if len(net.heads)}
    assert heads["lls"].modulation is None
    assert heads["lls-m"].modulation.shape == (10,)
    assert heads["lls-mxm"].modulation.shape == (10, 10)
    assert heads["lls-mxm-reduced"].modulation.shape == (20, 10)
    assert isinstance(heads["lls-random"], LocalHead)
    assert not isinstance(heads["local-classifiers"], LocalHead)


def test_published_settings():
    run = lls_fashion(VARIANTS["lls"])
    assert len(run.data.train.labels) == 5000
    assert run.batch_size == 128
    for group in run.optimizer.param_groups:
        assert (group["lr"], group["weight_decay"]) == (5e-3, 0.0)
    assert len(run.optimizer.param_groups) == 5


def test_averaged_weights_come_with_their_statistics_and_go(data):
    run = setting(data, "lls")
    for _ in range(3):
        step(run, torch.arange(64))
    weight = run.network.blocks[0].body[0].weight
    training_point = weight.detach().clone()
    with run.evaluating():
        assert not weight.allclose(training_point)
        norm = run.network.blocks[0].body[1]
        outputs = run.network.blocks[0].body[0](data.train.batch(torch.arange(64))[0])
        assert torch.allclose(norm.running_mean, outputs.mean((0, 2, 3)), atol=1e-3)
        assert block_logits(run.network, data.test.batch(torch.arange(20))[0]).isfinite().all()
    assert weight.allclose(training_point, atol=1e-6)
    step(run, torch.arange(64))


def test_training_point_comes_back_after_an_error(data):
    run = setting(data, "bp")
    step(run, torch.arange(64))
    with pytest.raises(RuntimeError, match="stop"), averaged_weights(run.network, run.optimizer, data.train, 1):
        raise RuntimeError("stop")
    step(run, torch.arange(64))


def test_first_batches_are_the_same_every_time(data):
    first, again = (torch.cat(list(first_batches(data.train, 2, 10))) for _ in range(2))
    assert first.equal(again)
    assert len(first) == 20


def test_resumed_run_goes_on_with_the_same_numbers(data, tmp_path):
    def begin(seed, **options):
        run = setting(data, "lls-mxm", seed)
        plan = Plan(epochs=2, batch_size=32)
        return train(run.network, data, run.rule, run.optimizer, run.logits, plan, tmp_path / "half", **options)

    whole = [record.loss for record in begin(0)]
    broken_off = list(itertools.islice(begin(0, checkpoint_every=2), 3))
    resumed = list(begin(9, resume=True))
    assert [record.step for record in resumed] == [2, 3]
    assert [record.loss for record in broken_off[:2] + resumed] == pytest.approx(whole, rel=1e-4)


def test_seed_decides_weights_and_feedback(data):
    first, again, other = (setting(data, "dfa", seed) for seed in (0, 0, 1))
    rows = torch.arange(32)
    losses = [[step(run, rows).loss for _ in range(2)] for run in (first, again, other)]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]
    assert isinstance(first.network.classifier, nn.Linear)
    assert np.isfinite(losses).all()
