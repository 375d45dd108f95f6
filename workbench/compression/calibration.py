"""Calibration: the correlation of every tensor mode of a layer's inputs, and the bases that hold most of their energy.

    R_i = Σ_b w_b X_b₍ᵢ₎ X_b₍ᵢ₎ᵀ / Σ_b w_b m_b        m_b samples in batch b; w_b = 1 for the plain mean
    U_i = leading eigenvectors of R_i that hold more than the share ε of its trace

With w_b = 1 and any mode but the batch mode the result does not depend on the order of the data or on how it is cut
into batches. The batch mode correlates *positions* in a batch; it only sees batches as large as the first one.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.compression.tucker import mode_correlation, rank_for_energy, spectrum, tucker_elements
from workbench.faces import short_repr
from workbench.kernels.frugal import connection_named
from workbench.meters.evaluation import evaluation

Weighting = Callable[[int, int], float]
Run = Callable[[nn.Module, Tensor], object]  # the network over a batch of inputs


class Modes(NamedTuple):
    """Which modes of a layer's input are cut: batch, space, feature. The published code cuts all.

    Batch and space are summed out in the weight gradient, so cutting either can turn it uphill (`compression.lance`
    has an example); cutting features alone cannot.
    """

    batch: bool = False
    space: bool = True
    feature: bool = True

    __repr__ = short_repr


def cut_modes(modes: Modes, ndim: int, is_convolution: bool) -> list[int]:
    """Indices of the modes to cut of an input with `ndim` modes: convolutions (b, c, h, w), linear layers (b, …, f).

    >>> cut_modes(Modes(), 4, is_convolution=True), cut_modes(Modes(), 2, is_convolution=False)
    ([1, 2, 3], [1])
    """
    cut = [modes.batch, *[modes.space] * (ndim - 1)]
    cut[1 if is_convolution else ndim - 1] = modes.feature
    return [mode for mode in range(ndim) if cut[mode]]


class Calibration(NamedTuple):
    """What calibration learns about one layer: sizes of its input modes, and R_i per mode (None: left whole)."""

    sizes: tuple[int, ...]
    correlations: tuple[Float[Tensor, "_ _"] | None, ...]


def plain_mean(batch_index: int, mode_size: int) -> float:
    """w_b = 1: every sample counts the same."""
    return 1.0


def first_batch_heavy(batch_index: int, mode_size: int) -> float:
    """As the published code: the first batch counts n_i times as much as any later one.

    Σ_i = (n_i R_1 + R_2 + … + R_N) / (n_i N); with N = 100 and n_i = 512 the first batch has 84 % of the weight (N2).
    """
    return float(mode_size) if batch_index == 0 else 1.0


def called(network: nn.Module, x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """`network(x)`, as most networks are run."""
    return network(x)


def calibrate(
    network: nn.Module,
    batches: Iterable[Float[Tensor, "..."]],
    layers: Sequence[str],
    modes: Modes = Modes(),
    weighting: Weighting = plain_mean,
    run: Run = called,
) -> dict[str, Calibration]:
    """Run `network` on `batches` of inputs, without gradient and in evaluation mode, and correlate each layer's inputs.

    `layers` are names as in `network.named_modules()`, of `nn.Conv2d` or `nn.Linear`. A spiking network is run by
    `run=networks.spiking_logits`, on batches `(time, batch, ...)`; steps and samples are one mode of its connections.
    """
    sums = {name: _Sums(connection_named(network, name), modes, weighting) for name in layers}
    handles = [network.get_submodule(name).register_forward_pre_hook(s.hook) for name, s in sums.items()]
    try:
        with evaluation(network), torch.no_grad():
            for batch in batches:
                run(network, _check_batch(batch))
    finally:
        for handle in handles:
            handle.remove()
    return {name: s.result(name) for name, s in sums.items()}


def leading_bases(calibration: Calibration, energy: float) -> tuple[Float[Tensor, "_ _"] | None, ...]:
    """U_i per mode (at least rank 1): the eigenvectors of R_i that hold more than the share `energy` of its trace."""
    bases = []
    for correlation in calibration.correlations:
        if correlation is None:
            bases.append(None)
            continue
        energies, vectors = spectrum(correlation)
        bases.append(vectors[:, : max(rank_for_energy(energies, energy), 1)].clone())
    return tuple(bases)


def kept_elements(calibration: Calibration, energy: float) -> int:
    """Numbers that LANCE keeps for one batch of the calibrated size: Π r_i + Σ n_i r_i."""
    ranks = [None if U is None else U.shape[1] for U in leading_bases(calibration, energy)]
    return tucker_elements(calibration.sizes, ranks)


class _Sums:
    """Running weighted sums of the mode correlations of one layer's inputs."""

    def __init__(self, layer: nn.Conv2d | nn.Linear, modes: Modes, weighting: Weighting):
        self.is_conv, self.modes, self.weighting = isinstance(layer, nn.Conv2d), modes, weighting
        self.sizes: tuple[int, ...] = ()
        self.totals: dict[int, Tensor] = {}
        self.weights: dict[int, float] = {}
        self.n_batches = 0

    def hook(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.add(inputs[0])

    def add(self, x: Tensor) -> None:
        self.sizes = self.sizes or tuple(x.shape)
        if x.shape[1:] != self.sizes[1:]:
            raise ValueError(
                f"the inputs of a calibrated layer must keep one shape, got {tuple(x.shape)} after {self.sizes}; "
                "calibrate with inputs of a single size"
            )
        for mode in cut_modes(self.modes, x.ndim, self.is_conv):
            if mode == 0 and len(x) != self.sizes[0]:
                continue
            w = self.weighting(self.n_batches, x.shape[mode])
            self.totals[mode] = self.totals.get(mode, 0) + w * mode_correlation(x, mode)
            self.weights[mode] = self.weights.get(mode, 0.0) + w * len(x)
        self.n_batches += 1

    def result(self, name: str) -> Calibration:
        if not self.n_batches:
            raise ValueError(f"layer {name!r} saw no input; give at least one batch, and layers that the network uses")
        means = {mode: total / self.weights[mode] for mode, total in self.totals.items()}
        if not all(bool(torch.isfinite(mean).all()) for mean in means.values()):
            raise ValueError(f"the inputs of layer {name!r} hold NaN or infinity; check the data and the weights")
        return Calibration(self.sizes, tuple(means.get(mode) for mode in range(len(self.sizes))))


def _check_batch(batch: object) -> Tensor:
    if not isinstance(batch, Tensor):
        raise ValueError(
            f"calibration takes batches of input tensors, got {type(batch).__name__}; for (x, y) pairs write "
            "(x for x, _ in loader)"
        )
    return batch
