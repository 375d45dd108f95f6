"""Images as batches for networks: normalised floats, and where wanted cut and mirrored at random.

The random choices of a batch depend on nothing but the rows that were asked for: the same rows give the same batch, and
since every epoch has its own order, every epoch cuts anew. A run that is resumed sees what it would have seen.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int, Shaped, UInt8
from torch import Tensor

from workbench.checks import Array, as_bytes, as_tensor, check_integers
from workbench.data.split import Split

Augment = Callable[[Tensor, torch.Generator], Tensor]  # (images, generator) → images moved or mirrored


class Scale(NamedTuple):
    """Mean and standard deviation of each channel, for values of 0 to 1."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


MNIST_SCALE = Scale((0.1307,), (0.3081,))  # of MNIST's training images
FASHION_SCALE = Scale((0.2860,), (0.3530,))  # of Fashion-MNIST's training images
DIGITS_SCALE = Scale((0.3052,), (0.3760,))  # of scikit-learn's digits
# of the red, green and blue of CIFAR-10's training images
CIFAR_SCALE = Scale((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))


class Pictures(NamedTuple):
    """Labelled images: bytes `(image, channel, height, width)`, given out as normalised floats."""

    images: UInt8[Tensor, "image channel height width"]
    labels: Int[Tensor, "image"]
    scale: Scale
    augment: tuple[Augment, ...] = ()

    def batch(self, rows: Int[Tensor, "row"]) -> tuple[Float[Tensor, "row channel height width"], Int[Tensor, "row"]]:
        """The images `(row, channel, height, width)`, mean 0 and deviation 1 over the data set, and their labels."""
        x = self.images[rows]
        generator = torch.Generator().manual_seed(_seed(rows))
        for change in self.augment:
            x = change(x, generator)
        return normalized(x, self.scale), self.labels[rows]


def pictures(
    images: Shaped[Array, "image ..."],
    labels: Shaped[Array, "label"],
    scale: Scale,
    augment: tuple[Augment, ...] = (),
) -> Pictures:
    """From arrays: grey `(image, height, width)` or with channels `(image, channel, height, width)`."""
    x = as_tensor(as_bytes(images))
    x = x[:, None] if x.ndim == 3 else x
    if len(x) != len(labels) or x.shape[1] != len(scale.mean):
        expected = f"{len(labels)} images of {len(scale.mean)} channels"
        raise ValueError(f"expected {expected}, got shape {tuple(images.shape)}")
    return Pictures(x, check_integers(as_tensor(labels, "labels")), scale, augment)


def picture_split(split: Split[Any], scale: Scale, augment: tuple[Augment, ...] = ()) -> Split[Pictures]:
    """A data set of `(images, labels)` as batches of normalised images; only training images are augmented."""
    (images, labels), (held_out, their_labels) = split.train, split.test
    train, test = pictures(images, labels, scale, augment), pictures(held_out, their_labels, scale)
    return Split(train, test, split.classes)


def normalized(
    x: UInt8[Tensor, "image channel height width"], scale: Scale
) -> Float[Tensor, "image channel height width"]:
    """(x / 255 − mean) / deviation, channel by channel."""
    mean, deviation = (torch.tensor(values)[:, None, None] for values in scale)
    return (x / 255.0 - mean) / deviation


def crop_padded(
    x: UInt8[Tensor, "image channel height width"], generator: torch.Generator, margin: int = 4
) -> UInt8[Tensor, "image channel height width"]:
    """Each image moved by up to `margin` pixels in either direction; black comes in from outside."""
    height, width = x.shape[2:]
    padded = torch.nn.functional.pad(x, [margin] * 4)
    top, left = torch.randint(0, 2 * margin + 1, (2, len(x), 1), generator=generator)
    rows, columns = top + torch.arange(height), left + torch.arange(width)
    image = torch.arange(len(x))[:, None, None]
    return padded[image, :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def mirror(
    x: UInt8[Tensor, "image channel height width"], generator: torch.Generator
) -> UInt8[Tensor, "image channel height width"]:
    """Left and right exchanged in every other image, by chance."""
    chosen = torch.rand(len(x), 1, 1, 1, generator=generator) < 0.5
    return torch.where(chosen, x.flip(-1), x)


def _seed(rows: Sequence[int] | Tensor) -> int:
    """A number made of the rows and their order."""
    rows = torch.as_tensor(rows, dtype=torch.int64)
    return int(((rows + 1) * (2 * torch.arange(len(rows)) + 1)).sum()) % 2**31
