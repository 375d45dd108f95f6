"""LLS: local learning through synchronization with fixed periodic basis vectors.

Apolinario & Roy, WACV 2025, arXiv 2405.15868. Every block of a network is trained alone: its input is cut off from the
graph, and a fixed basis B with one row per class tells it what its latents z should look like.

    ẑ = z / ‖z‖                                   (1)  z `(batch, n)`: the block's activation averaged to cells
    s = ẑ Bᵀ                                      (2)  how strongly each row (class) is synchronised, `(batch, rows)`
    p = softmax(s / τ)                            (3)  LLS
        softmax(m ⊙ s / τ)                             LLS-M:   m `(classes)` is trained
        softmax(s M / τ)                               LLS-MxM: M `(rows, classes)` is trained; more rows than classes
    L = mean over the batch of −Σ_c q_c log p_c,  q_c = (1 − ε) 1[c = y] + ε / C

The learning signal needs no automatic differentiation. With d = (p − q) / (τ · batch) and d_s = d, m ⊙ d or d Mᵀ:

    ∂L/∂s = d_s,     ∂L/∂z = (d_s B − (d_s · s) ẑ) / ‖z‖,     ∂L/∂m = Σ s ⊙ d,     ∂L/∂M = sᵀ d             (4)

∂L/∂z is orthogonal to z: only the direction of z is trained. From z on, the gradient goes through averaging, LeakyReLU,
batch normalisation and the weights of this one block, whose activations are free before the next block starts. The
classifier at the end is trained on the last block's detached activation. (The numbers (1) to (4) are ours.)

`by_definition` is the rule as it stands above, for plain dense blocks; `gradients` gives the same numbers for any.
Symbols: τ temperature, ε label smoothing, n latents, C classes.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.checks import POSITIVE, SHARE, Array, check_fields, check_labels, in_full_precision, one_hot
from workbench.credit.bases import Basis, build, random, square, synchrony
from workbench.credit.block_pass import local_pass
from workbench.credit.classifier import train_classifier
from workbench.credit.direction import Fading, fading
from workbench.faces import short_repr
from workbench.meters.evaluation import evaluation
from workbench.networks.blocks import SLOPE, BlockNetwork, HeadMaker, check_examples
from workbench.rule import Claim, ForBlocks, LearningRule, Locality, StepReport

Modulation = Callable[[int, int], nn.Parameter | None]
SILENT = 1e-3  # root mean square of latents; usual ones are near 0.4


def by_definition(
    weights: Sequence[Float[Tensor, "_ _"]],
    waves: Sequence[Float[Tensor, "classes _"]],
    x: Float[Tensor, "batch n_in"],
    y: Int[Tensor, "batch"],
    temperature: float = 0.5,
) -> list[Float[Tensor, "_ _"]]:
    """ΔW of every block and of the classifier for one batch: dense blocks, not normalised, units for latents.

    weights: [W, b] of the blocks and of the classifier; waves: B of each block `(classes, units)`. A silent sample,
    which `gradients` teaches nothing, has no direction here.
    """
    (*blocks, classifier), one, target, update = weights, torch.ones_like(x[:, :1]), one_hot(y, len(weights[-1])), []
    for W, B in zip(blocks, waves, strict=True):
        x = torch.cat([x, one], 1)
        z = F.leaky_relu(x @ W.T, SLOPE)  # the block
        length = z.norm(dim=1, keepdim=True)
        direction = z / length  # (1)
        s = direction @ B.T  # (2)
        p = (s / temperature).softmax(1)  # (3)
        of_s = (p - target) / (temperature * len(y))  # (4)
        of_z = (of_s @ B - (of_s * s).sum(1, keepdim=True) * direction) / length  # (4)
        update.append(torch.where(z > 0, of_z, SLOPE * of_z).T @ x)
        x = z  # for the next block; nothing comes back from there
    x = torch.cat([x, one], 1)
    p = (x @ classifier.T).softmax(1)
    return [*update, ((p - target) / len(y)).T @ x]


class LLS(NamedTuple):
    """Parameters of the rule; the defaults are those of all published runs.

    temperature: τ, acts together with the norm of the basis rows. label_smoothing: ε.
    normalized: use ẑ; False compares z itself with the rows, as the released code does for random bases.
    """

    temperature: float = 0.5
    label_smoothing: float = 0.0
    normalized: bool = True

    __repr__ = short_repr


class LocalSignal(NamedTuple):
    """The local loss and its gradients: with respect to s (rows), z (latents) and, where there is one, m or M."""

    loss: Float[Tensor, ""]
    scores: Float[Tensor, "batch rows"]
    latents: Float[Tensor, "batch latents"]
    modulation: Float[Tensor, "*modulation"] | None


class LocalHead(nn.Module):
    """What LLS hangs on a block: the fixed basis, a buffer `(rows, latents)`, and the trained m or M, or None."""

    basis: Float[Tensor, "rows latents"]

    def __init__(self, basis: Float[Tensor, "rows latents"], modulation: nn.Parameter | None = None):
        super().__init__()
        self.register_buffer("basis", basis)
        self.modulation = modulation


def unmodulated(rows: int, classes: int) -> None:
    """LLS: the rows are the classes' logits."""
    if rows != classes:
        raise ValueError(f"without M each class has one row, got {rows} rows for {classes} classes; use `mixing`")


