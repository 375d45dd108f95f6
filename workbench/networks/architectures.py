"""The networks of the S-TLLR paper (arXiv 2306.15220, Appendix A) and small ones of the same kind.

    VGG-9      64C3–128C3–P2–256C3–256C3–P2–512C3–512C3–P2–512C3–512C3–P2–FC         C3: 3×3, padding 1
    ResNet-18  64C3–P2, stages of 64, 128, 256, 512 channels with two residual blocks each, strides 1, 2, 2, 2, FC
    sound      700 inputs – 450 recurrent neurons – 20 leaky-integrator readouts

Pooling is the average in the paper and the maximum in the released script for DVS Gesture. The paper's neurons have
γ = 0.5, v_th = 0.8 for images and 0.99, 0.8 for sound; the released code has v_th = 0.6, and γ = 0.9933 for sound.
`seed` fixes the first weights.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.faces import short_repr
from workbench.networks.layers import LeakyReadout, Rescale, SpikingLayer, TimeDropout
from workbench.networks.seeded import seeded
from workbench.networks.spiking import ResidualBlock, SpikingMLP, SpikingSequential
from workbench.neurons.lif import Neuron, Reset, soft_reset
from workbench.neurons.surrogate import Psi, psi_gesture, psi_speech

PAPER_IMAGES, RELEASED_IMAGES = Neuron(0.5, 0.8), Neuron(0.5, 0.6)  # γ, v_th
PAPER_SOUND, RELEASED_SOUND = Neuron(0.99, 0.8), Neuron(0.9933071490757153, 0.6)  # γ, v_th
VGG9 = ((64, 128), (256, 256), (512, 512), (512, 512))
SMALL_VGG = ((16, 32), (64, 64), (128, 128), (128, 128))


class Cells(NamedTuple):
    """What all spiking layers of a convolutional network have in common."""

    neuron: Neuron = PAPER_IMAGES
    psi: Psi = psi_gesture
    standardize: bool | Rescale = True
    bias: bool = True
    reset: Reset = soft_reset
    gain: float = 1.0

    __repr__ = short_repr


def spiking_conv(n_in: int, n_out: int, cells: Cells, stride: int = 1, size: int = 3) -> SpikingLayer:
    """A `size` × `size` convolution that keeps height and width (up to the stride), and its neurons."""
    connection = nn.Conv2d(n_in, n_out, size, stride, padding=size // 2, bias=cells.bias)
    return SpikingLayer(connection, cells.neuron, cells.psi, cells.standardize, cells.reset, gain=cells.gain)


class AveragePool(nn.Module):
    """P2 of the paper: 2×2 average, as `nn.AvgPool2d(2)`, and eight times as fast where no gradient is asked for.

    The library's loop goes pixel by pixel; sums of whole rows, then of columns, are done many numbers at a time.
    """

    def forward(self, x: Float[Tensor, "*batch height width"]) -> Float[Tensor, "*batch half_height half_width"]:
        if torch.is_grad_enabled():
            return F.avg_pool2d(x, 2)
        height, width = (size // 2 * 2 for size in x.shape[-2:])
        rows = x[..., 0:height:2, :width] + x[..., 1:height:2, :width]
        return (rows[..., 0::2] + rows[..., 1::2]).mul_(0.25)


def average_pool() -> nn.Module:
    """P2 of the paper: 2×2 average."""
    return AveragePool()


def maximum_pool() -> nn.Module:
    """P2 of the released script for DVS Gesture: 2×2 maximum."""
    return nn.MaxPool2d(2)


def global_pool() -> nn.Module:
    """The released code's last pooling: the average of each channel."""
    return nn.AdaptiveAvgPool2d(1)


