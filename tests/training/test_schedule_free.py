"""Training points and averaged points, without a schedule."""

import pytest
import torch
from few_images import step

from workbench.data.images import ImageSet
from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.split import Split
from workbench.experiments.lls import BLOCK_RULES, block_setting, fashion_pictures
from workbench.networks.block_networks import mini_conv
from workbench.networks.blocks import block_logits
from workbench.training.schedule_free import averaged_weights, first_batches


@pytest.fixture(scope="module")
def data():
    small = fashion_mnist_small()
    parts = (ImageSet(part.images[:n], part.labels[:n]) for part, n in ((small.train, 64), (small.test, 20)))
    return fashion_pictures(Split(*parts, small.classes))


def test_averaged_weights_come_with_their_statistics_and_go(data):
    run = block_setting(BLOCK_RULES["lls"], data, mini_conv, 0, refresh=2)
    for _ in range(3):
        step(run, torch.arange(64))
    weight = run.network.blocks[0].body[0].weight
    training_point = weight.detach().clone()
    with run.evaluating(data.train):
        assert not weight.allclose(training_point)
        norm = run.network.blocks[0].body[1]
        outputs = run.network.blocks[0].body[0](data.train.batch(torch.arange(64))[0])
        assert torch.allclose(norm.running_mean, outputs.mean((0, 2, 3)), atol=1e-3)
        assert block_logits(run.network, data.test.batch(torch.arange(20))[0]).isfinite().all()
    assert weight.allclose(training_point, atol=1e-6)
    step(run, torch.arange(64))


def test_training_point_comes_back_after_an_error(data):
    run = block_setting(BLOCK_RULES["bp"], data, mini_conv, 0, refresh=2)
    step(run, torch.arange(64))
    with pytest.raises(RuntimeError, match="stop"), averaged_weights(run.network, run.optimizer, data.train, 1):
        raise RuntimeError("stop")
    step(run, torch.arange(64))


def test_first_batches_are_the_same_every_time(data):
    first, again = (torch.cat(list(first_batches(data.train, 2, 10))) for _ in range(2))
    assert first.equal(again)
    assert len(first) == 20
