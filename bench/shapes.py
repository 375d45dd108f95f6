"""LANCE beside HOSVD at every step, ASI, checkpointing and backpropagation on networks of other shapes.

ResNet-18, a small vision transformer, whose linear layers see tokens (three dimensions) and one vector (two), and the
inverted residuals of MobileNetV2 with their depthwise convolutions; the last layers learn, as in the LANCE paper
(arXiv 2509.21617). The weights are random, for published ones are not at hand: what is compared are shapes and bytes,
and how near the gradient comes to the exact one, not accuracies. Inputs are clothes, blown up, in batches of 32.

    bytes      what autograd keeps in a step, at its most, counted by hooks
    process    how far the resident memory of a process of its own rises in a step of the whole network
    formula    the same layers' inputs against their cores, by the papers' formula (LANCE only)
    cosine     of the gradient of all weights that learn with the exact one
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from bench.measure import one_thread
from workbench.compression import WarmSubspace, checkpointed, compress, hosvd_each_step, kept_by_formula
from workbench.data import fashion_mnist_small
from workbench.experiments import freeze_except
from workbench.meters import KeptBytes, network_tensors, peak_process_bytes
from workbench.networks import resnet18, seeded

BATCH, ENERGY, CLASSES, BATCHES = 32, 0.7, 10, 4


class Attention(nn.Module):
    """Self-attention with its projections as linear layers, which `nn.MultiheadAttention` hides."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch tokens width"]:
        shape = (*x.shape[:2], 3, self.heads, -1)
        q, k, v = self.qkv(x).view(shape).permute(2, 0, 3, 1, 4)
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    """Attention and two linear layers, each behind a norm and beside a shortcut."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1, self.attention, self.norm2 = nn.LayerNorm(width), Attention(width, heads), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))

    def forward(self, x: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch tokens width"]:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    """A vision transformer as small as DeiT-Tiny: width 192, three heads, patches of 8 × 8, and four blocks of its
    twelve. The mean of the tokens goes through one more linear layer before the readout."""

    def __init__(self, width: int = 192, heads: int = 3, depth: int = 4):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 8, stride=8)
        self.places = nn.Parameter(0.02 * torch.randn(1, 64, width))
        self.blocks = nn.Sequential(*(TransformerBlock(width, heads) for _ in range(depth)))
        self.norm, self.last, self.readout = nn.LayerNorm(width), nn.Linear(width, width), nn.Linear(width, CLASSES)

    def forward(self, x: Float[Tensor, "batch 3 64 64"]) -> Float[Tensor, "batch classes"]:
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.places
        return self.readout(F.relu(self.last(self.norm(self.blocks(tokens)).mean(1))))


class InvertedResidual(nn.Module):
    """MobileNetV2's block (Sandler et al. 2018): wider by a 1×1 convolution, a 3×3 one for each channel, and narrow
    again without a nonlinearity; beside a shortcut where the shape stays."""

    def __init__(self, c_in: int, c_out: int, stride: int, factor: int = 6):
        super().__init__()
        inner = factor * c_in
        self.shortcut = stride == 1 and c_in == c_out
        self.body = nn.Sequential(
            nn.Conv2d(c_in, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, inner, 3, stride, padding=1, groups=inner, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, c_out, 1, bias=False),
            nn.BatchNorm2d(c_out),
        )

    def forward(self, x: Float[Tensor, "batch c_in h w"]) -> Float[Tensor, "batch c_out h_out w_out"]:
        y = self.body(x)
        return x + y if self.shortcut else y


def mobilenet_v2() -> nn.Sequential:
    """The stages of MobileNetV2 with one block less in the long ones, for images of 64 × 64."""
    stages = [(16, 24, 2), (24, 24, 1), (24, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 96, 1), (96, 96, 1)]
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 16, 3, 2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
        *(InvertedResidual(*stage) for stage in stages),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, CLASSES)),
    )


class Shape(NamedTuple):
    """A network, the layers that learn beside its readout, the blocks that hold them, and its readout."""

    make: Callable[[], nn.Module]
    layers: tuple[str, ...]
    blocks: tuple[str, ...]
    readout: str


SHAPES = {
    "resnet18": Shape(
        partial(resnet18, CLASSES),
        ("layer4.0.conv1", "layer4.0.conv2", "layer4.1.conv1", "layer4.1.conv2"),
        ("layer4.0", "layer4.1"),
        "fc",
    ),
    "transformer": Shape(
        Transformer,
        ("blocks.3.attention.qkv", "blocks.3.attention.out", "blocks.3.mlp.0", "blocks.3.mlp.2", "last"),
        ("blocks.3",),
        "readout",
    ),
    "mobilenet_v2": Shape(
        mobilenet_v2,
        tuple(f"{block}.body.{place}" for block in (7, 8) for place in (0, 3, 6)),
        ("7", "8"),
        "9.2",
    ),
}
METHODS = ("backpropagation", "checkpointing", "hosvd", "asi", "lance")


def pictures(batches: int = BATCHES) -> tuple[list[Tensor], Tensor]:
    """Clothes of three equal colours, 64 × 64, batch by batch, and the labels of the first."""
    data = fashion_mnist_small().train
    x = torch.as_tensor(data.images[: batches * BATCH]).view(-1, 1, 28, 28).float() / 255
    x = F.interpolate(x, (64, 64), mode="bilinear").expand(-1, 3, -1, -1).sub(0.3).div(0.35)
    return list(x.split(BATCH)), torch.as_tensor(data.labels[:BATCH]).long()


def network(name: str, method: str) -> nn.Module:
    """The network of a shape with its last layers unfrozen, under a method; norms know the clothes."""
    shape, (batches, _) = SHAPES[name], pictures()
    with seeded(0):
        plain = shape.make()
    with torch.no_grad():
        for x in batches:  # running statistics of what the random layers give
            plain(x)
    freeze_except(plain, [*shape.layers, shape.readout])
    match method:
        case "checkpointing":
            return checkpointed(plain, shape.blocks)
        case "hosvd":
            return hosvd_each_step(plain, shape.layers, ENERGY)
        case "asi":
            return compress(plain, batches[1:], ENERGY, layers=shape.layers, compressor=WarmSubspace)
        case "lance":
            return compress(plain, batches[1:], ENERGY, layers=shape.layers)
    return plain


def step(net: nn.Module, x: Tensor, y: Tensor) -> None:
    """Loss and gradients of one batch."""
    net.zero_grad(set_to_none=True)
    F.cross_entropy(net(x), y).backward()


def stepper(name: str, method: str) -> Callable[[], object]:
    """A step on the first batch, for a process of its own."""
    (x, *_), y = pictures()
    return partial(step, network(name, method), x, y)


def gradient(net: nn.Module) -> Tensor:
    """All gradients in a row."""
    return torch.cat([p.grad.flatten().double() for p in net.parameters() if p.grad is not None])


def measured(name: str, methods: Sequence[str] = METHODS) -> dict[str, dict[str, float]]:
    """What each method keeps in a step of this network, and how near its gradient is to the exact one."""
    (x, *_), y = pictures()
    found: dict[str, dict[str, float]] = {}
    exact = Tensor()
    for method in methods:
        net = network(name, method)
        step(net, x, y)  # subspace iteration follows the data from its second step on
        with KeptBytes(*network_tensors(net), x, y) as kept:
            step(net, x, y)
        here = gradient(net)
        exact = here if method == "backpropagation" else exact
        found[method] = {
            "bytes": kept.peak,
            "process": peak_process_bytes(stepper, name, method),
            "cosine": float(F.cosine_similarity(here, exact, dim=0)),
        }
        if method == "lance":
            rows = kept_by_formula(net, BATCH)
            found[method]["formula"] = sum(row.input_bytes for row in rows) / sum(row.kept_bytes for row in rows)
    for row in found.values():
        row["times"] = found["backpropagation"]["bytes"] / row["bytes"]
    return found


def shapes() -> dict[str, object]:
    """All three networks; the ratio is the least of LANCE's."""
    one_thread()
    found = {name: measured(name) for name in SHAPES}
    least = min(row["lance"]["times"] for row in found.values())
    return {"name": "lance-shapes", "peer": "backpropagation through the same unfrozen layers", "ratio": least, **found}


BENCHMARKS = {"lance-shapes": shapes}
