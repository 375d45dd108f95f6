"""Plain (non-spiking) networks cut into blocks, so that each block can be trained alone; see `block_networks`.

A block is a linear map, batch normalisation and LeakyReLU(0.01); what lies between two blocks (max pooling, flattening,
dropout) holds no parameters. A local rule looks at a block through its *latents*: the activation averaged to s × s
cells and flattened, or, for a dense block, averaged to n numbers. A linear classifier comes last.

Images are `(batch, channels, height, width)`; weights and activations lie channels-last in memory, which makes
convolutions and pooling on a CPU faster and changes no number.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.checks import Array, check_inputs, check_labels, check_weights, written
from workbench.meters.evaluation import evaluation, mode
from workbench.networks.layers import LeakyReadout, RunPart, SpikingLayer, apply
from workbench.networks.wiring import Wired

SLOPE = 0.01  # of LeakyReLU for negative inputs

HeadMaker = Callable[[int, int], nn.Module]  # (latents, classes) → a block's head


def channels_last(x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
    """Images as convolutions on a CPU like them, the channels of a pixel side by side; anything else as it is."""
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


class Block(nn.Module):
    """One unit of local learning: `body` has the parameters, `between` leads to the next block and has none.

    cells: s for images (latents are s × s averages per channel), the number of latents n for a dense block.
    """

    def __init__(self, body: nn.Sequential, cells: int, between: nn.Sequential | None = None):
        super().__init__()
        self.body = body
        self.cells = cells
        self.between = nn.Sequential() if between is None else between

    def features(self, x: Float[Tensor, "batch ..."], run: RunPart = apply) -> Float[Tensor, "batch ..."]:
        """The block's activation a, before what lies between the blocks."""
        x = channels_last(x)
        for module in self.body:
            x = module(x, run) if isinstance(module, Wired) else run(module, x)
        return x

    def forward(self, x: Float[Tensor, "batch ..."], run: RunPart = apply) -> Float[Tensor, "batch ..."]:
        return self.between(self.features(x, run))

    def latents(self, a: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch latents"]:
        """z: the activation averaged to cells. More latents than units repeats units (as in the released code)."""
        if a.ndim == 4:
            return F.adaptive_avg_pool2d(a, self.cells).flatten(1)
        return a if a.shape[1] == self.cells else F.adaptive_avg_pool1d(a, self.cells)

    def n_latents(self) -> int:
        """n, the number of latents: channels × s², or the number asked for in a dense block."""
        last = [m for m in self.body.modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]
        return self.cells if isinstance(last, nn.Linear) else last.out_channels * self.cells**2


class Blocks(nn.ModuleList):
    """A list of blocks that says so to type checkers."""

    def __iter__(self) -> Iterator[Block]:
        return super().__iter__()  # pyright: ignore[reportReturnType]


class BlockNetwork(nn.Module):
    """Blocks in a row and a linear classifier.

    heads: what a local rule hangs on each block; `make_head(latents, index)` builds one. Rules that need none (for
    instance backpropagation) are given a network without heads. order: how weights lie in memory; None leaves them.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        classifier: nn.Linear,
        make_head: HeadMaker | None = None,
        order: torch.memory_format | None = torch.channels_last,
    ):
        super().__init__()
        self.blocks = Blocks(blocks)
        self.classifier = classifier
        makers = [] if make_head is None else [make_head(b.n_latents(), i) for i, b in enumerate(blocks)]
        self.heads = nn.ModuleList(makers)
        if order is not None:
            self.to(memory_format=order)  # pyright: ignore[reportCallIssue]

    def forward(self, x: Float[Tensor, "batch ..."], run: RunPart = apply) -> Float[Tensor, "batch classes"]:
        for block in self.blocks:
            x = block(x, run)
        return run(self.classifier, x)

    def describe(self) -> str:
        """Widths of blocks and classifier in one line."""
        last = [[m for m in b.body.modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1] for b in self.blocks]
        widths = [layer.weight.shape[0] for layer in last]
        return "–".join(map(str, [*widths, self.classifier.out_features]))


def conv_block(
    n_in: int, n_out: int, cells: int, between: nn.Sequential | None = None, stride: int = 1, normalize: bool = True
) -> Block:
    """3 × 3 convolution with padding 1 and a bias, batch normalisation, LeakyReLU."""
    return Block(_stage(nn.Conv2d(n_in, n_out, 3, stride, 1), normalize), cells, between)


def dense_block(
    n_in: int, n_out: int, cells: int | None = None, between: nn.Sequential | None = None, normalize: bool = True
) -> Block:
    """Fully connected map with a bias, batch normalisation, LeakyReLU; as many latents as units by default."""
    return Block(_stage(nn.Linear(n_in, n_out), normalize), cells or n_out, between)


def separable_block(n_in: int, n_out: int, cells: int, stride: int, between: nn.Sequential | None = None) -> Block:
    """MobileNet's block: a 3 × 3 depthwise and a 1 × 1 convolution, each normalised and rectified."""
    depthwise = _stage(nn.Conv2d(n_in, n_in, 3, stride, 1, groups=n_in, bias=False), True)
    return Block(nn.Sequential(*depthwise, *_stage(nn.Conv2d(n_in, n_out, 1, bias=False), True)), cells, between)


def _stage(connection: nn.Linear | nn.Conv2d, normalize: bool) -> nn.Sequential:
    width = connection.weight.shape[0]
    norm = nn.BatchNorm2d(width) if isinstance(connection, nn.Conv2d) else nn.BatchNorm1d(width)
    return nn.Sequential(connection, *([norm] if normalize else []), nn.LeakyReLU(SLOPE, inplace=True))


def parameter_groups(network: BlockNetwork) -> list[dict[str, Any]]:
    """One optimiser group per block (its head included) and one for the classifier, so that each has its own rate."""
    heads = list(network.heads) or [nn.Module() for _ in network.blocks]
    parts = [[*b.parameters(), *h.parameters()] for b, h in zip(network.blocks, heads, strict=True)]
    return [{"params": part} for part in [*parts, list(network.classifier.parameters())]]


@torch.no_grad()
def block_logits(network: nn.Module, x: Shaped[Array, "batch ..."]) -> Float[Tensor, "batch classes"]:
    """Outputs in evaluation mode: batch normalisation uses the running statistics."""
    network, x = check_pictures(network, x)
    with evaluation(network):
        return network(x)


@torch.no_grad()
def refresh_statistics(
    network: BlockNetwork, batches: Sequence[Float[Tensor, "..."]] | Iterator[Float[Tensor, "..."]]
) -> None:
    """Replace the running statistics of batch normalisation by the plain mean over these batches of inputs.

    Needed before an evaluation at averaged weights (schedule-free optimisers), which the statistics do not fit.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's sign for a cumulative mean
    try:
        with mode(network, training=True):
            for x in batches:
                network(x)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


@torch.no_grad()
def feature_shapes(network: BlockNetwork, input_shape: Sequence[int]) -> list[torch.Size]:
    """Shape of each block's activation for one sample of `input_shape`, without the batch.

    >>> from workbench.networks import small_conv
    >>> feature_shapes(small_conv(), (1, 28, 28))[0]
    torch.Size([32, 28, 28])
    """
    weight = network.classifier.weight
    x = torch.zeros(2, *input_shape, dtype=weight.dtype, device=weight.device)  # one has no mean to be normalised by
    shapes = []
    with evaluation(network):
        for block in network.blocks:
            a = block.features(x)
            shapes.append(a.shape[1:])
            x = block.between(a)
    return shapes


def check_blocks(network: Any) -> BlockNetwork:
    """The network as it was written, or ValueError unless it has blocks and a classifier, with finite weights."""
    network = written(network)
    if not isinstance(network, BlockNetwork):
        kind, layers = type(network).__name__, isinstance(network, nn.Module)
        spiking = layers and any(isinstance(module, SpikingLayer | LeakyReadout) for module in network.modules())
        advice = (
            "it is trained by the rules for spiking networks (stllr, tess, bptt and so on)"
            if spiking
            else "take_blocks(network, input_shape) makes blocks of the layers of yours"
        )
        raise ValueError(f"this needs a BlockNetwork, blocks that learn alone and a classifier, got {kind}; {advice}")
    check_weights(network)
    return network


def check_pictures(network: Any, x: Any) -> tuple[BlockNetwork, Float[Tensor, "batch ..."]]:
    """The network of `check_blocks` and x in the type of its weights; or ValueError."""
    network = check_blocks(network)
    x = check_inputs(x, next(network.parameters()))
    if not x.numel():
        raise ValueError(f"x holds no numbers, got shape {tuple(x.shape)}; give at least one sample with its inputs")
    parts = (part for block in network.blocks for part in block.body if not isinstance(part, nn.Flatten))
    first = next(parts, None)  # that the input meets as it is, or flattened
    if isinstance(first, nn.Linear) and first.in_features not in (x[0].numel(), x.shape[-1]):
        raise ValueError(f"the first block has {first.in_features} inputs, got x of shape {tuple(x.shape)}")
    return network, x


def check_examples(
    network: Any, x: Any, y: Any
) -> tuple[BlockNetwork, Float[Tensor, "batch ..."], Int64[Tensor, "batch"]]:
    """Network, x and labels as a rule needs them; or ValueError unless x is a finite `(batch, ...)` with a label each.

    A single sample is refused where batch normalisation would have one value to normalise.
    """
    network, x = check_pictures(network, x)
    y = check_labels(y, network.classifier.out_features, len(x))
    if len(x) == 1 and any(isinstance(module, nn.BatchNorm1d) and module.training for module in network.modules()):
        raise ValueError(
            "a batch of one sample has nothing for batch normalisation to compare it with; take larger batches, leave "
            "the last one out, or build the network with normalize=False"
        )
    return network, x, y
