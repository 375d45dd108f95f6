"""Any plain network cut into blocks that learn alone: `take_blocks(module, input_shape)`.

The module may be a chain of layers, or hold sums and other side branches: linear maps (`nn.Linear`, `nn.Conv2d`),
normalisation, activation functions, pooling, dropout, reshaping. Its layers stay the very same objects, so that an
optimiser made for it fits, and training the blocks trains the module.

Where it is cut: a value through which everything passes is a place to cut, so that a residual unit, its shortcut and
all between, is one piece. A block begins with a piece that has a linear map and ends before the next one. What follows
its last normalisation or activation (pooling, dropout, flattening) lies between this block and the next. The last
`nn.Linear` is the classifier.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from workbench.networks.blocks import Block, BlockNetwork, HeadMaker
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.traced import SAMPLES, Refused, Step, trace
from workbench.networks.wiring import ACTIVATIONS, Copied, Operation, Wired

LATENTS = 512  # that channels × cells² should not exceed, as in SmallConv; but two cells a side where there is room
_MAPS = (nn.Linear, nn.Conv2d)
_NORMALISED = (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.LocalResponseNorm, nn.RMSNorm)
_POOLED = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.LPPool2d)
_SHAPED = (nn.Dropout, nn.Dropout2d, nn.AlphaDropout, nn.Flatten, nn.Unflatten, nn.Identity, nn.ZeroPad2d)
_SHAPED += (nn.ReflectionPad2d, nn.ReplicationPad2d, nn.Upsample, nn.PixelShuffle, nn.PixelUnshuffle)


class TakenBlock(Block):
    """A block whose activation has `units` channels or units, whatever its body is made of."""

    def __init__(self, body: nn.Sequential, cells: int, between: nn.Sequential, units: int, images: bool):
        super().__init__(body, cells, between)
        self.units, self.images = units, images

    def n_latents(self) -> int:
        """Channels × s², or the number asked for where the activation is a vector."""
        return self.units * self.cells**2 if self.images else self.cells


class Piece(NamedTuple):
    """Steps between two places where the network can be cut: numbers of the first and of the one behind the last."""

    first: int
    end: int


def take_blocks(
    module: nn.Module,
    input_shape: Sequence[int],
    blocks: Sequence[str] | None = None,
    make_head: HeadMaker | None = None,
    cells: int | Sequence[int] | None = None,
) -> BlockNetwork:
    """The network as blocks in a row and a classifier, made of the module's own layers.

    Args:
        input_shape: of one sample, without the batch. Where `forward` reads sizes, only such inputs can be given.
        blocks: names of the modules with which each block begins; None for one block per linear map, or per unit
            around which a shortcut leads.
        make_head: what a local rule hangs on each block, for instance `workbench.rules.lls.local_head(classes)`.
        cells: s of each block (latents are s × s averages per channel), or the number of latents where a block gives a
            vector; one number for all blocks of images. None for as many as `LATENTS` allow, all units of a vector.

    Raises ValueError that names the layer which cannot be taken, and why.

    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 10))
    >>> take_blocks(net, (1, 8, 8)).describe()
    '32–16–10'
    """
    if isinstance(module, BlockNetwork):
        raise ValueError("this is a BlockNetwork already; use it as it is")
    weight = next((p for p in module.parameters() if p.is_floating_point()), None)
    if weight is None:
        raise Refused(f"{type(module).__name__} has no weights to train")
    dtype, device = weight.dtype, weight.device
    steps = trace(module, torch.zeros(SAMPLES, *input_shape, dtype=dtype, device=device))
    for step in steps:
        _check_part(step)
    pieces = _pieces(steps)
    classifier = _classifier(steps, pieces)
    pieces = pieces[:-1]
    starts = _found(steps, pieces) if blocks is None else _given(steps, pieces, blocks)
    ends = [*starts[1:], len(pieces)]
    sizes = _cells(cells, len(starts))
    taken = [
        _block(steps, pieces[begin:end], size) for begin, end, size in zip([0, *starts[1:]], ends, sizes, strict=True)
    ]
    network = BlockNetwork(taken, classifier, make_head, order=None)
    network.heads.to(device=device, dtype=dtype)
    return network


def _check_part(step: Step) -> None:
    """Refuse what no rule for blocks could learn or run."""
    module = step.module
    if isinstance(module, SpikingLayer | LeakyReadout):
        raise Refused(f"{step.place} spikes; spiking networks are trained by other rules, see take_spiking")
    if isinstance(module, nn.modules.conv._ConvNd | nn.modules.conv._ConvTransposeNd) and not isinstance(module, _MAPS):
        raise Refused(f"{step.place} is no nn.Conv2d; blocks have linear maps of vectors and images, no others")
    if isinstance(module, (*_MAPS, *_NORMALISED, nn.PReLU)):
        return
    if any(True for _ in module.parameters()):
        raise Refused(
            f"{step.place} has weights and is no nn.Linear, nn.Conv2d or normalisation; no rule for blocks knows how "
            "to teach it. Put it outside, in front of the network"
        )


def _has_map(steps: Sequence[Step], piece: Piece) -> bool:
    return any(isinstance(step.module, _MAPS) for step in steps[piece.first : piece.end])


def _pieces(steps: Sequence[Step]) -> list[Piece]:
    """The network cut at every value that is all that later steps take."""
    last = {value: number for number, step in enumerate(steps) for value in step.inputs}
    pieces, first, furthest = [], 0, last.get(0, 0)
    for number in range(len(steps)):
        if furthest <= number:  # no value from before this step's output is taken later
            pieces.append(Piece(first, number + 1))
            first = number + 1
        furthest = max(furthest, last.get(number + 1, number))
    return pieces


def _classifier(steps: Sequence[Step], pieces: Sequence[Piece]) -> nn.Linear:
    if not steps:
        raise Refused("the network does nothing with its input")
    last, final = steps[-1], pieces[-1]
    if isinstance(last.module, nn.Linear) and final.end - final.first == 1 and last.example.ndim == 2:
        return last.module
    maps = [step.place for step in steps if isinstance(step.module, _MAPS)]
    reason = "a shortcut leads around it" if isinstance(last.module, nn.Linear) else "it is no nn.Linear"
    raise Refused(
        f"the network ends with {last.place}, and {reason}: the last step must be the classifier, an nn.Linear that "
        f"gives one number for each class (rules take the softmax themselves). Its last linear map is "
        f"{maps[-1] if maps else 'nowhere'}"
    )


def _found(steps: Sequence[Step], pieces: Sequence[Piece]) -> list[int]:
    """Where blocks begin: at each piece with a linear map."""
    starts = [number for number, piece in enumerate(pieces) if _has_map(steps, piece)]
    if not starts:
        raise Refused("the network has a classifier and nothing before it that learns; blocks need one layer more")
    return starts


def _given(steps: Sequence[Step], pieces: Sequence[Piece], names: Sequence[str]) -> list[int]:
    """Where blocks begin: at the first step of each named module."""
    starts = []
    for name in names:
        number = next((n for n, step in enumerate(steps) if name in step.within), None)
        if number is None:
            maps = ", ".join(step.place for step in steps if isinstance(step.module, _MAPS))
            raise Refused(f"no step of the network belongs to a module '{name}'; its linear maps are {maps}")
        place = next((n for n, piece in enumerate(pieces) if piece.first == number), None)
        if place is None:
            reason = "is the classifier" if number == len(steps) - 1 else "has a shortcut around it"
            raise Refused(f"no block can begin with '{name}', which {reason}; name the unit that it is part of")
        starts.append(place)
    if not starts or starts != sorted(set(starts)):
        raise Refused(f"blocks must name modules in the order in which they run, each once, got {list(names)}")
    for name, begin, end in zip(names, starts, [*starts[1:], len(pieces)], strict=True):
        if not any(_has_map(steps, piece) for piece in pieces[begin:end]):
            raise Refused(f"the block that begins with '{name}' has no linear map; let it be part of another")
    if any(_has_map(steps, piece) for piece in pieces[: starts[0]]):
        first = next(step for step in steps if isinstance(step.module, _MAPS))
        raise Refused(f"{first.place} runs before the first block, '{names[0]}'; name it too")
    return starts


def _cells(cells: int | Sequence[int] | None, blocks: int) -> list[int | None]:
    if cells is None:
        return [None] * blocks
    if isinstance(cells, int):
        return [-cells] * blocks  # for images only
    if len(cells) != blocks:
        raise ValueError(f"cells needs one number for each of the {blocks} blocks, got {list(cells)}")
    return list(cells)


def _block(steps: Sequence[Step], pieces: Sequence[Piece], cells: int | None) -> TakenBlock:
    """Pieces as a block: body up to the last that has weights or is an activation, and what lies between."""
    end = 1 + max(number for number, piece in enumerate(pieces) if not _lies_between(steps, piece))
    body = [_part(steps, piece) for piece in pieces[:end]]
    between = [_part(steps, piece) for piece in pieces[end:]]
    if _writes(body[0]):
        body.insert(0, Copied())
    if between and not _pools(between[0]):
        between.insert(0, Copied())
    example = steps[pieces[end - 1].end - 1].example
    if example.ndim not in (2, 4):
        raise Refused(
            f"the block that begins with {steps[pieces[0].first].place} gives {tuple(example.shape)}; latents are "
            "taken of (batch, units) or (batch, channels, height, width)"
        )
    units, images = example.shape[1], example.ndim == 4
    if images:
        size = _cells_of(units, min(example.shape[2:])) if cells is None else abs(cells)
    else:
        size = units if cells is None or cells < 0 else cells
    return TakenBlock(nn.Sequential(*body), size, nn.Sequential(*between), units, images)


def _cells_of(channels: int, side: int) -> int:
    """The largest power of two a side for which channels × cells² stays within `LATENTS`; at least 2, if there is room.

    >>> [_cells_of(channels, 28) for channels in (32, 64, 128, 512)]
    [4, 2, 2, 2]
    """
    size = 2
    while channels * (2 * size) ** 2 <= LATENTS:
        size *= 2
    return min(size, side)


def _lies_between(steps: Sequence[Step], piece: Piece) -> bool:
    """Whether a piece only pools, drops or reshapes."""
    step = steps[piece.first]
    if piece.end - piece.first > 1:
        return False
    if isinstance(step.module, Operation):
        return step.module.name not in ACTIVATIONS
    return isinstance(step.module, (*_POOLED, *_SHAPED))


def _pools(part: nn.Module) -> bool:
    return isinstance(part, _POOLED) or (isinstance(part, Operation) and "pool" in part.name)


def _writes(part: nn.Module) -> bool:
    """Whether a part may write into its input."""
    return bool(getattr(part, "inplace", False)) or (isinstance(part, Operation) and ("inplace", True) in part.named)


def _part(steps: Sequence[Step], piece: Piece) -> nn.Module:
    """A single step as its module, more of them with their wires."""
    inside = steps[piece.first : piece.end]
    if len(inside) == 1:
        return inside[0].module
    wires = [tuple(value - piece.first for value in step.inputs) for step in inside]
    return Wired([step.module for step in inside], wires)
