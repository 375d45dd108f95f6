"""Costs of teaching signals against the published tables."""

import pytest
import torch

from workbench.cost.formulas import layer_sizes
from workbench.cost.signal import backpropagated_macs, basis_macs
from workbench.networks.architectures import global_pool, maximum_pool, vgg9


@pytest.mark.parametrize(
    ("classes", "side", "steps", "millions"),
    [(10, 48, 10, 13589.59), (10, 32, 20, 12079.69), (10, 32, 6, 3623.90), (100, 32, 6, 3624.18)],
)
def test_the_macs_of_the_tess_paper(classes, side, steps, millions):
    """Table III of arXiv 2502.01837, the columns of BPTT and S-TLLR."""
    network = vgg9(classes, (3, side, side), pool=maximum_pool, last_pool=global_pool)
    sizes = layer_sizes(network, torch.zeros(1, 1, 3, side, side))
    assert backpropagated_macs(sizes, steps) / 1e6 == pytest.approx(millions, abs=0.011)


def test_the_formula_of_tess_does_not_give_the_papers_column():
    network = vgg9(10, (3, 32, 32), pool=maximum_pool, last_pool=global_pool)
    neurons = [size.neurons for size in layer_sizes(network, torch.zeros(1, 1, 3, 32, 32))[1:-1]]
    latents = [1024, 512, 1024, 1024, 2048, 2048, 2048, 512]
    assert basis_macs(neurons, 10, 6) == 49_152_000
    assert basis_macs(latents, 10, 6) == 1_228_800
    assert not 5.4e6 < basis_macs(latents, 10, 6) < 5.5e6  # what the paper prints is 5.48 million
