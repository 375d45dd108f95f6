"""Fine-tuning: which layers learn, the images they learn from, and plain backpropagation as a rule.

`workbench.training.loop.train` runs it; the rule is the same for a plain and for a compressed network, because a LANCE
layer's gradient is what autograd computes with it.

    data = select_classes(fashion_mnist_small(), SHOES)
    names = last_convolutions(network, 4)
    freeze_except(network, [*names, "linear"])
    lance = compress(network, data.train.images.split(128), layers=names)
    optimizer = torch.optim.SGD(trained_parameters(lance), lr=0.05, momentum=0.9)
    for record in train(Setting(lance, optimizer, data, gradients, class_scores)): ...
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from workbench.data.images import ImageSet
from workbench.data.split import Split
from workbench.meters.evaluation import evaluation
from workbench.rule import StepReport


class LabelledImages(NamedTuple):
    """Standardised images in memory with their class numbers."""

    images: Float[Tensor, "sample channel height width"]
    labels: Int64[Tensor, " sample"]

    def batch(
        self, rows: Int64[Tensor, " row"]
    ) -> tuple[Float[Tensor, "row channel height width"], Int64[Tensor, " row"]]:
        """The images and labels in `rows`."""
        return self.images[rows], self.labels[rows]


def select_classes(split: Split[ImageSet], classes: Sequence[int]) -> Split[LabelledImages]:
    """The images of `classes` only, with labels 0, 1, … in the given order and pixels of mean 0 and deviation 1."""
    unknown = [c for c in classes if not 0 <= c < len(split.classes)]
    if unknown or len(set(classes)) != len(classes):
        raise ValueError(f"classes must be different numbers from 0 to {len(split.classes) - 1}, got {list(classes)}")
    mean, deviation = float(split.train.images.mean()) / 255, float(split.train.images.std()) / 255
    train, test = (_select(part, classes, mean, deviation) for part in (split.train, split.test))
    return Split(train, test, tuple(split.classes[c] for c in classes))


def _select(part: ImageSet, classes: Sequence[int], mean: float, deviation: float) -> LabelledImages:
    rows = np.isin(part.labels, classes)
    images = torch.from_numpy(part.images[rows]).float().div(255).sub(mean).div(deviation).unsqueeze(1)
    order = {c: i for i, c in enumerate(classes)}
    return LabelledImages(images, torch.tensor([order[int(c)] for c in part.labels[rows]]))


def last_convolutions(network: nn.Module, count: int) -> list[str]:
    """Names of the last `count` convolutions, in the order of their definition."""
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)]
    if not 1 <= count <= len(names):
        raise ValueError(
            f"the network has {len(names)} convolutions, so count must lie in 1..{len(names)}, got {count}"
        )
    return names[-count:]


def freeze_except(network: nn.Module, layers: Sequence[str]) -> nn.Module:
    """Freeze everything but `layers`, in place, and go to evaluation mode, so that norms keep their statistics."""
    network.eval().requires_grad_(False)
    for name in layers:
        network.get_submodule(name).requires_grad_(True)
    return network


@torch.no_grad()
def inputs_of(network: nn.Module, layer: str, data: LabelledImages, batch_size: int = 250) -> LabelledImages:
    """What the submodule `layer` is given for each image, in evaluation mode.

    Where everything before `layer` is frozen, a network without it (`without`) learns the same from these, and sooner.
    """
    inputs: list[Tensor] = []
    handle = network.get_submodule(layer).register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    try:
        for images in data.images.split(batch_size):
            class_scores(network, images)
    finally:
        handle.remove()
    return LabelledImages(torch.cat(inputs), data.labels)


def without(network: nn.Module, submodules: Sequence[str]) -> nn.Module:
    """A copy of `network` whose named submodules pass their input on unchanged; all other names stay."""
    network = deepcopy(network)
    for name in submodules:
        network.set_submodule(name, nn.Identity())
    return network


def trained_parameters(network: nn.Module) -> list[nn.Parameter]:
    """The parameters that an optimiser shall change."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def gradients(
    network: nn.Module, x: Float[Tensor, "batch ..."], y: Int[Tensor, " batch"], max_norm: float = 2.0
) -> StepReport:
    """Fill `.grad` with the gradient of the mean cross-entropy, clipped to norm `max_norm` (the paper's 2.0)."""
    logits = network(x)
    loss = F.cross_entropy(logits, y)
    loss.backward()
    nn.utils.clip_grad_norm_(trained_parameters(network), max_norm)
    return StepReport(loss.item(), logits.detach(), {}, 0)


def class_scores(network: nn.Module, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch classes"]:
    """Logits in evaluation mode; the network is left as it was."""
    with evaluation(network):
        return network(x)
