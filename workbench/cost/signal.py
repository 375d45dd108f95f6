"""What learning signals cost by the formulas of the TESS paper (arXiv 2502.01837, section III-B), one sample.

N_l neurons of layer l, M_l multiply-accumulate operations (MACs) of a step: N_l N_{l−1} where it is dense. T steps, K
of them learn, C classes. Only the learning signal is counted, neither the forward pass nor the weight gradient:

    MACs     BPTT  T Σ M_l        S-TLLR  K Σ M_l        TESS  K Σ 2 N_l C
    memory   BPTT  T Σ N_l        S-TLLR and TESS  2 Σ N_l, or Σ N_l with α_post = 0

The first layer has nobody below to tell anything, so its M is left out, and the readout's is in. So counted, the
columns of the paper for BPTT and S-TLLR come out digit by digit. Its column for TESS does not: for CIFAR-10 it prints
5.48 million where the formula gives 49.2 million with the N_l neurons of the layers, and 1.23 million with the pooled
latents that the signal is really computed from. A straight line through the paper's four numbers is about
0.69 million + 2 · 11,300 · C per step: pooled latents, and some three operations per neuron.
"""

from collections.abc import Sequence

from workbench.rule import LayerSize


def backpropagated_macs(sizes: Sequence[LayerSize], learning_steps: int) -> int:
    """Σ M_l over the layers that hand an error down, for `learning_steps` steps: BPTT with T, S-TLLR with K.

    `sizes` from `workbench.cost.formulas.layer_sizes`: the input first, the readout last.
    """
    return learning_steps * sum(size.macs for size in sizes[2:])


def basis_macs(units: Sequence[int], classes: int, learning_steps: int) -> int:
    """K Σ 2 n C: two products with a basis `(classes, n)` in each layer; n the neurons or the pooled latents.

    >>> basis_macs([100, 50], classes=10, learning_steps=4)
    12000
    """
    return learning_steps * sum(2 * n * classes for n in units)