def per_class(rows: int, classes: int) -> nn.Parameter:
    """LLS-M: one trained factor per class, 0.01 · N(0, 1) at the start."""
    unmodulated(rows, classes)
    return nn.Parameter(0.01 * torch.randn(classes))


def mixing(rows: int, classes: int) -> nn.Parameter:
    """LLS-MxM: a trained matrix from rows to classes, 0.01 · N(0, 1) at the start."""
    return nn.Parameter(0.01 * torch.randn(rows, classes))


def local_head(
    classes: int, basis: Basis = square, modulation: Modulation = unmodulated, rows: int | None = None
) -> HeadMaker:
    """How each block of a network gets its head; `rows` other than `classes` (LLS-MxM-reduced) needs `mixing`.

    >>> from workbench.networks import small_conv
    >>> network = small_conv(10, make_head=local_head(10, modulation=mixing, rows=20))
    """
    rows = classes if rows is None else rows

    def make(latents: int, index: int) -> LocalHead:
        return LocalHead(build(basis, rows, latents), modulation(rows, classes))

    return make


def random_head(
    classes: int,
    modulation: Modulation = unmodulated,
    rows: int | None = None,
    seed: int = 0,
    hidden: int | None = None,
) -> HeadMaker:
    """Heads with a random basis of its own for each block (LLS-Random); the rule takes `normalized=False` with them."""
    rows = classes if rows is None else rows

    def make(latents: int, index: int) -> LocalHead:
        basis = random(rows, latents, seed=1000 * seed + index, hidden=hidden)
        return LocalHead(basis.to(torch.get_default_dtype()), modulation(rows, classes))

    return make


def local_signal(
    z: Float[Tensor, "batch latents"],
    basis: Float[Tensor, "rows latents"],
    y: Int[Tensor, "batch"],
    params: LLS = LLS(),
    modulation: Float[Tensor, "*modulation"] | None = None,
) -> LocalSignal:
    """The local loss of one block and its gradients in closed form (4); costs 2 · rows · latents MACs per sample.

    A silent sample, whose latents are 0 or (root mean square below `SILENT`) but the rounding errors of a batch
    normalisation that had nothing to normalise, has no direction: its gradient fades to 0, see `credit.direction`.
    """
    check_fields(params, LLS, temperature=POSITIVE, label_smoothing=SHARE)
    norm, least = z.norm(dim=1, keepdim=True), SILENT * z.shape[1] ** 0.5
    u = z / norm.clamp(min=torch.finfo(z.dtype).tiny) if params.normalized else z
    fade = fading(norm, least) if params.normalized else Fading(*[torch.ones_like(norm)] * 3)
    raw = u @ basis.T
    s = fade.weight * raw
    log_p = F.log_softmax(modulate(s, modulation) / params.temperature, dim=1)
    q = smoothed_targets(y, log_p, params.label_smoothing)
    loss = -(q * log_p).sum() / len(y)
    d = (log_p.exp() - q) / (params.temperature * len(y))
    match modulation:
        case None:
            d_s, d_modulation = d, None
        case Tensor(ndim=1):
            d_s, d_modulation = d * modulation, (s * d).sum(0)
        case _:
            d_s, d_modulation = d @ modulation.T, s.T @ d
    g = d_s @ basis
    if params.normalized:
        g = fade.across * g + (fade.along - fade.across) * (d_s * raw).sum(1, keepdim=True) * u
    return LocalSignal(loss, d_s, g, d_modulation)