def spiking_vgg(
    blocks: Sequence[Sequence[int]],
    classes: int,
    input_shape: tuple[int, int, int] = (2, 32, 32),
    cells: Cells = Cells(),
    pool: Callable[[], nn.Module] = average_pool,
    last_pool: Callable[[], nn.Module] | None = None,
    dropout: float = 0.0,
    readout_decay: float = 0.0,
    seed: int = 0,
) -> SpikingSequential:
    """Blocks of 3×3 spiking convolutions with the given numbers of channels, each followed by a pooling.

    input_shape: channels, height, width. last_pool: after the last block, `pool` if None. dropout: probability of the
    time-constant mask after each block (the papers do not say where theirs sits).
    """
    channels, height, width = input_shape
    side = 2 ** len(blocks)
    pooled = 1 if last_pool is global_pool else (height // side) * (width // side)
    if not pooled:
        raise ValueError(f"{len(blocks)} poolings leave nothing of an image of {height} × {width}")
    parts: list[nn.Module] = []
    with seeded(seed):
        for place, block in enumerate(blocks):
            for n_out in block:
                parts.append(spiking_conv(channels, n_out, cells))
                channels = n_out
            last = place == len(blocks) - 1
            parts.append(last_pool() if last and last_pool is not None else pool())
            parts.extend([TimeDropout(dropout)] if dropout else [])
        return SpikingSequential(*parts, nn.Flatten(), LeakyReadout(channels * pooled, classes, readout_decay))


def vgg9(classes: int, input_shape: tuple[int, int, int] = (2, 32, 32), **options: object) -> SpikingSequential:
    """The paper's VGG-9; options as for `spiking_vgg`."""
    return spiking_vgg(VGG9, classes, input_shape, **options)  # pyright: ignore[reportArgumentType]


def small_vgg(classes: int, input_shape: tuple[int, int, int] = (2, 32, 32), **options: object) -> SpikingSequential:
    """VGG-9 with a quarter of the channels, for benchmarks and laptops; options as for `spiking_vgg`."""
    return spiking_vgg(SMALL_VGG, classes, input_shape, **options)  # pyright: ignore[reportArgumentType]


def spiking_small_conv(
    classes: int, input_shape: tuple[int, int, int] = (2, 28, 28), **options: object
) -> SpikingSequential:
    """16C3–P2–32C3–P2–FC for notebooks; options as for `spiking_vgg`."""
    return spiking_vgg(((16,), (32,)), classes, input_shape, **options)  # pyright: ignore[reportArgumentType]


def spiking_resnet18(
    classes: int,
    in_channels: int = 2,
    cells: Cells = Cells(),
    stages: Sequence[int] = (64, 128, 256, 512),
    readout_decay: float = 0.0,
    seed: int = 0,
) -> SpikingSequential:
    """The paper's ResNet-18: every convolution spikes, a 1×1 one where the shortcut changes shape; average to 1×1."""
    channels = stages[0]
    with seeded(seed):
        parts: list[nn.Module] = [spiking_conv(in_channels, channels, cells), AveragePool()]
        for place, n_out in enumerate(stages):
            for stride in (1 if place == 0 else 2, 1):
                parts.append(residual_block(channels, n_out, cells, stride))
                channels = n_out
        return SpikingSequential(*parts, global_pool(), nn.Flatten(), LeakyReadout(channels, classes, readout_decay))


def residual_block(n_in: int, n_out: int, cells: Cells, stride: int) -> ResidualBlock:
    """Two 3×3 spiking convolutions beside a shortcut."""
    body = SpikingSequential(spiking_conv(n_in, n_out, cells, stride), spiking_conv(n_out, n_out, cells))
    changes = stride != 1 or n_in != n_out
    return ResidualBlock(body, spiking_conv(n_in, n_out, cells, stride, size=1) if changes else None)


def sound_network(
    inputs: int = 700,
    neurons: int = 450,
    classes: int = 20,
    neuron: Neuron = PAPER_SOUND,
    psi: Psi = psi_speech,
    standardize: bool | Rescale = True,
    seed: int = 0,
) -> SpikingMLP:
    """The paper's network for spoken digits: 700–450 recurrent–20, with a leaky-integrator readout of the same γ."""
    sizes, decay = [inputs, neurons], neuron.decay
    with seeded(seed):
        return SpikingMLP(sizes, classes, neuron, psi, standardize, readout_decay=decay, recurrent=True)
