"""How the outputs of a network are judged: what a run counts, shows and reports.

A score is one number per sample, for people and programs: the share of right answers, or the error of a flow in pixels.
The loss beside it is what learning lowers, on samples that were not learned from.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.checks import check_weights, is_finite, written
from workbench.meters.evaluation import evaluation
from workbench.rule import Batch, for_lengths

Logits = Callable[[Any, Tensor], Tensor]  # (network, x) → what is judged, for instance class scores


@runtime_checkable
class Samples(Protocol):
    """Samples that give batches by index: x as the rule wants it, y what is asked of it, and, where sequences differ in
    length and are padded, how many steps of each are its own.

    `labels` holds y of all samples: class numbers, or for instance a flow for each.
    """

    @property
    def labels(self) -> Shaped[Tensor, "sample ..."]: ...
    def batch(self, rows: Int[Tensor, "row"]) -> tuple[Shaped[Tensor, "..."], ...]: ...


class Score(NamedTuple):
    """How outputs are judged.

    name: in what programs read, such as "accuracy". label, unit: for people. more_is_better: or else less is.
    values(outputs, y): one number per sample. loss(outputs, y): the held-out loss, summed over the samples.
    loss_label: what the loss is, and its unit. told: how a held-out value is told, {} for the value with its unit.
    scale: what a value is multiplied with to be in `unit`; digits after the point when it is shown. limit: the largest
    value that there can be, or None.
    """

    name: str
    label: str
    unit: str
    more_is_better: bool
    values: Callable[[Tensor, Tensor], Tensor]
    loss: Callable[[Tensor, Tensor], Tensor]
    loss_label: str
    told: str
    scale: float = 1.0
    digits: int = 2
    limit: float | None = None

    def mean(self, outputs: Shaped[Tensor, "batch *outputs"], y: Shaped[Tensor, "batch *target"]) -> float:
        """The mean over the samples."""
        return float(self.values(outputs, y).mean())

    def words(self, value: float) -> str:
        """A value with its unit.

        >>> ACCURACY.words(0.8125)
        '81.2 %'
        """
        return f"{self.scale * value:.{self.digits}f} {self.unit}"


def right(logits: Float[Tensor, "batch classes"], y: Int[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """1 where the largest output is the label's, else 0."""
    return (logits.argmax(-1) == y).float()


def summed_cross_entropy(logits: Float[Tensor, "batch classes"], y: Int[Tensor, "batch"]) -> Float[Tensor, ""]:
    """Cross-entropy, summed over the samples."""
    return F.cross_entropy(logits, y, reduction="sum")


def accuracy(logits: Float[Tensor, "batch classes"], y: Int[Tensor, "batch"]) -> float:
    """Fraction of samples whose largest output is the label's."""
    return float(right(logits, y).mean())


ACCURACY: Score = Score(
    "accuracy",
    "accuracy",
    "%",
    more_is_better=True,
    values=right,
    loss=summed_cross_entropy,
    loss_label="cross-entropy (nats)",
    told="{} of held-out samples right",
    scale=100.0,
    digits=1,
    limit=1.0,
)


def check_outputs(outputs: Shaped[Tensor, "batch ..."], first: int) -> None:
    """Raise FloatingPointError with the number of the first sample, from `first` on, whose outputs are not finite."""
    if not is_finite(outputs):
        sample = first + int((~outputs.flatten(1).isfinite().all(1)).nonzero()[0])
        raise FloatingPointError(
            f"the outputs for sample {sample} are NaN or infinite; look at its input, and at the weights' size"
        )


@torch.no_grad()
def evaluate(
    network: nn.Module, samples: Samples, logits: Logits, batch_size: int = 250, score: Score = ACCURACY
) -> tuple[float, float]:
    """Mean score and mean loss over all samples; nothing about the network changes.

    Raises FloatingPointError, with the name of the weights or the number of the sample, where something is not finite.
    """
    network, total, loss = written(network), 0.0, 0.0
    if not len(samples.labels):
        raise ValueError("there is no sample to evaluate on; give a test set with at least one")
    check_weights(network)
    with evaluation(network):
        for rows in torch.arange(len(samples.labels)).split(batch_size):
            x, y, lengths = Batch(*samples.batch(rows))
            outputs = for_lengths(logits, lengths)(network, x)
            check_outputs(outputs, int(rows[0]))
            total += score.mean(outputs, y) * len(y)
            loss += float(score.loss(outputs, y))
    return total / len(samples.labels), loss / len(samples.labels)
