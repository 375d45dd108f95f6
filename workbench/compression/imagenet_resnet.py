"""ResNet-18 and ResNet-34 for ImageNet, with the layer names of torchvision and timm, so that their files fit.

Paper: He et al., arXiv 1512.03385, table 1; shortcuts that change shape are 1×1 convolutions with normalisation (option
B). Files such as `resnet18-f37072fd.pth` are read by `workbench.compression.pretrained.load_weights`.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn


class Block(nn.Module):
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
            first = Block(c_in, c_out, stride=1 if i == 1 else 2)
            self.add_module(f"layer{i}", nn.Sequential(first, *[Block(c_out, c_out, 1) for _ in range(count - 1)]))
        self.fc = nn.Linear(512, n_classes)

    def forward(self, x: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch n_classes"]:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for i in range(1, 5):
            x = self.get_submodule(f"layer{i}")(x)
        return self.fc(x.mean((2, 3)))


def resnet18(n_classes: int = 1000) -> ImageNetResNet:
    """ResNet-18: two blocks per stage."""
    return ImageNetResNet((2, 2, 2, 2), n_classes)


def resnet34(n_classes: int = 1000) -> ImageNetResNet:
    """ResNet-34: 3, 4, 6 and 3 blocks."""
    return ImageNetResNet((3, 4, 6, 3), n_classes)