def modulate(
    s: Float[Tensor, "batch rows"], modulation: Float[Tensor, "*modulation"] | None
) -> Float[Tensor, "batch classes"]:
    """s, m ⊙ s or s M."""
    if modulation is None:
        return s
    return s * modulation if modulation.ndim == 1 else s @ modulation


def smoothed_targets(
    y: Int[Tensor, "batch"], like: Float[Tensor, "batch classes"], smoothing: float
) -> Float[Tensor, "batch classes"]:
    """q: 1 − ε on the label and ε / C everywhere."""
    q = torch.full_like(like, smoothing / like.shape[1])
    return q.scatter_add_(1, check_labels(y, like.shape[1])[:, None], torch.full_like(like[:, :1], 1.0 - smoothing))


@in_full_precision
def gradients(
    network: nn.Module, x: Shaped[Array, "batch ..."], y: Shaped[Array, "batch"], params: LLS = LLS()
) -> StepReport:
    """Fill `.grad` of every parameter, block by block; the reported loss is the classifier's.

    The network has heads from `local_head` or `random_head`. Each block's graph is freed before the next block runs.
    """
    network, x, y = check_examples(network, x, y)
    for block, head in zip(network.blocks, local_heads(network), strict=True):
        z, x = local_pass(block, x)
        signal = local_signal(z.detach(), head.basis, y, params, detached(head.modulation))
        if z.requires_grad:
            z.backward(signal.latents)
        if head.modulation is not None and head.modulation.requires_grad:
            head.modulation.backward(signal.modulation)
    return train_classifier(network, x, y)


def detached(tensor: Shaped[Tensor, "*shape"] | None) -> Shaped[Tensor, "*shape"] | None:
    """The tensor outside any graph, or None."""
    return None if tensor is None else tensor.detach()


def local_heads(network: BlockNetwork) -> list[LocalHead]:
    """The heads, or ValueError when the network was not built with those of this rule."""
    heads = [head for head in network.heads if isinstance(head, LocalHead)]
    if len(heads) != len(network.blocks):
        raise ValueError(
            f"LLS needs a basis on each of the {len(network.blocks)} blocks, the network has {len(heads)}; "
            "build it with make_head=local_head(classes)"
        )
    return heads


@torch.no_grad()
def synchrony_by_block(network: BlockNetwork, x: Float[Tensor, "batch ..."]) -> list[Float[Tensor, "batch _"]]:
    """How strongly each block's latents point along each row of its basis: cosines, one `(batch, rows)` per block.

    The network is read in evaluation mode, so that looking changes nothing.
    """
    cosines = []
    with evaluation(network):
        for block, head in zip(network.blocks, local_heads(network), strict=True):
            a = block.features(x)
            cosines.append(synchrony(block.latents(a), head.basis))
            x = block.between(a)
    return cosines


RULE = LearningRule(
    name="lls",
    label="LLS",
    paper="Apolinario & Roy, WACV 2025, arXiv 2405.15868",
    claim=Claim(Locality(space=True), "title and abstract: local learning, half the memory of backpropagation"),
    for_blocks=ForBlocks(lambda network, input_shape, seed: gradients, local_head),
)
