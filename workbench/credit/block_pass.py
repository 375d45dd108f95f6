"""One local training pass through a block: latents that can be differentiated, and the input of the next block.

A local rule needs nothing of a block's activation but its latents and what the next block receives. For a convolution
with batch normalisation and LeakyReLU the pass therefore goes in pieces of samples that fit into the processor's cache,
and keeps only the convolution's output y, from which all else follows. Symbols per channel: γ, β scale and shift; μ, σ
mean and standard deviation of y; N how many values they are taken over; P averages to cells (`Block.latents`).

    x̂ = (y − μ) / σ,   u = γ x̂ + β,   a = s u  with  s = 1 where u > 0, else the slope of LeakyReLU
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

from workbench.kernels.frugal import Frugal
from workbench.kernels.weight_gradient import weight_gradient
from workbench.networks.blocks import Block, channels_last

PIECE_BYTES = 2 * 2**20  # of one activation map: a few of them fit into a processor's cache


class LocalPass(NamedTuple):
    """Latents z, differentiable in this block's parameters and nothing else, and the next block's input."""

    latents: Float[Tensor, "batch latents"]
    next_input: Float[Tensor, "batch ..."]


def local_pass(block: Block, x: Float[Tensor, "batch ..."]) -> LocalPass:
    """Run one block in training on an input that is cut off from all earlier blocks."""
    x, parts = channels_last(x.detach()), convolution(block)
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
        y = parts.connection(x)
        mean, deviation = statistics(y, parts.norm)
        scale = gamma / deviation
        shift = beta - mean * scale
        u_space, s_space, sums, slopes, following = scratch(y), scratch(y), [], [], []
        for piece in pieces(y):
            u = torch.addcmul(column(shift), piece, column(scale), out=u_space[: len(piece)])
            s = _through_leaky(u.new_ones(()), u, parts.slope, s_space[: len(piece)])
            slopes.append(F.adaptive_avg_pool2d(s, block.cells))
            sums.append(F.adaptive_avg_pool2d(s.mul_(piece), block.cells))
            a = F.leaky_relu(u, parts.slope, inplace=True)
            following.append(block.between(a) if len(block.between) else a.clone())
        R, following = torch.cat(slopes), torch.cat(following)
        Q = (torch.cat(sums) - column(mean) * R) / column(deviation)
        kept = parts.connection.keep(x) if isinstance(parts.connection, Frugal) else (x,)
        ctx.save_for_backward(y, Q, R, mean, deviation, scale, shift, *kept)
        ctx.parts = parts
        ctx.mark_non_differentiable(following)
        return torch.addcmul(column(beta) * R, Q, column(gamma)), following

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        y, Q, R, mean, deviation, scale, shift, *kept = ctx.saved_tensors
        parts: Convolution = ctx.parts
        g_gamma, g_beta = (Q * g).sum((0, 2, 3)), (R * g).sum((0, 2, 3))
        of_y = -scale * g_gamma / (deviation * count(y))  # ∂L/∂y = scale δ + of_y y + constant
        constant = -scale * g_beta / count(y) - of_y * mean
        g = (g * column(scale)).contiguous(memory_format=torch.channels_last)
        u_space, delta_space = scratch(y), scratch(y)
        for piece, g_piece in zip(pieces(y), g.split(piece_size(y)), strict=True):
            u = torch.addcmul(column(shift), piece, column(scale), out=u_space[: len(piece)])
            delta = spread(g_piece, u, parts.slope, delta_space[: len(piece)])
            torch.addcmul(column(constant), piece, column(of_y), out=piece).add_(delta)  # y is not needed any more
        c = parts.connection
        g_weight = c.gradient_from(tuple(kept), y) if isinstance(c, Frugal) else weight_gradient(c, kept[0], y)
        g_bias = None if c.bias is None else torch.zeros_like(c.bias)
        return None, g_weight, g_bias, g_gamma, g_beta, None, None


def statistics(
    y: Float[Tensor, "batch channels height width"], norm: nn.BatchNorm2d
) -> tuple[Float[Tensor, "channels"], Float[Tensor, "channels"]]:
    """Mean and σ of each channel; updates the running statistics of `norm`."""
    if count(y) < 2:
        raise ValueError(f"batch normalisation needs more than one value per channel, got shape {tuple(y.shape)}")
    momentum: float = norm.momentum  # pyright: ignore[reportAssignmentType]
    mean, variance = torch.batch_norm_update_stats(y, norm.running_mean, norm.running_var, momentum)
    norm.num_batches_tracked += 1  # pyright: ignore[reportOperatorIssue]
    return mean, (variance + norm.eps).sqrt()


def spread(
    g: Float[Tensor, "batch channels rows columns"],
    u: Float[Tensor, "batch channels height width"],
    slope: float,
    out: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, "batch channels height width"]:
    """δ = s ⊙ Pᵀ g: each cell's value divided among its pixels, times the slope of LeakyReLU at u."""
    cells = g.shape[2]
    if u.shape[2] % cells or u.shape[3] % cells:  # cells overlap
        return _through_leaky(torch.ops.aten._adaptive_avg_pool2d_backward(g, u), u, slope, out)
    cut = [t.unflatten(2, (cells, -1)).unflatten(4, (cells, -1)) for t in (u, out)]
    area = cut[0].shape[3] * cut[0].shape[5]
    _through_leaky((g / area)[:, :, :, None, :, None], cut[0], slope, cut[1])
    return out


def count(y: Float[Tensor, "batch channels height width"]) -> int:
    """N: how many numbers batch normalisation averages over."""
    return y.numel() // y.shape[1]


def piece_size(y: Float[Tensor, "batch ..."]) -> int:
    """Samples whose maps take `PIECE_BYTES`; all of them on an accelerator, which has no use for pieces."""
    return len(y) if y.device.type != "cpu" else max(1, PIECE_BYTES * len(y) // y.nbytes)


def pieces(y: Float[Tensor, "batch ..."]) -> tuple[Float[Tensor, "piece ..."], ...]:
    """Views of y with a few samples each."""
    return y.split(piece_size(y))


def scratch(y: Float[Tensor, "batch ..."]) -> Float[Tensor, "piece ..."]:
    """Room for one piece: fresh memory for each would cost more than the arithmetic."""
    return torch.empty_like(y[: piece_size(y)])


def column(values: Float[Tensor, "channels"]) -> Float[Tensor, "channels 1 1"]:
    """A number per channel, to be combined with images."""
    return values[:, None, None]


def _through_leaky(g: Tensor, u: Tensor, slope: float, out: Tensor) -> Tensor:
    """g times the slope of LeakyReLU at u; torch offers this operation to autograd only."""
    return torch.ops.aten.leaky_relu_backward.grad_input(g, u, slope, False, grad_input=out)
