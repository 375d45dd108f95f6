"""Handwritten digits of 8 × 8 pixels that come inside scikit-learn (UCI "Optical Recognition of Handwritten Digits").

Alpaydin & Kaynak 1998, doi 10.24432/C50P49, CC BY 4.0: the test part, 1,797 images. No network is needed.
"""

import numpy as np

from workbench.data.images import ImageSet
from workbench.data.split import Split

CLASSES = tuple("0123456789")


def digits(test_per_class: int = 36) -> Split[ImageSet]:
    """The last `test_per_class` images of each class to test, all others (about 144 of each class) to train.

    The order is kept, because neighbours are often by one writer. Raises ImportError, with what
    to install, when scikit-learn is missing, and ValueError when a class has not so many images.

    >>> digits().test.images.shape
    (360, 8, 8)
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("the digits come inside scikit-learn: pip install scikit-learn") from error
    pixels, labels = load_digits(return_X_y=True)
    images = np.rint(pixels.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    labels = labels.astype(np.int64)
    smallest = int(np.bincount(labels).min())
    if not 1 <= test_per_class < smallest:
        raise ValueError(f"test_per_class must lie in 1..{smallest - 1}, got {test_per_class}")
    rows = [np.flatnonzero(labels == c) for c in range(len(CLASSES))]
    train = np.sort(np.concatenate([row[:-test_per_class] for row in rows]))
    test = np.sort(np.concatenate([row[-test_per_class:] for row in rows]))
    return Split(ImageSet(images[train], labels[train]), ImageSet(images[test], labels[test]), CLASSES)
