"""Images as a camera sees them move: balanced, kept, with labels that fit."""

import zipfile
from importlib import import_module

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeClassifier

from workbench.data.event_sets import balanced_rows
from workbench.data.images import ImageSet
from workbench.data.senses.camera import LIKE_NMNIST, event_frames
from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.sets.image_events import fashion_events, image_events, packed_frames
from workbench.data.split import Split

events_module = import_module("workbench.data.sets.image_events")  # the face gives the function of this name
QUICK = LIKE_NMNIST._replace(bins=4, steps_per_bin=2)


@pytest.fixture(scope="module")
def few() -> Split[ImageSet]:
    """Seven training and three test images of each class."""
    train, test, classes = fashion_mnist_small()

    def some(part: ImageSet, per_class: int) -> ImageSet:
        rows = np.sort(balanced_rows(part.labels, per_class))
        return ImageSet(part.images[rows], part.labels[rows])

    return Split(some(train, 7), some(test, 3), classes)


def test_images_become_balanced_recordings(few, tmp_path):
    split = image_events(few, 5, 3, seed=1, camera=QUICK, folder=tmp_path)
    assert split.classes == few.classes
    assert split.train.counts.shape == (4, 50, 2, 34, 34)
    assert split.test.counts.shape == (4, 30, 2, 34, 34)
    assert torch.equal(torch.bincount(split.train.labels), torch.full((10,), 5))
    assert torch.equal(torch.bincount(split.test.labels), torch.full((10,), 3))
    train = balanced_rows(few.train.labels, 5, 1)
    expected = event_frames(few.train.images, QUICK)[train].swapaxes(0, 1)
    np.testing.assert_array_equal(split.train.counts.numpy(), expected)
    test = balanced_rows(few.test.labels, 3, 1)  # the test images are numbered after the training images
    expected = event_frames(few.test.images, QUICK, len(few.train.images))[test].swapaxes(0, 1)
    np.testing.assert_array_equal(split.test.counts.numpy(), expected)


def test_the_frames_are_kept_under_the_name_of_their_settings(few, tmp_path, monkeypatch):
    images = few.test.images
    first = packed_frames(images, QUICK, tmp_path)

    def never(*_: object) -> np.ndarray:
        raise AssertionError("simulated again")

    with monkeypatch.context() as patch:
        patch.setattr(events_module, "event_frames", never)
        np.testing.assert_array_equal(packed_frames(images, QUICK, tmp_path), first)
    packed_frames(images, QUICK._replace(seed=5), tmp_path)
    packed_frames(images[:7], QUICK, tmp_path)
    packed_frames(255 - images, QUICK, tmp_path)
    monkeypatch.setattr(events_module, "SIMULATOR", -1)
    packed_frames(images, QUICK, tmp_path)
    assert len(list(tmp_path.glob("simulated_events_*.npz"))) == 5
    assert all(zipfile.is_zipfile(path) for path in tmp_path.glob("*.npz"))


def test_blocks_of_images_do_not_show(few, tmp_path, monkeypatch):
    images = few.train.images
    whole = packed_frames(images, QUICK, tmp_path / "a")
    monkeypatch.setattr(events_module, "BLOCK", 9)
    np.testing.assert_array_equal(packed_frames(images, QUICK, tmp_path / "b"), whole)


def test_labels_fit_the_events_of_the_embedded_set(tmp_path, monkeypatch):
    """A linear classifier on counts summed over time. (Whole set, T = 20, logistic regression: 83 %.)"""
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    split = fashion_events(train_per_class=100, test_per_class=50, camera=QUICK)
    assert split.train.counts.shape == (4, 1000, 2, 17, 17)
    train, test = (part.flatten().counts.sum(0, dtype=torch.float32).numpy() for part in (split.train, split.test))
    model = RidgeClassifier(alpha=100).fit(train, split.train.labels.numpy())
    assert model.score(test, split.test.labels.numpy()) > 0.7
    with pytest.raises(ValueError, match="per_class is 501, expected 1 to 500"):
        fashion_events(train_per_class=501)
