"""TESS in its experiments: data, heads of the paper's network, what a run is made of."""

import pytest
import torch
from torch import nn

from workbench.experiments.experiment import start
from workbench.experiments.named import EXPERIMENTS, experiment
from workbench.experiments.tess import TESS_RULES, pooled_heads
from workbench.networks.architectures import global_pool, maximum_pool, vgg9
from workbench.networks.spiking import spiking_layers
from workbench.rules import tess

pytestmark = pytest.mark.usefixtures("unchecked")


def test_the_heads_of_the_papers_network():
    x = torch.zeros(1, 1, 3, 32, 32)
    network = vgg9(10, (3, 32, 32), pool=maximum_pool, last_pool=global_pool)
    heads = pooled_heads(network, x, classes=10)
    layers = list(spiking_layers(network).values())
    latents = [1024, 512, 1024, 1024, 2048, 2048, 2048, 512]
    assert [heads[layer].rows.shape[1] for layer in layers] == latents
    assert [isinstance(heads[layer].before, nn.MaxPool2d) for layer in layers] == [k in (1, 3, 5) for k in range(8)]
    report = tess.gradients(network, torch.rand(1, 2, 3, 32, 32), torch.tensor([1, 2]), tess.TESS(heads))
    assert report.loss > 0
    assert all(layer.connection.weight.grad is not None for layer in layers)


@pytest.mark.parametrize("name", ["tess-events", "tess-still"])
def test_each_rule_starts(name):
    assert set(experiment(name).rules) == set(TESS_RULES)
    for rule in TESS_RULES:
        record = next(start(EXPERIMENTS[name], rule))
        assert 0 < record.loss < 10


def test_waves_teach_a_network_to_see_clothes():
    """After a quarter of an epoch well above chance."""
    records = start(experiment("tess-still"), "tess", epochs=1)
    first = [next(records) for _ in range(20)]
    assert sum(record.score for record in first[-4:]) / 4 > 0.35
