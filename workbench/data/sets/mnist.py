"""MNIST: 60,000 + 10,000 handwritten digits (LeCun, Cortes and Burges; CC BY-SA 3.0 as commonly stated)."""

from pathlib import Path

from workbench.data.delivery.sources import MNIST
from workbench.data.images import ImageSet
from workbench.data.sets.idx import idx_split
from workbench.data.split import Split

CLASSES = tuple("0123456789")


def mnist(folder: str | Path | None = None, progress: bool = False) -> Split[ImageSet]:
    """The whole of MNIST, from `folder` (filled by hand or by an earlier call) or downloaded into it (11.6 MB).

    `folder` holds the four published files, `.gz` or unpacked; by default `mnist/` in the data folder.
    Raises ValueError for a wrong file and OSError if one is missing and cannot be downloaded.
    """
    return idx_split(MNIST, CLASSES, folder, progress)
