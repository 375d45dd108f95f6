"""Still images shown to a spiking network: the same image at every step, as a current into the first layer."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from workbench.checks import COUNT, as_bytes, as_tensor
from workbench.data.images import ImageSet
from workbench.data.split import Split


class StillSet(NamedTuple):
    """Images as vectors of 0 to 1, to be shown for `steps` steps, and labels."""

    images: Float[Tensor, "image pixels"]
    labels: Int64[Tensor, " image"]
    steps: int

    def batch(self, rows: Int64[Tensor, " row"]) -> tuple[Float[Tensor, "time row pixels"], Int64[Tensor, " row"]]:
        """The images of `rows` at every step, without copies, and their labels."""
        return self.images[rows].expand(self.steps, -1, -1), self.labels[rows]


def still_images(images: Split[ImageSet], steps: int = 6) -> Split[StillSet]:
    """Show each image for `steps` steps (the TESS paper shows CIFAR for 6). Raises ValueError for steps below 1."""
    if not COUNT.holds(steps):
        raise ValueError(f"steps must be at least 1, got {steps}")
    return Split(_still(images.train, steps), _still(images.test, steps), images.classes)


def _still(images: ImageSet, steps: int) -> StillSet:
    pixels: UInt8[Tensor, "image pixels"] = as_tensor(as_bytes(images.images)).flatten(1)
    return StillSet(pixels.float() / 255, torch.from_numpy(images.labels), steps)
