"""Fashion-MNIST: photographs of clothing in ten classes (Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747; MIT).

A class-balanced part of it ships with the project, so that everything runs without a network.
"""

from pathlib import Path

import numpy as np

from workbench.data.delivery.sources import FASHION_MNIST, FASHION_MNIST_SMALL
from workbench.data.delivery.storage import embedded_file
from workbench.data.images import ImageSet
from workbench.data.sets.idx import idx_split
from workbench.data.split import Split

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def fashion_mnist_small() -> Split[ImageSet]:
    """The embedded part: 500 training and 100 test images of each class. Needs no network.

    >>> fashion_mnist_small().train.images.shape
    (5000, 28, 28)
    """
    with np.load(embedded_file(FASHION_MNIST_SMALL.file, FASHION_MNIST_SMALL.sha256), allow_pickle=False) as file:
        train, test = (
            ImageSet(file[f"{part}_images"], file[f"{part}_labels"].astype(np.int64)) for part in ("train", "test")
        )
    return Split(train, test, CLASSES)


def fashion_mnist(folder: str | Path | None = None, progress: bool = False) -> Split[ImageSet]:
    """The whole set of 60,000 + 10,000 images: from `folder`, from Debian's package, or downloaded (30.9 MB).

    `folder` holds the four published files, `.gz` or unpacked; by default `fashion_mnist/` in the data
    folder. Raises ValueError for a wrong file and OSError if one is missing and cannot be downloaded.
    """
    return idx_split(FASHION_MNIST, CLASSES, folder, progress)
