"""Blocks that keep their input only, and run a second time when their gradient is made."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from workbench.networks.blocks import Block, BlockNetwork, channels_last
from workbench.networks.layers import RunPart, apply


class CheckpointedBlock(Block):
    """A block like another one, with its very parts; its activation is computed twice and kept never.

    Running statistics of normalisation are those of one pass. Nothing in it may draw at random.
    """

    def __init__(self, block: Block):
        super().__init__(block.body, block.cells, block.between)

    def features(self, x: Float[Tensor, "batch ..."], run: RunPart = apply) -> Float[Tensor, "batch ..."]:
        """The block's activation a."""
        learning = [parameter for parameter in self.body.parameters() if parameter.requires_grad]
        if not (torch.is_grad_enabled() and learning):
            return super().features(x, run)
        return _Twice.apply(self, run, channels_last(x), *learning)  # pyright: ignore[reportReturnType]


class _Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, block: CheckpointedBlock, run: RunPart, x: Tensor, *learning: Tensor) -> Tensor:
        ctx.block, ctx.run = block, run
        ctx.save_for_backward(x, *learning)
        return Block.features(block, x, run)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        x, *learning = ctx.saved_tensors
        buffers = {name: buffer.clone() for name, buffer in ctx.block.body.named_buffers()}
        with torch.enable_grad():
            x = x.detach().requires_grad_(ctx.needs_input_grad[2])
            a = Block.features(ctx.block, x, ctx.run)
        wanted = [t for t in (x, *learning) if t.requires_grad]
        grads = iter(torch.autograd.grad(a, wanted, grad, allow_unused=True))
        for name, buffer in ctx.block.body.named_buffers():
            buffer.copy_(buffers[name])
        return None, None, *[next(grads) if t.requires_grad else None for t in (x, *learning)]


def checkpoint_blocks(network: BlockNetwork, numbers: Sequence[int] | None = None) -> BlockNetwork:
    """Make these blocks (all when None) checkpointed, in place; returns the network."""
    for number in range(len(network.blocks)) if numbers is None else numbers:
        block = network.blocks[number]
        assert isinstance(block, Block)
        if any(isinstance(module, nn.Dropout) for module in block.body.modules()):
            raise ValueError(f"block {number} has dropout, which would draw another mask the second time")
        network.blocks[number] = CheckpointedBlock(block)
    return network
