"""One local training pass through a block: latents that can be differentiated, and the input of the next block.

A local rule needs nothing of a block's activation but its latents and what the next block receives. For a convolution
with batch normalisation and LeakyReLU the pass therefore goes in pieces of samples that fit into the processor's cache,
and keeps only the normalised convolution output x̂, from which all else follows. Symbols per channel: γ, β scale and
shift, σ standard deviation of the convolution's output, N its number of values; P averages to cells (`Block.latents`).

    u = γ x̂ + β,   a = s u  with  s = 1 where u > 0, else the slope of LeakyReLU
    z = P a = γ Q + β R                           Q = P(s x̂),  R = P(s): the derivatives of z by γ and β
    ∂L/∂γ = ⟨Q, g⟩,   ∂L/∂β = ⟨R, g⟩              g = ∂L/∂z: sums over the batch and the cells
    δ = s ⊙ Pᵀ g                                  error at u: uniform within a cell but for s
    ∂L/∂y = γ/σ (δ − (∂L/∂β + x̂ ∂L/∂γ) / N)       batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167)
    ∂L/∂W = convolution of the block's input with ∂L/∂y;  the bias's gradient is 0, the mean removes it

The sums of batch normalisation are known from the latents alone, so that no second pass over the activation is needed.
Other blocks run through autograd; both ways give the same numbers.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

from workbench.block_networks import Block

PIECE_BYTES = 2**20  # of one activation map: a few of them fit into a processor's cache


class LocalPass(NamedTuple):
    """Latents z, differentiable in this block's parameters and nothing else, and the next block's input."""

    latents: Float[Tensor, "batch latents"]
    next_input: Float[Tensor, "batch ..."]


def local_pass(block: Block, x: Float[Tensor, "batch ..."]) -> LocalPass:
    """Run one block in training on an input that is cut off from all earlier blocks."""
    x, parts = x.detach(), convolution(block)
    if parts is not None:
        parameters = (parts.connection.weight, parts.connection.bias, parts.norm.weight, parts.norm.bias)
        z, next_input = _Pieces.apply(x, *parameters, parts, block)  # pyright: ignore[reportGeneralTypeIssues]
        return LocalPass(z.flatten(1), next_input)
    a = block.features(x)
    return LocalPass(block.latents(a), block.between(a.detach()))


class Convolution(NamedTuple):
    """The three parts of a block that can run in pieces."""

    connection: nn.Conv2d
    norm: nn.BatchNorm2d
    slope: float


def convolution(block: Block) -> Convolution | None:
    """The parts of an ordinary convolution, batch normalisation and LeakyReLU in training; None for other blocks."""
    match list(block.body):
        case [nn.Conv2d(padding_mode="zeros") as connection, nn.BatchNorm2d() as norm, nn.LeakyReLU() as leaky]:
            tracked = norm.track_running_stats and norm.momentum is not None
            if norm.training and norm.affine and tracked and not isinstance(connection.padding, str):
                return Convolution(connection, norm, leaky.negative_slope)
    return None


class _Pieces(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        gamma: Tensor,
        beta: Tensor,
        parts: Convolution,
        block: Block,
    ) -> tuple[Tensor, Tensor]:
        normal = parts.connection(x)
        deviation = normalize_(normal, parts.norm)
        scale, shift = gamma[:, None, None], beta[:, None, None]
        Q, R, following = [], [], []
        for piece in pieces(normal):
            u = torch.addcmul(shift, piece, scale)
            s = _slopes(u, parts.slope)
            R.append(F.adaptive_avg_pool2d(s, block.cells))
            Q.append(F.adaptive_avg_pool2d(s.mul_(piece), block.cells))
            following.append(block.between(F.leaky_relu(u, parts.slope, inplace=True)))
        Q, R, following = torch.cat(Q), torch.cat(R), torch.cat(following)
        ctx.save_for_backward(x, normal, Q, R, gamma, beta, deviation)
        ctx.parts = parts
        ctx.mark_non_differentiable(following)
        return torch.addcmul(R * shift, Q, scale), following

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        x, normal, Q, R, gamma, beta, deviation = ctx.saved_tensors
        parts: Convolution = ctx.parts
        g_gamma, g_beta = (Q * g).sum((0, 2, 3)), (R * g).sum((0, 2, 3))
        scale, shift = gamma[:, None, None], beta[:, None, None]
        factor = scale / deviation[:, None, None]
        of_normal, constant = (-factor * sums[:, None, None] / count(normal) for sums in (g_gamma, g_beta))
        g = (g * factor).contiguous(memory_format=torch.channels_last)
        for piece, g_piece in zip(pieces(normal), g.split(piece_size(normal)), strict=True):
            u = torch.addcmul(shift, piece, scale)
            delta = _leaky_gradient(_spread(g_piece, u), u, parts.slope)
            piece.mul_(of_normal).add_(constant).add_(delta)  # x̂ becomes ∂L/∂y: its memory is not needed any more
        g_bias = None if parts.connection.bias is None else torch.zeros_like(parts.connection.bias)
        return None, _weight_gradient(parts.connection, x, normal), g_bias, g_gamma, g_beta, None, None


def normalize_(y: Float[Tensor, "batch channels height width"], norm: nn.BatchNorm2d) -> Float[Tensor, "channels"]:
    """Turn y into x̂ in place, update the running statistics, and return σ of each channel."""
    n = count(y)
    if n < 2:
        raise ValueError(f"batch normalisation needs more than one value per channel, got shape {tuple(y.shape)}")
    mean = y.mean((0, 2, 3))
    variance = torch.zeros_like(mean)
    for piece in pieces(y):
        variance += piece.sub_(mean[:, None, None]).square().sum((0, 2, 3))
    deviation = (variance / n + norm.eps).sqrt()
    inverse = deviation.reciprocal()[:, None, None]
    for piece in pieces(y):
        piece.mul_(inverse)
    kept = ((norm.running_mean, mean), (norm.running_var, variance / (n - 1)))
    for statistic, value in kept:
        statistic.lerp_(value, norm.momentum)  # pyright: ignore[reportOptionalMemberAccess, reportArgumentType, reportCallIssue]
    norm.num_batches_tracked += 1  # pyright: ignore[reportOperatorIssue]
    return deviation


def count(y: Float[Tensor, "batch channels height width"]) -> int:
    """N: how many numbers batch normalisation averages over."""
    return y.numel() // y.shape[1]


def piece_size(y: Float[Tensor, "batch ..."]) -> int:
    """Samples whose maps take `PIECE_BYTES`; all of them on an accelerator, which has no use for pieces."""
    return len(y) if y.device.type != "cpu" else max(1, PIECE_BYTES * len(y) // y.nbytes)


def pieces(y: Float[Tensor, "batch ..."]) -> tuple[Tensor, ...]:
    """Views of y with a few samples each."""
    return y.split(piece_size(y))


# Derivatives that torch has as single operations but offers to autograd only.


def _slopes(u: Tensor, slope: float) -> Tensor:
    return _leaky_gradient(torch.ones((), dtype=u.dtype, device=u.device), u, slope)


def _leaky_gradient(g: Tensor, u: Tensor, slope: float) -> Tensor:
    return torch.ops.aten.leaky_relu_backward(g, u, slope, False)


def _spread(g: Tensor, like: Tensor) -> Tensor:
    """Pᵀ g: each cell's value divided among its pixels."""
    return torch.ops.aten._adaptive_avg_pool2d_backward(g, like)


def _weight_gradient(connection: nn.Conv2d, x: Tensor, g: Tensor) -> Tensor:
    c = connection
    return conv2d_weight(x, c.weight.shape, g, c.stride, c.padding, c.dilation, c.groups)  # pyright: ignore
