"""Drawn pictures: balanced, the same for the same seed, and what they are meant to show can be read off them."""

import numpy as np
import pytest

from workbench.data.sets import drawn
from workbench.data.sets.drawn import TEST_FONTS, TRAIN_FONTS, dots, gratings, letters

SETS = pytest.mark.parametrize("make", [letters, gratings, dots])


@SETS
def test_ten_balanced_classes_of_small_grey_pictures(make):
    train, test, classes = make(per_class=3, test_per_class=2)
    assert len(classes) == 10
    for part, each in ((train, 3), (test, 2)):
        assert part.images.shape == (10 * each, 28, 28)
        assert part.images.dtype == np.uint8
        assert np.bincount(part.labels).tolist() == [each] * 10
    assert len({image.tobytes() for image in (*train.images, *test.images)}) == 50  # no picture comes twice


@SETS
def test_the_seed_decides(make):
    first, again, other = (make(2, 1, seed).train.images for seed in (4, 4, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    with pytest.raises(ValueError, match="at least one picture, got 0"):
        make(per_class=0)


def test_fonts_of_the_test_are_not_those_of_the_training(monkeypatch):
    assert not set(TRAIN_FONTS) & set(TEST_FONTS)
    monkeypatch.setattr(drawn.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        letters(1, 1)


def test_as_many_dots_as_the_class_says():
    """Each dot covers the 13 pixels that lie within two pixels of its centre, and none lies on another."""
    train, _, classes = dots(per_class=4)
    bright = (train.images > 128).sum((1, 2)) / 13
    assert np.round(bright).astype(int).tolist() == [int(classes[label]) for label in train.labels]
    assert np.abs(bright - np.round(bright)).max() < 0.2  # noise makes a pixel or two more or fewer


def test_gratings_have_the_direction_of_their_class():
    """The strongest frequency of each picture lies within a few degrees of 18° times the class."""
    train, _, _ = gratings(per_class=6)
    spectrum = np.abs(np.fft.fft2(train.images - train.images.mean((1, 2), keepdims=True)))
    rows, columns = np.divmod(spectrum.reshape(len(spectrum), -1).argmax(1), 28)
    rows, columns = (f - 28 * (f > 14) for f in (rows, columns))
    away = (np.arctan2(rows, columns) - train.labels * np.pi / 10 + np.pi / 2) % np.pi - np.pi / 2
    assert np.median(np.abs(away)) < 0.15
