"""How strongly the blocks of a network are synchronised with the waves of each class, seen while LLS trains them.

Rules and symbols: `workbench.rules.lls`. A block is in step with class c when its latents z point along the row B_c:
the cosine between them is 1. `watch` trains and looks now and then at the mean cosine of the samples of each class with
each row; what LLS wants is a large diagonal. `teach` shows one sample: its latents, what LLS makes of them, and the
learning signal.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor
from torch.nn import functional as F

from workbench.credit.bases import Basis, Closest, judge_rows, row_cosines
from workbench.networks.blocks import BlockNetwork
from workbench.rules.lls import LLS, local_signal, synchrony_by_block
from workbench.training.loop import train
from workbench.training.score import Samples
from workbench.training.setting import Plan, Record, Setting


class Examined(NamedTuple):
    """A basis, the cosine between every two rows, the closest pair, and what the guard says (nothing if all is well).

    A basis that cannot be made at all has no rows.
    """

    rows: Float64[Tensor, "rows latents"]
    cosines: Float64[Tensor, "rows rows"]
    closest: Closest
    refused: bool
    words: str


def judge_basis(basis: Basis, classes: int, latents: int) -> Examined:
    """Make a basis and judge it; a refusal comes as words, not as an error."""
    try:
        rows = basis(classes, latents)
    except ValueError as error:
        return Examined(
            torch.zeros(0, latents).double(), torch.zeros(0, 0).double(), Closest(0.0, 0, 0), True, str(error)
        )
    return Examined(rows, row_cosines(rows), *judge_rows(rows))


class Taught(NamedTuple):
    """One sample: its latents with norm 1, the probability of its class, and −∂L/∂z, where learning pushes z."""

    direction: Float64[Tensor, "latents"]
    probability: float
    push: Float64[Tensor, "latents"]


def teach(
    rows: Float64[Tensor, "rows latents"], label: int, share: float, seed: int = 0, params: LLS = LLS()
) -> Taught:
    """The learning signal for latents that are in step with `label` by `share` (0 to 1) and noise for the rest."""
    noise = torch.randn(rows.shape[1], generator=torch.Generator().manual_seed(seed), dtype=rows.dtype)
    z = share * F.normalize(rows[label], dim=0) + (1.0 - share) * F.normalize(noise, dim=0)
    signal = local_signal(z[None], rows, torch.tensor([label]), params)
    return Taught(F.normalize(z, dim=0), float(torch.exp(-signal.loss)), -signal.latents[0])


class Look(NamedTuple):
    """A training step, and the mean cosine `(class, row)` of every block after it."""

    record: Record
    synchrony: tuple[Float[Tensor, "classes _"], ...]


def watch(setting: Setting, epochs: int = 1, seed: int = 0, every: int = 5, per_class: int = 20) -> Iterator[Look]:
    """Train a network with LLS heads; look every so many steps and after the last at held-out samples of each class.

    Raises ValueError for another network.
    """
    network = setting.network
    if not isinstance(network, BlockNetwork):
        raise ValueError(f"LLS trains a BlockNetwork, got {type(network).__name__}")
    x, y = setting.data.test.batch(first_of_each_class(setting.data.test, per_class))
    for record in train(setting, Plan(epochs, seed)):
        if record.step % every == 0 or record.step + 1 == record.steps:
            with setting.evaluating(setting.data.train):  # as the network is judged: averaged, with statistics for it
                cosines = synchrony_by_block(network, x)
            yield Look(record, tuple(class_means(each, y) for each in cosines))


def first_of_each_class(samples: Samples, per_class: int) -> Int[Tensor, "n"]:
    """Rows of the first `per_class` samples of each class, class by class."""
    labels = samples.labels
    return torch.cat([(labels == c).nonzero()[:per_class, 0] for c in labels.unique()])


def class_means(values: Float[Tensor, "batch rows"], y: Int[Tensor, "batch"]) -> Float[Tensor, "classes rows"]:
    """Mean over the samples of each class; the classes are those that occur.

    >>> class_means(torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([0, 0, 1]))
    tensor([[2.],
            [5.]])
    """
    return torch.stack([values[y == c].mean(0) for c in y.unique()])


def lead(means: Float[Tensor, "classes rows"]) -> float:
    """How much closer a class is to its own row than to the others, on average: 0 knows nothing, 1 is the most."""
    classes = len(means)
    own = means.diagonal().sum()
    return float(own / classes - (means.sum() - own) / max(classes * (classes - 1), 1))


def leads(looks: Sequence[Look]) -> Float[Tensor, "looks blocks"]:
    """`lead` of every block at every look."""
    return torch.tensor([[lead(means) for means in look.synchrony] for look in looks])
