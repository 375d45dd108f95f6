"""What one sample costs in multiply-accumulate operations (MACs), by formula: LLS against backpropagation.

Papers: LLS (arXiv 2405.15868) claims "up to 300 times fewer MACs". That is true of one part only, the error signal:

    LLS               Σ_l 2 C n_l                        latents against C basis rows, and back
    backpropagation   Σ_{l>1} MACs of block l forward    the gradient with respect to each block's input

Both also run forward and compute the gradients of the weights, which cost as much as the forward pass each. So the fair
totals differ by a third at most. Counted: linear maps and basis products. Not counted: batch normalisation, pooling,
activation functions, which are linear in the number of activations. Symbols: C rows of the basis, n_l latents.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from workbench.meters.evaluation import evaluation
from workbench.networks.blocks import BlockNetwork
from workbench.networks.layers import apply


class Macs(NamedTuple):
    """MACs per sample: forward pass, error signal, weight gradients."""

    forward: int
    signal: int
    weight_gradients: int

    def total(self) -> int:
        """All three together: the number by which two rules should be compared."""
        return sum(self)


def lls_macs(network: BlockNetwork, input_shape: Sequence[int], rows: int | None = None) -> Macs:
    """One sample of LLS; `rows` of the basis, by default one per class (LLS-MxM-reduced has others).

    The classifier's error needs no product. A trained m or M adds C or rows · C MACs per block, not counted here.
    """
    maps = connection_macs(network, input_shape)
    rows = network.classifier.out_features if rows is None else rows
    signal = sum(2 * rows * block.n_latents() for block in network.blocks)
    return Macs(sum(maps), signal, sum(maps))


def backprop_macs(network: BlockNetwork, input_shape: Sequence[int]) -> Macs:
    """One sample of backpropagation: every linear map but the first also gives the gradient of its input."""
    maps = connection_macs(network, input_shape)
    return Macs(sum(maps), sum(maps[1:]), sum(maps))


@torch.no_grad()
def connection_macs(network: BlockNetwork, input_shape: Sequence[int]) -> list[int]:
    """MACs of every linear map for one sample of `input_shape`, in the order of the forward pass."""
    found = []

    def run(module: nn.Module, x: Tensor) -> Tensor:
        y = apply(module, x)
        if isinstance(module, nn.Linear | nn.Conv2d):
            found.append(y[0].numel() * module.weight[0].numel())
        return y

    weight = network.classifier.weight
    with evaluation(network):
        two = torch.zeros(2, *input_shape, dtype=weight.dtype, device=weight.device)  # one has no mean for a norm
        network(two, run)
    return found
