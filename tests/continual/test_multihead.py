"""Networks with a head for each task."""

import pytest
import torch
from torch import nn

from workbench.continual.methods.code_cl import CodeCL
from workbench.continual.multihead import alexnet, mlp, reduced_resnet18
from workbench.continual.protected import protected_layers, select_task


@pytest.mark.parametrize(
    ("network", "shape", "classes", "dimensions"),
    [
        (lambda: mlp([2, 2]), (4, 1, 28, 28), 2, [784, 100]),
        (lambda: mlp([10]), (4, 784), 10, [784, 100, 100]),
        (lambda: alexnet([10] * 2), (4, 3, 32, 32), 10, [48, 576, 512, 1024, 2048]),
        (lambda: reduced_resnet18([5] * 2), (2, 3, 32, 32), 5, None),
        (lambda: reduced_resnet18([5] * 2, stem_stride=2), (2, 3, 84, 84), 5, None),
    ],
)
def test_the_networks_of_the_paper(network, shape, classes, dimensions):
    network = network()
    CodeCL(network)
    found = [len(layer.vectors) for layer in protected_layers(network).values()]
    if dimensions is None:  # stem; two blocks of 20; then 20→40, 40→80, 80→160 with a 1×1 shortcut each
        dimensions = [27, *[180] * 4]
        for n in (20, 40, 80):
            dimensions += [n * 9, n * 18, n, n * 18, n * 18]
    assert found == dimensions
    assert network(torch.randn(shape), 0).shape == (shape[0], classes)
    assert [
        each.bias for each in network.modules() if isinstance(each, nn.Linear | nn.Conv2d) if each.bias is not None
    ] == []
    if len(found) == 5:
        assert sum(d * d for d in found) == 5_839_104  # numbers of a dense conceptor memory (22.3 MiB)


def test_tasks_without_head():
    with pytest.raises(ValueError, match=r"heads for tasks 0..1, got task 2"):
        mlp([2, 2])(torch.randn(1, 784), 2)
    with pytest.raises(ValueError, match="at least one"):
        mlp([])
    shared = mlp([10])
    assert shared.head(7) is shared.heads[0]
    select_task(shared, 3)
    assert bool(shared(torch.randn(1, 784), 3).isfinite().all())
