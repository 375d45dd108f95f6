"""Networks with one head per task: the MLP, AlexNet and reduced ResNet-18 of CODE-CL's experiments.

Source of the shapes: Apolinario et al., CODE-CL, ICCV 2025, and Saha et al., GPM, ICLR 2021. No layer has a bias; batch
normalisation keeps no running statistics, so a prediction depends on its batch. `seed` fixes the first weights.
"""

import itertools
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from workbench.continual.protected import select_task
from workbench.networks.blocks import BlockNetwork
from workbench.networks.seeded import seeded


class MultiHead(nn.Module):
    """A body and a linear head for each task, or a single head that all tasks share.

    Called as `network(x, task)`. `body` is any module that turns inputs into `features` numbers.

    >>> import torch
    >>> network = MultiHead(nn.Flatten(), features=784, classes=[2, 2, 2])
    >>> network(torch.zeros(5, 28, 28), task=1).shape
    torch.Size([5, 2])
    """

    def __init__(self, body: nn.Module, features: int, classes: Sequence[int]):
        super().__init__()
        if not classes or min(classes) < 1:
            raise ValueError(f"classes must give the outputs of each head, at least one, got {list(classes)}")
        self.body = body
        self.heads = nn.ModuleList(nn.Linear(features, n, bias=False) for n in classes)

    def forward(self, x: Float[Tensor, "batch *shape"], task: int) -> Float[Tensor, "batch classes"]:
        select_task(self, task)
        return self.head(task)(self.body(x))

    def head(self, task: int) -> nn.Module:
        """The head of a task. Raises ValueError for a task that has none."""
        if len(self.heads) == 1:
            return self.heads[0]
        if not 0 <= task < len(self.heads):
            raise ValueError(f"this network has heads for tasks 0..{len(self.heads) - 1}, got task {task}")
        return self.heads[task]

    def free(self) -> list[nn.Module]:
        """Modules that a task may change at will: its own head, but not a head that all tasks share."""
        return [self.heads] if len(self.heads) > 1 else []

    def seen(self, task: int) -> "OneTask":
        """The network with the head of a task, as a rule sees it."""
        return OneTask(self, task)


class OneTask(nn.Module):
    """A network with tasks, in one of them: `network(x)`. Its parameters are the network's own."""

    def __init__(self, network: nn.Module, task: int):
        super().__init__()
        self.network, self.task = network, task

    def forward(self, x: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch classes"]:
        return self.network(x, self.task)


class SharedHead(nn.Module):
    """Any network that answers all tasks with the same outputs; rules see it as it is.

    >>> import torch
    >>> from workbench.networks import small_conv
    >>> SharedHead(small_conv()).seen(3)(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Float[Tensor, "batch *shape"], task: int) -> Float[Tensor, "batch classes"]:
        return self.seen(task)(x)

    def seen(self, task: int) -> nn.Module:
        """The network itself."""
        select_task(self, task)
        return self.network

    def free(self) -> list[nn.Module]:
        """Heads that local rules hang on blocks: no answer depends on them. All else is used by every task."""
        return [self.network.heads] if isinstance(self.network, BlockNetwork) else []


def mlp(classes: Sequence[int], sizes: Sequence[int] = (784, 100, 100), seed: int = 0) -> MultiHead:
    """Inputs and hidden layers of `sizes`, ReLU. For permuted pixels: `mlp([10])`, one head for all tasks."""
    layers: list[nn.Module] = [nn.Flatten()]
    with seeded(seed):
        for n_in, n_out in itertools.pairwise(sizes):
            layers += [nn.Linear(n_in, n_out, bias=False), nn.ReLU()]
        return MultiHead(nn.Sequential(*layers), sizes[-1], classes)


def alexnet(classes: Sequence[int], channels: int = 3, seed: int = 0) -> MultiHead:
    """AlexNet for 32×32 images: convolutions of 64, 128, 256 channels (kernels 4, 3, 2), linear layers of 2,048."""
    with seeded(seed):
        body = nn.Sequential(
            *_convolution(channels, 64, 4, 0.2),  # 29² → 14²
            *_convolution(64, 128, 3, 0.2),  # 12² → 6²
            *_convolution(128, 256, 2, 0.5),  # 5² → 2²
            nn.Flatten(),
            *_dense(1024, 2048),
            *_dense(2048, 2048),
        )
        return MultiHead(body, 2048, classes)


def reduced_resnet18(
    classes: Sequence[int], width: int = 20, stem_stride: int = 1, channels: int = 3, seed: int = 0
) -> MultiHead:
    """ResNet-18 of `width` = 20 channels at first; stem stride 1 for 32×32 images, 2 for 84×84 (miniImageNet)."""
    with seeded(seed):
        body = [nn.Conv2d(channels, width, 3, stem_stride, padding=1, bias=False), _norm2d(width), nn.ReLU()]
        n_in = width
        for stage in range(4):
            n_out = width * 2**stage
            body += [Residual(n_in, n_out, stride=2 if stage else 1), Residual(n_out, n_out)]
            n_in = n_out
        body += [nn.AdaptiveAvgPool2d(2), nn.Flatten()]
        return MultiHead(nn.Sequential(*body), n_in * 4, classes)


class Residual(nn.Module):
    """Two 3×3 convolutions with normalisation, added to their input (through a 1×1 convolution where shapes differ)."""

    def __init__(self, n_in: int, n_out: int, stride: int = 1):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False),
            _norm2d(n_out),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, 3, padding=1, bias=False),
            _norm2d(n_out),
        )
        same = stride == 1 and n_in == n_out
        self.shortcut = nn.Identity() if same else _projection(n_in, n_out, stride)

    def forward(self, x: Float[Tensor, "batch n_in height width"]) -> Float[Tensor, "batch n_out h w"]:
        return (self.main(x) + self.shortcut(x)).relu()


def _projection(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), _norm2d(n_out))


def _convolution(n_in: int, n_out: int, kernel: int, dropout: float) -> list[nn.Module]:
    convolution = nn.Conv2d(n_in, n_out, kernel, bias=False)
    return [convolution, _norm2d(n_out), nn.ReLU(), nn.Dropout(dropout), nn.MaxPool2d(2)]


def _dense(n_in: int, n_out: int) -> list[nn.Module]:
    normalisation = nn.BatchNorm1d(n_out, track_running_stats=False)
    return [nn.Linear(n_in, n_out, bias=False), normalisation, nn.ReLU(), nn.Dropout(0.5)]


def _norm2d(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, track_running_stats=False)
