"""To new clothes: the fine-tuning that the notebook, the command line and the widgets share.

The last two residual blocks of the pre-trained ResNet-20 and a new readout learn; everything before them, the trunk, is
frozen. The trunk's output for each image is computed once, and the network without its trunk learns from that: the same
gradients (a test says so) in a fraction of the time.

    x ─ trunk (frozen) ─ layer3.1: conv1, bn1, relu1, conv2, bn2, + x, relu2 ─ layer3.2: the same ─ mean ─ linear
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.compression.baselines import checkpointed, hosvd_each_step
from workbench.compression.calibration import Modes
from workbench.compression.lance import compress
from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.split import Split
from workbench.experiments.fine_tuning import (
    LabelledImages,
    class_scores,
    freeze_except,
    gradients,
    inputs_of,
    select_classes,
    without,
)
from workbench.experiments.pretrained import NEW_CLASSES, fashion_resnet20
from workbench.networks.resnet import ResNet
from workbench.networks.seeded import seeded
from workbench.rule import StepReport
from workbench.training.setting import Setting

TRUNK = ("conv1", "bn1", "relu", "layer1", "layer2", "layer3.0")
BLOCKS = ("layer3.1", "layer3.2")
LAYERS = ("layer3.1.conv1", "layer3.1.conv2", "layer3.2.conv1", "layer3.2.conv2")  # the convolutions that learn
BATCH, CALIBRATION_BATCHES = 64, 20


class Transfer(NamedTuple):
    """`whole` takes images; `network` is the same without its trunk and takes what the trunk makes of them, `data`.

    The two have parameters of their own. Only `LAYERS` and the readout learn.
    """

    whole: nn.Module
    network: nn.Module
    images: Split[LabelledImages]
    data: Split[LabelledImages]

    def calibration(self) -> list[Float[Tensor, "..."]]:
        """The batches on which LANCE finds its bases: twenty of the training data, of every class alike."""
        count = len(self.data.train.labels)
        order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
        rows = order[: CALIBRATION_BATCHES * BATCH].split(BATCH)
        return [self.data.train.images[r] for r in rows if len(r) == BATCH] or [self.data.train.images]


def transfer(network: ResNet, images: Split[LabelledImages], seed: int = 0) -> Transfer:
    """Give a pre-trained network a new readout, drawn from `seed`, and freeze all but the last two blocks and it."""
    with seeded(seed):
        network.linear = nn.Linear(network.linear.in_features, int(images.train.labels.max()) + 1)
    freeze_except(network, [*LAYERS, "linear"])
    data = images.map(lambda part: inputs_of(network, BLOCKS[0], part))
    return Transfer(network, without(network, TRUNK), images, data)


def new_clothes(seed: int = 0, every: int = 1) -> Transfer:
    """The shipped network, with the 2,000 + 400 embedded images of dresses, sandals, bags and boots, new to it.

    `every` = 7 takes every seventh image only, for a picture that shall not wait for the trunk.

    >>> task = new_clothes()
    >>> task.data.train.images.shape
    torch.Size([2000, 64, 7, 7])
    """
    if every < 1:
        raise ValueError(f"every is a whole number from 1, got {every}")
    images = select_classes(fashion_mnist_small(), NEW_CLASSES)
    few = images.map(lambda part: LabelledImages(part.images[::every], part.labels[::every]))
    return transfer(fashion_resnet20(), few, seed)


def sgd(network: nn.Module) -> torch.optim.SGD:
    """The paper's optimiser; its learning rate 0.05 goes down along a cosine."""
    learning = [p for p in network.parameters() if p.requires_grad]
    return torch.optim.SGD(learning, lr=0.05, momentum=0.9, weight_decay=1e-4)


# --- the same network, keeping less ---------------------------------------------------------------------------------

# (network, calibration batches, energy) → the network that learns
FineTuningRule = Callable[[nn.Module, Iterable[Tensor], float], nn.Module]


def plain(network: nn.Module, batches: Iterable[Float[Tensor, "..."]], energy: float) -> nn.Module:
    """Backpropagation: every input is kept."""
    return network


def with_lance(
    network: nn.Module,
    batches: Iterable[Float[Tensor, "..."]],
    energy: float,
    modes: Modes = Modes(),
    layers: Sequence[str] = LAYERS,
) -> nn.Module:
    """LANCE on the convolutions, calibrated on `batches`."""
    return compress(network, batches, energy, modes, layers)


def with_hosvd(network: nn.Module, batches: Iterable[Float[Tensor, "..."]], energy: float) -> nn.Module:
    """A HOSVD of every input at every step, the batch mode too, as in arXiv 2411.06346."""
    return hosvd_each_step(network, LAYERS, energy, Modes(batch=True))


def with_checkpointing(network: nn.Module, batches: Iterable[Float[Tensor, "..."]], energy: float) -> nn.Module:
    """Each block keeps its input and runs twice."""
    return checkpointed(network, BLOCKS)


FINE_TUNING_RULES: dict[str, FineTuningRule] = {  # by the names of the command line
    "lance": with_lance,
    "bp": plain,
    "hosvd": with_hosvd,
    "checkpointing": with_checkpointing,
}


def fine_tuning_setting(rule: FineTuningRule, seed: int, energy: float = 0.7, every: int = 1) -> Setting:
    """One run of the experiment `fine-tune-fashion`; `every` as for `new_clothes`."""
    task = new_clothes(seed, every)
    network = rule(task.network, task.calibration(), energy)
    return Setting(network, sgd(network), task.data, counted, class_scores, BATCH)


def counted(network: nn.Module, x: Float[Tensor, "batch ..."], y: Int[Tensor, " batch"]) -> StepReport:
    """`gradients`, with the trunk's output counted as an activation that is kept: a copy of it is given."""
    return gradients(network, x.clone(), y)
