"""What LANCE is compared with: HOSVD or a step of subspace iteration at every step, and gradient checkpointing.

    full backpropagation       keeps every input                    the network as it is
    fewer layers               keeps fewer inputs                   `fine_tuning.freeze_except` with a shorter list
    checkpointing              keeps the inputs of whole blocks and runs each block a second time; gradients exact
    HOSVD at every step        decomposes each input anew (arXiv 2411.06346): best bases, a decomposition per step
    subspace iteration (ASI)   one warm step from the last bases, at fixed ranks (arXiv 2505.05086):
                               `compress(..., compressor=WarmSubspace)`
    LANCE                      bases found once

The two low-rank baselines share LANCE's layers, so that all differences come from the bases.
"""

from collections.abc import Sequence
from copy import deepcopy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.compression.calibration import Modes, cut_modes
from workbench.compression.hosvd import LeftVectors, by_svd, hosvd, subspace_step
from workbench.compression.lance import FixedBases, replace_layer
from workbench.compression.lean import make_lean
from workbench.compression.tucker import Tucker, project


class EachStepHosvd(nn.Module):
    """Calling it on X gives the HOSVD of X itself, cut by energy, so its ranks change from step to step."""

    def __init__(self, energy: float, modes: Modes, is_convolution: bool, left_vectors: LeftVectors):
        super().__init__()
        self.energy, self.modes, self.is_convolution = energy, modes, is_convolution
        self.left_vectors = left_vectors

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "..."]) -> Tucker:
        return hosvd(x, self.energy, cut_modes(self.modes, x.ndim, self.is_convolution), self.left_vectors)


class WarmSubspace(FixedBases):
    """Bases that follow the data: each call moves them by one step of subspace iteration on X, then projects X."""

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "..."]) -> Tucker:
        bases = []
        for mode, basis in enumerate(self.bases):
            if mode == 0 and len(x) != self.sizes[0]:
                bases.append(None)  # the last batch of an epoch: its batch mode stays whole
                continue
            bases.append(None if basis is None else subspace_step(x, basis, mode))
            if basis is not None:
                setattr(self, f"basis_{mode}", bases[-1])
        return Tucker(project(x, bases), tuple(bases))

    def again(self, x: Float[Tensor, "..."]) -> Tucker:
        """X projected on the bases as they are."""
        return super().forward(x)


class _RunTwice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, block, x, *parameters):
        ctx.block = block
        ctx.save_for_backward(x, *parameters)
        return block(x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        x, *parameters = ctx.saved_tensors
        with torch.enable_grad():
            x = x.detach().requires_grad_(ctx.needs_input_grad[1]).view_as(x)  # no leaf: counters of products hook it
            y = ctx.block(x)
        grads = iter(torch.autograd.grad(y, [t for t in (x, *parameters) if t.requires_grad], grad))
        return None, *[next(grads) if t.requires_grad else None for t in (x, *parameters)]


class Checkpointed(nn.Module):
    """A block that keeps its input only, and runs a second time in the backward pass.

    `torch.utils.checkpoint` does the same, but what it computes a second time is hidden from `saved_tensors_hooks`, so
    that its memory would be counted too low. The block must give the same output both times: no dropout.
    """

    def __init__(self, block: nn.Module):
        super().__init__()
        self.block = block

    def forward(self, x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        learning = [parameter for parameter in self.block.parameters() if parameter.requires_grad]
        return _RunTwice.apply(self.block, x, *learning)  # pyright: ignore[reportReturnType]


def hosvd_each_step(
    network: nn.Module,
    layers: Sequence[str],
    energy: float = 0.7,
    modes: Modes = Modes(),
    left_vectors: LeftVectors = by_svd,
) -> nn.Module:
    """A copy of `network` whose `layers` keep a fresh HOSVD of their input at every step; ReLU and norms made lean."""
    network = deepcopy(network)
    for name in layers:
        is_convolution = isinstance(network.get_submodule(name), nn.Conv2d)
        replace_layer(network, name, EachStepHosvd(energy, modes, is_convolution, left_vectors))
    return make_lean(network)


def checkpointed(network: nn.Module, blocks: Sequence[str]) -> nn.Module:
    """A copy of `network` whose `blocks` (names of submodules that take and give one tensor) are checkpointed."""
    network = deepcopy(network)
    for name in blocks:
        network.set_submodule(name, Checkpointed(network.get_submodule(name)))
    return network
