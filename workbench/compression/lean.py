"""ReLU and frozen normalisation that keep almost nothing for the backward pass.

A convolution that forgets its input saves no memory while its neighbours keep the same numbers: in
conv – norm – ReLU – conv, autograd holds the input of the norm and the output of the ReLU. Neither is needed:

    ReLU          y = max(x, 0)          ∂L/∂x = 1[y > 0] ∂L/∂y        one bit per number instead of four bytes
    frozen norm   y = a x + c            ∂L/∂x = a ∂L/∂y               a, c (channels,) are constants: nothing at all
                  a = g / √(var + eps),  c = b − a mean

Outputs and gradients are those of `nn.ReLU` and of `nn.BatchNorm2d` in evaluation mode with frozen g and b.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

# Numbers of 64 bits, as torch has them with a sign, that do something to eight bytes at once.
_GATHER = sum(1 << (56 - 7 * k) for k in range(8))
_EACH = sum(1 << 8 * k for k in range(8))
_OWN = sum(1 << 9 * k for k in range(8)) - (1 << 64)
_CARRY = 0x7F * _EACH


def pack_bits(mask: Bool[Tensor, "*shape"]) -> UInt8[Tensor, " bytes"]:
    """Eight truth values per byte: bit k of byte i is number 8 i + k of the flattened mask.

    Eight of them are a number of 64 bits, w = Σ b_k 2^(8k); times Σ 2^(56−7k) it has b_k at the places 56 + k.

    >>> pack_bits(torch.tensor([True, False, True]))
    tensor([5], dtype=torch.uint8)
    """
    flat = mask.flatten().view(torch.uint8)
    missing = -len(flat) % 8
    words = (F.pad(flat, (0, missing)) if missing else flat).view(torch.int64)
    return words.mul(_GATHER).bitwise_right_shift_(56).to(torch.uint8)


def unpack_bits(packed: UInt8[Tensor, " bytes"], shape: torch.Size) -> Bool[Tensor, "..."]:
    """The mask of `shape` that `pack_bits` packed."""
    words = packed.to(torch.int64).mul_(_EACH).bitwise_and_(_OWN)  # byte k holds bit k in its own place, or 0
    words.add_(_CARRY).bitwise_right_shift_(7).bitwise_and_(_EACH)  # and now 1 or 0
    return words.view(torch.bool)[: shape.numel()].view(shape)


class _SignReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, inplace: bool) -> Tensor:
        y = F.relu(x, inplace)
        if inplace:
            ctx.mark_dirty(x)
        ctx.shape = x.shape
        ctx.save_for_backward(pack_bits(y.bool()))  # y ≥ 0; faster than y > 0
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        (bits,) = ctx.saved_tensors
        signs = unpack_bits(bits, ctx.shape).view(torch.uint8)  # as numbers: products with truth values are slow
        return signs.to(grad.dtype).mul_(grad), None


class SignReLU(nn.Module):
    """`nn.ReLU` that keeps the signs as bits: 1/32 of what float32 activations take."""

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        if not (torch.is_grad_enabled() and x.requires_grad):
            return F.relu(x, self.inplace)
        return _SignReLU.apply(x, self.inplace)  # pyright: ignore[reportReturnType]


class _Line(torch.autograd.Function):
    """a x + c by channels, which keeps a alone; by the library's fast loop for a norm of mean 0 and variance 1."""

    @staticmethod
    def forward(ctx, x: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        a, c = slope.flatten(), offset.flatten()
        return F.batch_norm(x, torch.zeros_like(a), torch.ones_like(a), a, c, training=False, eps=0.0)

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        (slope,) = ctx.saved_tensors
        return grad * slope, None, None


class FrozenNorm2d(nn.Module):
    """`nn.BatchNorm2d` as a constant per-channel line a x + c, in training mode too."""

    slope: Float[Tensor, "channels"]
    offset: Float[Tensor, "channels"]

    def __init__(self, norm: nn.BatchNorm2d):
        super().__init__()
        if norm.running_mean is None or norm.running_var is None:
            raise ValueError(
                "the batch norm keeps no running statistics (track_running_stats=False), so its output depends on "
                "the batch and cannot be frozen; keep it as it is"
            )
        gain = torch.ones_like(norm.running_var) if norm.weight is None else norm.weight.detach()
        shift = torch.zeros_like(norm.running_mean) if norm.bias is None else norm.bias.detach()
        a = gain / (norm.running_var + norm.eps).sqrt()
        self.register_buffer("slope", a[:, None, None])
        self.register_buffer("offset", (shift - a * norm.running_mean)[:, None, None])

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        return _Line.apply(x, self.slope, self.offset)  # pyright: ignore[reportReturnType]


def is_frozen_norm(module: nn.Module) -> bool:
    """True for a batch norm in evaluation mode with running statistics and without trainable parameters."""
    return (
        isinstance(module, nn.BatchNorm2d)
        and not module.training
        and module.running_mean is not None
        and not any(p.requires_grad for p in module.parameters())
    )


def make_lean(network: nn.Module) -> nn.Module:
    """Replace, in place, every `nn.ReLU` by `SignReLU` and every frozen `nn.BatchNorm2d` by `FrozenNorm2d`.

    Forward and gradients do not change. Calls of `torch.relu` inside a forward function and other activations
    (GELU, hard-swish: they need more than a sign) keep what they kept.
    """
    for name, module in list(network.named_modules(remove_duplicate=False)):
        if name and type(module) is nn.ReLU:
            network.set_submodule(name, SignReLU(module.inplace))
        elif name and isinstance(module, nn.BatchNorm2d) and is_frozen_norm(module):
            network.set_submodule(name, FrozenNorm2d(module))
    return network
