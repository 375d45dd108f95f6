"""LANCE: low-rank activations fixed once by a one-shot HOSVD, for fine-tuning with little memory.

Paper: LANCE (arXiv 2509.21617); its text was not available, the method is that of the authors' published code.

Phase I, once, without training: for every mode i of the input X (n_1, …, n_d) of a layer

    R_i = mean over the calibration data of X₍ᵢ₎ X₍ᵢ₎ᵀ             (n_i, n_i)                             (1)
    U_i = leading eigenvectors of R_i that hold more than ε       (n_i, r_i)                             (2)

Phase II, every step: the forward pass is the exact layer, but only the core is kept for the backward pass,

    S = X ×₁ U₁ᵀ ×₂ U₂ᵀ …                                         (r_1, …, r_d)                          (3)

Gradients of input and bias are exact. The gradient of the weight is the exact one at X̂ = S ×₁ U₁ ×₂ U₂ …, which is
never formed (convolution: batch, channels, height, width; G = ∂L/∂output; U₂, U₃ get zero rows for the padding):

    Z₁ = Σ_b U₀[b,k] G[b,o,h,w]                                   (r0, C', H', W')                       (4)
    Z₂ = Σ_c S[k,a,c,d] U₂[h,c]                                   (r0, r1, H, r3)                        (5)
    Z₃ = Σ_d Z₂[k,a,h,d] U₃[w,d]                                  (r0, r1, H, W)                         (6)
    Z₄ = weight gradient of a convolution from r1 channels, input Z₃, output gradient Z₁  (C', r1, kH, kW)   (7)
    ∂L/∂W[o,c] = Σ_a Z₄[o,a] U₁[c,a]                              (C', C, kH, kW)                        (8)

Where space keeps fewer directions than the channels do, r2 r3 < r1, the same sum is cheaper the other way round: what
each output sees of these directions is the same for all samples and channels, and G meets it before it meets S,

    A[c,d,i,j,h,w] = U₂[h+i,c] U₃[w+j,d]                          (r2, r3, kH, kW, H', W')                (9)
    Z₅ = Σ_h,w A[c,d,i,j,h,w] Z₁[k,o,h,w]                         (r0, r2, r3, kH, kW, C')                (10)
    Z₄[o,a,i,j] = Σ_k,c,d S[k,a,c,d] Z₅[k,c,d,i,j,o]              (C', r1, kH, kW)                        (11)

Which modes to cut. Cutting only the feature mode (channels) gives G_exact U₁U₁ᵀ: a projection of the true gradient,
never longer and never uphill. Batch and space are summed out in the gradient; cutting them gives Gᵀ P X, which may
point uphill: for one weight, two samples (or the two pixels of a 1×1 convolution) x = (3, 1), output gradients
g = (1, −2) and the basis (1, 1)/√2 of that mode,

>>> x, g, u = torch.tensor([3.0, 1.0]), torch.tensor([1.0, -2.0]), torch.tensor([1.0, 1.0]) / 2**0.5
>>> (g @ x).item(), round((g @ torch.outer(u, u) @ x).item(), 4)
(1.0, -2.0)

The published code cuts every mode. Here the batch mode is off by default, for a position in a shuffled batch means
nothing; the space modes are cut as published, since pixels side by side are alike: an uphill step is rare there, not
impossible. `Modes(space=False)` rules it out and keeps more.
"""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.grad import conv2d_weight

from workbench.checks import SHARE, check_number
from workbench.compression.calibration import Modes, Run, Weighting, calibrate, called, leading_bases, plain_mean
from workbench.compression.lean import make_lean
from workbench.compression.tucker import Bases, Tucker, last_two, mode_product, project
from workbench.kernels.convolution import Geometry, geometry_of
from workbench.kernels.frugal import Frugal, Kept, exchange, take_over

# --- the weight gradient from a core, eq. 4-11 ----------------------------------------------------------------------

PIECE_BYTES = 2**20  # of Z₅ that are held at a time


