"""One convolution of the fine-tuned network under the microscope: what a choice of energy and modes keeps and loses.

X        the layer's input for one batch, G the gradient of the loss with respect to its output
σ_k      singular values of each mode over the calibration data: roots of the eigenvalues of R_i
X̂        X projected on the bases U_i that hold more than the share ε of each cut mode's energy
cosine   between the weight gradient at X̂ (what LANCE uses) and at X (backpropagation)
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.compression.calibration import Calibration, Modes, calibrate, cut_modes
from workbench.compression.lance import conv2d_weight_gradient
from workbench.compression.tucker import expand, project, rank_for_energy, relative_error, spectrum, tucker_elements
from workbench.experiments.fine_tuning import gradients
from workbench.experiments.new_clothes import BATCH, LAYERS, new_clothes
from workbench.kernels.convolution import geometry_of
from workbench.meters.evaluation import untouched

MODE_NAMES = ("batch", "channels", "height", "width")  # of a convolution's input
ALL_MODES = Modes(batch=True, space=True, feature=True)
EVERY = 7  # a seventh of the images, 286 of them: enough for four batches


class Specimen(NamedTuple):
    """A convolution with its input and output gradient for one batch, and each mode's energies and eigenvectors.

    photographs: what the whole network was given, pixels of mean 0 and deviation 1.
    """

    conv: nn.Conv2d
    x: Float[Tensor, "batch channels height width"]
    grad_output: Float[Tensor, "batch c_out h_out w_out"]
    energies: tuple[Float[Tensor, " _"], ...]
    vectors: tuple[Float[Tensor, "_ _"], ...]
    photographs: Float[Tensor, "batch 1 rows columns"]


class Compression(NamedTuple):
    """Ranks (None: left whole), bytes of X and of what is kept, cosine of the weight gradient, ‖X − X̂‖/‖X‖, and X̂."""

    ranks: tuple[int | None, ...]
    input_bytes: int
    kept_bytes: int
    cosine: float
    error: float
    approximation: Float[Tensor, "batch channels height width"]


@lru_cache(maxsize=1)
def specimens(calibration_batches: int = 4) -> dict[str, Specimen]:
    """The four convolutions that `transfer.new_clothes` fine-tunes, as they are before the first step, by name."""
    task = new_clothes(every=EVERY)
    batches = task.calibration()
    chosen = torch.randperm(len(task.data.train.labels), generator=_seed())[:BATCH]
    (x, y), (photographs, _) = task.data.train.batch(chosen), task.images.train.batch(chosen)
    inputs, grads = _listen(task.network, x, y)
    learned = calibrate(task.network, batches[:calibration_batches], LAYERS, ALL_MODES)
    convolutions = {name: task.network.get_submodule(name) for name in LAYERS}
    return {
        name: _specimen(conv, inputs[name], grads[name], learned[name], photographs)
        for name, conv in convolutions.items()
    }


def compress_specimen(specimen: Specimen, energy: float, modes: Modes = Modes()) -> Compression:
    """Cut the chosen modes of X to the share `energy` and see what that does to the weight gradient."""
    conv, x, bases = specimen.conv, specimen.x, _bases(specimen, energy, modes)
    geometry, kernel = geometry_of(conv), (conv.weight.shape[2], conv.weight.shape[3])
    core = project(x, bases)
    exact = conv2d_weight_gradient(x, [None] * 4, specimen.grad_output, kernel, geometry)
    ours = conv2d_weight_gradient(core, bases, specimen.grad_output, kernel, geometry)
    x_hat = expand(core, bases)
    ranks = tuple(None if U is None else U.shape[1] for U in bases)
    cosine = float(torch.cosine_similarity(ours.flatten(), exact.flatten(), 0))
    kept = tucker_elements(x.shape, ranks) * x.element_size()
    return Compression(ranks, x.numel() * x.element_size(), kept, cosine, relative_error(x, x_hat), x_hat)


def tradeoff(specimen: Specimen, energies: Sequence[float], modes: Modes = Modes()) -> tuple[list[float], list[float]]:
    """For each energy: how many times fewer bytes are kept, and the cosine of the weight gradient."""
    found = [compress_specimen(specimen, energy, modes) for energy in energies]
    return [f.input_bytes / f.kept_bytes for f in found], [f.cosine for f in found]


def mosaic(channels: Float[Tensor, "channel height width"], columns: int = 8) -> Float[Tensor, "rows columns"]:
    """All channels of one image side by side in rows of `columns`, with gaps (NaN) of one pixel between them."""
    count, height, width = channels.shape
    rows = -(-count // columns)
    tiles = torch.full((rows * columns, height + 1, width + 1), torch.nan)
    tiles[:count, :height, :width] = channels
    picture = tiles.view(rows, columns, height + 1, width + 1).movedim(1, 2).reshape(rows * (height + 1), -1)
    return picture[:-1, :-1]


def _bases(specimen: Specimen, energy: float, modes: Modes) -> list[Tensor | None]:
    bases: list[Tensor | None] = [None] * 4
    for mode in cut_modes(modes, 4, is_convolution=True):
        rank = max(rank_for_energy(specimen.energies[mode], energy), 1)
        bases[mode] = specimen.vectors[mode][:, :rank]
    return bases


def _specimen(conv: nn.Module, x: Tensor, grad: Tensor, calibration: Calibration, photographs: Tensor) -> Specimen:
    assert isinstance(conv, nn.Conv2d)
    spectra = [spectrum(R) for R in calibration.correlations if R is not None]
    energies, vectors = zip(*spectra, strict=True)
    return Specimen(conv, x, grad, energies, tuple(U.to(x) for U in vectors), photographs)


def _listen(network: nn.Module, x: Tensor, y: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Inputs and output gradients of `LAYERS` in one training step."""
    inputs: dict[str, Tensor] = {}
    grads: dict[str, Tensor] = {}
    handles = []
    for name in LAYERS:

        def listen(_: nn.Module, given: Sequence[Tensor], output: Tensor, name: str = name) -> None:
            inputs[name] = given[0].detach().clone()
            output.register_hook(lambda grad: grads.update({name: grad.clone()}))

        handles.append(network.get_submodule(name).register_forward_hook(listen))
    with untouched(network):
        gradients(network, x, y)
    for handle in handles:
        handle.remove()
    return inputs, grads


def _seed() -> torch.Generator:
    return torch.Generator().manual_seed(1)
