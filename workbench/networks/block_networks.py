"""The networks that LLS was published with, cut into blocks, and small ones for notebooks.

Papers: LLS (arXiv 2405.15868) for SmallConv, SmallConvL and VGG8, sizes as in its released code; MobileNet
(arXiv 1704.04861). `make_head` hangs a local rule's head on each block, see `workbench.rules.lls.local_head`; `seed`
fixes the first weights.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from workbench.networks.blocks import BlockNetwork, HeadMaker, conv_block, dense_block, separable_block
from workbench.networks.seeded import seeded


def _halve() -> nn.Sequential:
    return nn.Sequential(nn.MaxPool2d(2))


def _to_vector(side: int) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(side), nn.Flatten())


def _three_convolutions(
    classes: int, channels: int, widths: Sequence[int], dense: int, latents: int, make_head: HeadMaker | None, seed: int
) -> BlockNetwork:
    first, second, third = widths
    with seeded(seed):
        blocks = [
            conv_block(channels, first, 4, _halve()),
            conv_block(first, second, 2, _halve()),
            conv_block(second, third, 2, _to_vector(2)),
            dense_block(4 * third, dense, latents),
        ]
        return BlockNetwork(blocks, nn.Linear(dense, classes), make_head)


def small_conv(classes: int = 10, channels: int = 1, make_head: HeadMaker | None = None, seed: int = 0) -> BlockNetwork:
    """SmallConv: 32 – 64 – 128 channels, 512 units; latents 512, 256, 512, 512.

    >>> small_conv().describe()
    '32–64–128–512–10'
    """
    return _three_convolutions(classes, channels, (32, 64, 128), 512, 512, make_head, seed)


def small_conv_l(
    classes: int = 10, channels: int = 3, make_head: HeadMaker | None = None, seed: int = 0
) -> BlockNetwork:
    """SmallConvL: 96 – 192 – 512 channels, 1024 units; latents 1536, 768, 2048, 2048 (each dense unit twice)."""
    return _three_convolutions(classes, channels, (96, 192, 512), 1024, 2048, make_head, seed)


def mini_conv(classes: int = 10, channels: int = 1, make_head: HeadMaker | None = None, seed: int = 0) -> BlockNetwork:
    """For notebooks: 16 – 32 – 64 channels, 256 units; latents 256, 128, 256, 256. A quarter of SmallConv's work."""
    return _three_convolutions(classes, channels, (16, 32, 64), 256, 256, make_head, seed)


def vgg8(classes: int = 10, channels: int = 3, make_head: HeadMaker | None = None, seed: int = 0) -> BlockNetwork:
    """VGG8: 128, 256 – 256, 256 – 512 – 512 channels, 1024 units, max pooling at the dashes."""
    with seeded(seed):
        blocks = [
            conv_block(channels, 128, 4),
            conv_block(128, 256, 2, _halve()),
            conv_block(256, 256, 2),
            conv_block(256, 256, 2, _halve()),
            conv_block(256, 512, 2, _halve()),
            conv_block(512, 512, 2, _to_vector(2)),
            dense_block(2048, 1024),
        ]
        return BlockNetwork(blocks, nn.Linear(1024, classes), make_head)


def mobilenet(classes: int = 2, channels: int = 3, make_head: HeadMaker | None = None, seed: int = 0) -> BlockNetwork:
    """MobileNet for Visual Wake Words (128 × 128): a stride-2 convolution and 13 separable blocks."""
    widths = [32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024]
    strides = [1, 2, 1, 2, 1, 2, *[1] * 5, 2, 1]
    cells = [4, 4, 4, *[2] * 8, 1, 1]
    steps = zip(pairwise(widths), strides, cells, strict=True)
    with seeded(seed):
        blocks = [conv_block(channels, 32, 8, stride=2)]
        blocks += [separable_block(n_in, n_out, s, stride) for (n_in, n_out), stride, s in steps]
        blocks[-1].between = _to_vector(1)
        return BlockNetwork(blocks, nn.Linear(1024, classes), make_head)


def pool_before_latents(network: BlockNetwork) -> BlockNetwork:
    """Make max pooling part of the block before it, in place: latents then average what the next block receives.

    In the released networks they average the map before max pooling, where the largest activations, the only ones that
    pass, weigh no more than the others. What the network computes stays the same, and so does the number of latents.
    """
    for block in network.blocks:
        while len(block.between) and isinstance(block.between[0], nn.MaxPool2d):
            block.body.append(block.between.pop(0))
    return network


def dense_network(
    sizes: Sequence[int], classes: int, make_head: HeadMaker | None = None, normalize: bool = True, seed: int = 0
) -> BlockNetwork:
    """Dense blocks of sizes[1:] on sizes[0] inputs; images are flattened first.

    >>> dense_network([64, 100, 50], classes=10).describe()
    '100–50–10'
    """
    if len(sizes) < 2 or min(*sizes, classes) < 1:
        raise ValueError(f"sizes needs the inputs and at least one block, all positive, got {list(sizes)}")
    with seeded(seed):
        blocks = [dense_block(n_in, n_out, normalize=normalize) for n_in, n_out in pairwise(sizes)]
        blocks[0].body.insert(0, nn.Flatten())
        return BlockNetwork(blocks, nn.Linear(sizes[-1], classes), make_head)
