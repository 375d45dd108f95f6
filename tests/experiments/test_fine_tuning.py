"""Fine-tuning of a few layers: which learn, from which classes, with which gradient."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.experiments.fine_tuning import (
    freeze_except,
    gradients,
    inputs_of,
    last_convolutions,
    select_classes,
    trained_parameters,
    without,
)
from workbench.networks.resnet import ResNet


def test_selected_classes_are_numbered_in_the_given_order():
    split = fashion_mnist_small()
    data = select_classes(split, (9, 5))
    assert data.train.images.shape == (1000, 1, 28, 28)
    assert data.test.labels.bincount().tolist() == [100, 100]
    row = int((torch.from_numpy(split.train.labels) == 9).nonzero()[0])
    image = torch.from_numpy(split.train.images[row]).float()
    first = data.train.images[data.train.labels == 0][0, 0]
    assert torch.corrcoef(torch.stack([image.flatten(), first.flatten()]))[0, 1] > 0.9999
    everything = select_classes(split, range(10)).train.images
    assert float(everything.mean()) == pytest.approx(0, abs=1e-4)
    assert float(everything.std()) == pytest.approx(1, abs=1e-4)
    with pytest.raises(ValueError, match="different numbers from 0 to 9"):
        select_classes(split, (1, 1))


def test_only_the_named_layers_learn():
    network = ResNet(1, 4, c_in=1, n_classes=3)
    assert last_convolutions(network, 2) == ["layer3.0.conv1", "layer3.0.conv2"]
    freeze_except(network, ["layer3.0.conv2", "linear"])
    learning = {id(p) for p in trained_parameters(network)}
    expected = (network.get_parameter("layer3.0.conv2.weight"), *network.linear.parameters())
    assert learning == {id(p) for p in expected}
    assert not any(module.training for module in network.modules())


def test_the_rule_gives_the_clipped_gradient():
    network, x, y = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), 100 * torch.randn(6, 1, 2, 2), torch.arange(6) % 3
    exact = torch.autograd.grad(F.cross_entropy(network(x), y), list(network.parameters()))
    norm = torch.cat([g.flatten() for g in exact]).norm()
    gradients(network, x, y)
    for p, g in zip(network.parameters(), exact, strict=True):
        torch.testing.assert_close(p.grad, g * 2.0 / norm, rtol=1e-4, atol=1e-6)


def test_a_network_without_its_frozen_part_gives_the_same_gradients():
    network = freeze_except(ResNet(1, 4, c_in=1, n_classes=3), ["layer3.0.conv1", "linear"])
    data = select_classes(fashion_mnist_small(), (5, 7, 9)).train
    data = data._replace(images=data.images[:9], labels=data.labels[:9])
    features = inputs_of(network, "layer3", data, batch_size=4)
    tail = without(network, ("conv1", "bn1", "relu", "layer1", "layer2"))
    for n, x in ((network, data.images), (tail, features.images)):
        gradients(n, x, data.labels)
    for p, q in zip(trained_parameters(network), trained_parameters(tail), strict=True):
        torch.testing.assert_close(p.grad, q.grad)
