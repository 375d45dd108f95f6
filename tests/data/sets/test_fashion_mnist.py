"""The embedded part of Fashion-MNIST."""

import numpy as np
import pytest

from workbench.data.delivery.sources import FASHION_MNIST
from workbench.data.sets.fashion_mnist import CLASSES, fashion_mnist, fashion_mnist_small


def test_the_embedded_set_is_balanced():
    split = fashion_mnist_small()
    assert split.classes == CLASSES
    for part, per_class in ((split.train, 500), (split.test, 100)):
        assert part.images.shape == (10 * per_class, 28, 28)
        assert part.images.dtype == np.uint8
        assert part.labels.dtype == np.int64
        np.testing.assert_array_equal(np.bincount(part.labels), np.full(10, per_class))


def test_labels_belong_to_the_embedded_images():
    """The nearest mean image names the class of two images in three; a wrong order of labels would give a tenth."""
    train, test, _ = fashion_mnist_small()
    means = np.stack([train.images[train.labels == label].mean(0) for label in range(10)])
    distances = ((test.images[:, None].astype(np.float32) - means) ** 2).sum((2, 3))
    assert (distances.argmin(1) == test.labels).mean() > 0.6


@pytest.mark.skipif(not FASHION_MNIST.system[0].is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_package_of_debian_holds_the_embedded_images(tmp_path):
    split = fashion_mnist(tmp_path)
    for whole, small in zip(list(split)[:2], list(fashion_mnist_small())[:2], strict=True):
        labels = {image.tobytes(): label for image, label in zip(*whole, strict=True)}
        assert all(labels[image.tobytes()] == label for image, label in zip(*small, strict=True))
    assert not any(tmp_path.iterdir())
