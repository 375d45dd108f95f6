"""The digits that scikit-learn holds."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from workbench.data.sets.digits import digits


def test_digits_are_scikit_learns():
    split = digits()
    assert split.train.images.shape == (1437, 8, 8)
    assert np.bincount(split.test.labels).tolist() == [36] * 10
    pixels, labels = load_digits(return_X_y=True)
    every = np.concatenate([split.train.images, split.test.images]).reshape(1797, -1)
    names = np.concatenate([split.train.labels, split.test.labels])
    scaled = np.rint(pixels * 255 / 16).astype(np.uint8)
    ours = {(image.tobytes(), label) for image, label in zip(every, names, strict=True)}
    theirs = {(image.tobytes(), label) for image, label in zip(scaled, labels, strict=True)}
    assert ours == theirs
    assert split.train.images.max() == 255
    with pytest.raises(ValueError, match=r"1\.\.173, got 200"):
        digits(200)
