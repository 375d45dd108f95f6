"""What is alive during one training step, layer by layer, for four ways to take it: curves for a picture.

place    0 … n − 1 in the forward pass, layer by layer, n the loss, n + 1 … 2n the same layers backwards
bytes    what autograd keeps at that place, seen by saved-tensor hooks: activations, cores, bases, signs
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from workbench.compression.baselines import hosvd_each_step
from workbench.compression.calibration import Modes
from workbench.compression.hosvd import by_correlation
from workbench.experiments.fine_tuning import gradients
from workbench.experiments.new_clothes import (
    BATCH,
    LAYERS,
    FineTuningRule,
    Transfer,
    plain,
    with_checkpointing,
    with_lance,
)
from workbench.meters.evaluation import untouched
from workbench.meters.timeline import Moment, memory_timeline, network_tensors

PARTS = ("conv1", "bn1", "relu1", "conv2", "bn2", "relu2")
# layers in the order of the forward pass
PLACES = (*tuple(f"{block}.{part}" for block in ("layer3.1", "layer3.2") for part in PARTS), "linear")


def quick_hosvd(network, batches, energy: float):
    """`transfer.with_hosvd`, by eigenvectors instead of singular value decompositions: the same bytes, sooner."""
    return hosvd_each_step(network, LAYERS, energy, Modes(batch=True), by_correlation)


STEP_RULES: dict[str, FineTuningRule] = {
    "backpropagation": plain,
    "checkpointing": with_checkpointing,
    "HOSVD at every step": quick_hosvd,
    "LANCE": with_lance,
}


class BytesAlive(NamedTuple):
    """Bytes that autograd keeps at each place of a step, and the most of them."""

    places: list[int]
    bytes: list[int]
    peak: int


def place_names(places: Sequence[str] = PLACES) -> list[str]:
    """A name for each place: the layers, the loss, the layers backwards."""
    return [*places, "loss", *reversed(places)]


def alive(moments: Sequence[Moment], places: Sequence[str] = PLACES) -> BytesAlive:
    """The curve of a timeline: it may rise and fall within one place, and then the place has several points.

    What a checkpointed block computes again belongs to the place of the layer in the backward pass.

    >>> alive([Moment("a", 8, 8), Moment("b", 4, 12), Moment("b", -4, 8), Moment("a", -8, 0)], ["a", "b"])
    BytesAlive(places=[0, 1, 3, 4], bytes=[8, 12, 8, 0], peak=12)
    """
    turn = _turning_point(moments)
    x = [_place(moment.layer, k > turn, list(places)) for k, moment in enumerate(moments)]
    for k in range(1, len(x)):
        x[k] = max(x[k], x[k - 1])  # bytes of a block are let go of after those of its layers
    totals = [moment.total for moment in moments]
    return BytesAlive(x, totals, max(totals, default=0))


def bytes_in_a_step(task: Transfer, rule: FineTuningRule, batch_size: int = BATCH, energy: float = 0.7) -> BytesAlive:
    """One step of fine-tuning `task` with `batch_size` images, watched. The trunk's output counts as kept."""
    batches = [batch[:batch_size] for batch in task.calibration()[:4]]
    network = rule(task.network, batches, energy)
    rows = torch.arange(len(task.data.train.labels))[:: len(task.data.train.labels) // batch_size][:batch_size]
    x, y = task.data.train.batch(rows)
    with untouched(network):
        moments = memory_timeline(network, lambda: gradients(network, x, y), [*network_tensors(network), y])
    return alive(moments)


def _turning_point(moments: Sequence[Moment]) -> int:
    """The last moment of the forward pass: the one before anything is let go of."""
    return next((k - 1 for k, moment in enumerate(moments) if moment.change < 0), len(moments))


def _place(layer: str, is_backward: bool, places: list[str]) -> int:
    name = layer.replace(".block", "").removesuffix(".compressor")
    inside = [k for k, place in enumerate(places) if place == name or place.startswith(f"{name}.")] if name else []
    if not inside:
        return len(places)
    return 2 * len(places) - inside[0] if is_backward else inside[0]