def conv2d_weight_gradient(
    core: Float[Tensor, "b c h w"],
    bases: Bases,
    grad_output: Float[Tensor, "batch c_out h_out w_out"],
    kernel: tuple[int, int],
    geometry: Geometry,
) -> Float[Tensor, "c_out c_per_group k_h k_w"]:
    """∂L/∂W of a convolution whose input is known only as core and bases (eq. 4-11)."""
    U0, U1, U2, U3 = bases
    groups, c_out = geometry.groups, grad_output.shape[1]
    Z1 = grad_output if U0 is None else mode_product(grad_output, U0.T, 0)  # eq. 4
    sides = geometry.padding
    if (
        U1 is not None
        and U2 is not None
        and U3 is not None
        and groups == 1
        and U2.shape[1] * U3.shape[1] < core.shape[1]
    ):
        seen = seen_directions(U2, U3, (Z1.shape[2], Z1.shape[3]), kernel, geometry)
        return torch.einsum("aijo,ca->ocij", met_by_outputs(core, seen, Z1), U1)
    if U2 is not None and U3 is not None:
        Z3 = last_two(core, F.pad(U2, (0, 0, *sides[2:])), F.pad(U3, (0, 0, *sides[:2])))  # eq. 5 and 6
    else:
        Z2 = _expand_padded(core, U2, 2, sides[2:])  # eq. 5
        Z3 = _expand_padded(Z2, U3, 3, sides[:2])  # eq. 6
    walk: Any = (geometry.stride, 0, geometry.dilation)  # the stubs of torch know single numbers only
    if U1 is None:
        return conv2d_weight(Z3, (c_out, core.shape[1] // groups, *kernel), Z1, *walk, groups=groups)
    Z4 = conv2d_weight(Z3, (c_out, U1.shape[1], *kernel), Z1, *walk)  # eq. 7
    per_group = U1.view(groups, -1, U1.shape[1])
    grad = torch.einsum("goaij,gca->gocij", Z4.view(groups, c_out // groups, -1, *kernel), per_group)  # eq. 8
    return grad.reshape(c_out, -1, *kernel)


def seen_directions(
    U2: Float[Tensor, "h r2"],
    U3: Float[Tensor, "w r3"],
    size: tuple[int, int],
    kernel: tuple[int, int],
    geometry: Geometry,
) -> Float[Tensor, "r2 r3 k_h k_w h_out w_out"]:
    """A of eq. 9, of outputs of this size: at each of them, each place of the filter reads this much of a direction."""
    left, right, top, bottom = geometry.padding
    padded = F.pad(U2, (0, 0, top, bottom)), F.pad(U3, (0, 0, left, right))
    read = []
    for U, n, k, stride, dilation in zip(padded, size, kernel, geometry.stride, geometry.dilation, strict=True):
        places = stride * torch.arange(n, device=U.device)[:, None] + dilation * torch.arange(k, device=U.device)
        read.append(U[places])
    return torch.einsum("hic,wjd->cdijhw", *read)


def met_by_outputs(
    core: Float[Tensor, "r0 r1 r2 r3"],
    seen: Float[Tensor, "r2 r3 k_h k_w h_out w_out"],
    Z1: Float[Tensor, "r0 c_out h_out w_out"],
) -> Float[Tensor, "r1 k_h k_w c_out"]:
    """Z₄ of eq. 11, a few samples at a time, so that Z₅ stays in the processor's cache."""
    A, n_out = seen.flatten(4).flatten(0, 3), Z1.shape[1]
    size = max(1, PIECE_BYTES // (len(A) * n_out * A.element_size()))
    total = A.new_zeros(core.shape[1], seen.shape[2:4].numel() * n_out)
    for S, G in zip(core.split(size), Z1.split(size), strict=True):
        Z5 = A @ G.flatten(2).transpose(1, 2)  # eq. 10
        directions = S.flatten(2).transpose(0, 1).flatten(1)
        total.addmm_(directions, Z5.reshape(directions.shape[1], -1))  # eq. 11
    return total.view(core.shape[1], *seen.shape[2:4], n_out)


def _expand_padded(x: Tensor, basis: Tensor | None, mode: int, sides: tuple[int, ...]) -> Tensor:
    """Expand `mode` to its full size and add the convolution's zero padding on its two sides."""
    if basis is None:
        return F.pad(x, (0, 0, *sides) if mode == 2 else sides)
    return mode_product(x, F.pad(basis, (0, 0, *sides)), mode)


def linear_weight_gradient(
    core: Float[Tensor, "... features_or_rank"],
    bases: Bases,
    grad_output: Float[Tensor, "... n_out"],
) -> Float[Tensor, "n_out n_in"]:
    """∂L/∂W of a linear layer whose input is known only as core and bases: Σ G[…,o] X̂[…,i], modes of G projected."""
    *others, U = bases
    G = project(grad_output, (*others, None))
    grad = G.flatten(0, -2).T @ core.flatten(0, -2)
    return grad if U is None else grad @ U.T


# --- exact forward, low-rank backward -------------------------------------------------------------------------------


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, core, *bases):
        ctx.save_for_backward(weight, core, *bases)
        return F.linear(x, weight, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        weight, core, *bases = ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad[:3]
        grad_x = grad @ weight if for_x else None
        grad_weight = linear_weight_gradient(core, bases, grad) if for_weight else None
        grad_bias = grad.flatten(0, -2).sum(0) if for_bias else None
        return grad_x, grad_weight, grad_bias, None, *[None] * len(bases)


def linear(
    x: Float[Tensor, "*batch n_in"],
    weight: Float[Tensor, "n_out n_in"],
    bias: Float[Tensor, "n_out"] | None,
    core: Float[Tensor, "..."],
    bases: Bases,
) -> Float[Tensor, "*batch n_out"]:
    """The exact linear layer, which keeps core and bases instead of x."""
    return _Linear.apply(x, weight, bias, core, *bases)  # pyright: ignore[reportReturnType]


# --- layers ---------------------------------------------------------------------------------------------------------

Compressor = Callable[[Tensor], Tucker]


class FixedBases(nn.Module):
    """Projection on bases found once (eq. 3): calling it on X gives `Tucker(S, bases)`.

    `sizes` are those of the calibrated input. A batch of another size (the last of an epoch) keeps its batch mode
    whole.
    """

    def __init__(self, bases: Bases, sizes: Sequence[int]):
        super().__init__()
        self.sizes = tuple(sizes)
        for i, basis in enumerate(bases):
            self.register_buffer(f"basis_{i}", basis)

    @property
    def bases(self) -> tuple[Float[Tensor, "_ _"] | None, ...]:
        return tuple(getattr(self, f"basis_{i}") for i in range(len(self.sizes)))

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "..."]) -> Tucker:
        first, *others = self.bases
        bases = (first if len(x) == self.sizes[0] else None, *others)
        for mode, basis in enumerate(bases):
            if basis is not None and x.shape[mode] != self.sizes[mode]:
                raise ValueError(
                    f"calibrated for inputs of shape (batch, {', '.join(map(str, self.sizes[1:]))}), got "
                    f"{tuple(x.shape)}; calibrate with inputs of this size, or leave the space modes whole"
                )
        return Tucker(project(x, bases), bases)


class LowRankConv2d(Frugal, nn.Conv2d):
    """A convolution with exact output, input and bias gradient that keeps `compressor(x)` instead of its input x.

    `weight` and `bias` are the very parameters of `conv`, under the same names.
    """

    def __init__(self, conv: nn.Conv2d, compressor: Compressor):
        nn.Module.__init__(self)
        take_over(self, conv)
        self.geometry = geometry_of(conv)
        self.compressor = compressor

    def keep(self, x: Float[Tensor, "batch c_in h w"], again: bool = False) -> tuple[Float[Tensor, "..."] | None, ...]:
        """Core and bases."""
        return flat(self.compressor, x, again)

    def gradient_from(
        self, kept: Kept, g: Float[Tensor, "batch c_out h_out w_out"]
    ) -> Float[Tensor, "c_out c_per_group k_h k_w"]:
        """Equations 4 to 8."""
        core, *bases = kept
        assert core is not None
        kernel = (self.kernel_size[0], self.kernel_size[1])
        return conv2d_weight_gradient(core, bases, g, kernel, self.geometry)


class LowRankLinear(Frugal, nn.Linear):
    """A linear layer with exact output, input and bias gradient that keeps `compressor(x)` instead of its input x."""

    def __init__(self, linear: nn.Linear, compressor: Compressor):
        nn.Module.__init__(self)
        take_over(self, linear)
        self.compressor = compressor

    @property
    def fixed_basis(self) -> Float[Tensor, "n_in r"] | None:
        """U of the features, where it was found once and no other mode is cut."""
        if type(self.compressor) is not FixedBases:
            return None
        *others, U = cast("FixedBases", self.compressor).bases
        return U if all(basis is None for basis in others) else None

    def keep(
        self, x: Float[Tensor, "batch *positions n_in"], again: bool = False
    ) -> tuple[Float[Tensor, "..."] | None, ...]:
        """Core and bases."""
        return flat(self.compressor, x, again)

    def gradient_from(self, kept: Kept, g: Float[Tensor, "batch *positions n_out"]) -> Float[Tensor, "n_out n_in"]:
        """Σ G[…,o] X̂[…,i]."""
        core, *bases = kept
        assert core is not None
        return linear_weight_gradient(core, bases, g)


def flat(compressor: Compressor, x: Float[Tensor, "..."], again: bool) -> tuple[Float[Tensor, "..."] | None, ...]:
    """Core and bases of x in a row; `again` asks a compressor whose bases move to leave them where they are."""
    core, bases = (getattr(compressor, "again", compressor) if again else compressor)(x)
    return core, *bases


def replace_layer(network: nn.Module, name: str, compressor: Compressor) -> None:
    """Put a low-rank layer with `compressor` in the place of the `nn.Conv2d` or `nn.Linear` called `name`."""
    low_rank = (partial(made, compressor=compressor) for made in (LowRankLinear, LowRankConv2d))
    exchange(network, name, *low_rank)


def trainable_layers(network: nn.Module) -> list[str]:
    """Names of the convolutions and linear layers whose weight is trained."""
    return [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and module.weight.requires_grad
    ]


def compress(
    network: nn.Module,
    batches: Iterable[Float[Tensor, "..."]],
    energy: float = 0.7,
    modes: Modes = Modes(),
    layers: Sequence[str] | None = None,
    weighting: Weighting = plain_mean,
    compressor: Callable[[Bases, Sequence[int]], Compressor] = FixedBases,
) -> nn.Module:
    """A copy of `network` whose layers keep low-rank cores, with bases calibrated once on `batches` of inputs.

    `layers` names the layers to compress, by default all trainable convolutions and linear layers; the paper leaves
    the readout whole. ReLU and frozen batch norms are made lean too (`workbench.compression.lean`): without that, they
    would keep what the layers let go. `compressor` makes another use of the bases (see `baselines`).

    The network that is given stays as it was, and the parameters of the returned one are copies: an optimiser that was
    built from the first moves nothing of it. Build it from the returned network; `training.train` refuses the other.

    >>> net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10))
    >>> images = torch.rand(32, 3, 8, 8)
    >>> lean = compress(net, images.split(16), energy=0.7, layers=["0"])
    >>> torch.equal(lean(images), net(images))
    True
    """
    return make_frugal(deepcopy(network), batches, energy, modes, layers, weighting, compressor)


def make_frugal(
    network: nn.Module,
    batches: Iterable[Float[Tensor, "..."]],
    energy: float = 0.7,
    modes: Modes = Modes(),
    layers: Sequence[str] | None = None,
    weighting: Weighting = plain_mean,
    compressor: Callable[[Bases, Sequence[int]], Compressor] = FixedBases,
    run: Run = called,
) -> nn.Module:
    """`compress` in place, for a network of any kind: see `calibrate` for `run`. Parameters stay what they are."""
    check_number(energy, "energy, the share that is kept,", SHARE)
    names = trainable_layers(network) if layers is None else list(layers)
    if not names:
        raise ValueError("the network has no trainable nn.Conv2d or nn.Linear; unfreeze the layers to fine-tune first")
    for name, calibration in calibrate(network, batches, names, modes, weighting, run).items():
        parameter = next(network.get_submodule(name).parameters())
        bases = [None if U is None else U.to(parameter) for U in leading_bases(calibration, energy)]
        replace_layer(network, name, compressor(bases, calibration.sizes))
    return make_lean(network)
