"""The CIFAR-style residual network of depth 6n + 2 (ResNet-20: n = 3), with parameter-free shortcuts.

Paper: He et al., "Deep residual learning for image recognition", arXiv 1512.03385, section 4.2. Three stages of n
blocks at full, half and quarter resolution with w, 2w and 4w channels (w = 16); where the shape changes, the shortcut
takes every second pixel and pads the new channels with zeros (option A). Names as in most published checkpoints:
`conv1, bn1, layer1.0.conv1, …, layer3.2.bn2, linear`.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from workbench.networks.seeded import seeded


class BasicBlock(nn.Module):
    """ReLU(norm(conv(ReLU(norm(conv(x))))) + shortcut(x)). Each ReLU is a module of its own, so it can be replaced."""

    def __init__(self, c_in: int, c_out: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.relu2 = nn.ReLU(inplace=True)
        self.stride, self.new_channels = stride, c_out - c_in

    def forward(self, x: Float[Tensor, "batch c_in h w"]) -> Float[Tensor, "batch c_out h_out w_out"]:
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu2(y + pad_shortcut(x, self.stride, self.new_channels))


def pad_shortcut(
    x: Float[Tensor, "batch c_in h w"], stride: int, new_channels: int
) -> Float[Tensor, "batch c_out h_out w_out"]:
    """Option A: every `stride`-th pixel, and zeros for the new channels, half of them on either side."""
    if stride == 1 and new_channels == 0:
        return x
    before = new_channels // 2
    return F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, before, new_channels - before))


class ResNet(nn.Module):
    """ResNet-(6n+2) for small images: `blocks` is n, `width` the channels of the first stage.

    >>> sum(p.numel() for p in ResNet(blocks=3).parameters())
    269722
    """

    def __init__(self, blocks: int = 3, width: int = 16, c_in: int = 3, n_classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = _stage(width, width, blocks, stride=1)
        self.layer2 = _stage(width, 2 * width, blocks, stride=2)
        self.layer3 = _stage(2 * width, 4 * width, blocks, stride=2)
        self.linear = nn.Linear(4 * width, n_classes)

    def forward(self, x: Float[Tensor, "batch c_in h w"]) -> Float[Tensor, "batch n_classes"]:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def resnet20(c_in: int = 3, n_classes: int = 10, seed: int = 0) -> ResNet:
    """ResNet-20: three blocks per stage, 16, 32 and 64 channels; `seed` fixes the first weights."""
    with seeded(seed):
        return ResNet(3, 16, c_in, n_classes)


def _stage(c_in: int, c_out: int, blocks: int, stride: int) -> nn.Sequential:
    first = BasicBlock(c_in, c_out, stride)
    return nn.Sequential(first, *[BasicBlock(c_out, c_out, 1) for _ in range(blocks - 1)])


class ImageNetBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut; a ReLU module of its own at each place."""

    def __init__(self, c_in: int, c_out: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.relu2 = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or c_in != c_out:
            projection = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
            self.downsample = nn.Sequential(projection, nn.BatchNorm2d(c_out))

    def forward(self, x: Float[Tensor, "batch c_in h w"]) -> Float[Tensor, "batch c_out h_out w_out"]:
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu2(y + (x if self.downsample is None else self.downsample(x)))


class ImageNetResNet(nn.Module):
    """Four stages of `blocks` blocks, 64 to 512 channels, behind a 7×7 stem; images of 224×224 and more.

    >>> sum(p.numel() for p in ImageNetResNet((2, 2, 2, 2)).parameters())
    11689512
    """

    def __init__(self, blocks: Sequence[int], n_classes: int = 1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        widths = (64, 64, 128, 256, 512)
        for i, (count, c_in, c_out) in enumerate(zip(blocks, widths, widths[1:], strict=False), 1):
            first = ImageNetBlock(c_in, c_out, stride=1 if i == 1 else 2)
            self.add_module(
                f"layer{i}", nn.Sequential(first, *[ImageNetBlock(c_out, c_out, 1) for _ in range(count - 1)])
            )
        self.fc = nn.Linear(512, n_classes)

    def forward(self, x: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch n_classes"]:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for i in range(1, 5):
            x = self.get_submodule(f"layer{i}")(x)
        return self.fc(x.mean((2, 3)))


def resnet18(n_classes: int = 1000, seed: int = 0) -> ImageNetResNet:
    """ResNet-18: two blocks per stage; `seed` fixes the first weights."""
    with seeded(seed):
        return ImageNetResNet((2, 2, 2, 2), n_classes)


def resnet34(n_classes: int = 1000, seed: int = 0) -> ImageNetResNet:
    """ResNet-34: 3, 4, 6 and 3 blocks; `seed` fixes the first weights."""
    with seeded(seed):
        return ImageNetResNet((3, 4, 6, 3), n_classes)
