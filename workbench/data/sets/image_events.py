"""Labelled images as event recordings of the simulated camera, cut into a training and a held-out set."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8

from workbench.data.delivery.cache import cached, fingerprint
from workbench.data.delivery.storage import data_folder
from workbench.data.event_sets import EventSet, balanced_rows, pack_frames, unpack_counts
from workbench.data.images import ImageSet
from workbench.data.senses.camera import LIKE_NMNIST, EventCamera, event_frames
from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.split import Split

BLOCK = 64  # images simulated at once: their arrays stay in the processor's cache
SIMULATOR = 1  # part of a cache file's name: raise it when senses/camera.py gives other events


def fashion_events(
    train_per_class: int = 500,
    test_per_class: int = 100,
    seed: int = 0,
    pool: int = 2,
    camera: EventCamera = LIKE_NMNIST,
    folder: str | Path | None = None,
) -> Split[EventSet]:
    """The embedded Fashion-MNIST images as SIMULATED event recordings, ready for training.

    Both sets have equally many recordings of each class, drawn by `seed`; the test set is from the test images of
    Fashion-MNIST. `pool=2` adds up 2 × 2 pixels: 2 × 17 × 17 = 578 inputs instead of 2312. The first call takes
    some seconds and keeps the frames in `folder` (by default the data folder). More images: see `image_events`.

    Raises ValueError if there are not so many images of a class or `pool` does not divide the camera's size.
    """
    images = fashion_mnist_small()
    return image_events(images, train_per_class, test_per_class, seed, pool, camera, folder)


def image_events(
    images: Split[ImageSet],
    train_per_class: int,
    test_per_class: int,
    seed: int = 0,
    pool: int = 1,
    camera: EventCamera = LIKE_NMNIST,
    folder: str | Path | None = None,
) -> Split[EventSet]:
    """Any labelled images as SIMULATED event recordings; the arguments are those of `fashion_events`."""
    n_train = len(images.train.labels)
    train = balanced_rows(images.train.labels, train_per_class, seed)
    test = balanced_rows(images.test.labels, test_per_class, seed)
    packed = packed_frames(np.concatenate([images.train.images, images.test.images]), camera, folder)

    def event_set(rows: Int64[np.ndarray, " row"], labels: Int64[np.ndarray, " row"]) -> EventSet:
        counts = unpack_counts(packed[rows], camera.bins, camera.size, pool)
        return EventSet(counts, torch.from_numpy(labels))

    return Split(
        event_set(train, images.train.labels[train]),
        event_set(n_train + test, images.test.labels[test]),
        images.classes,
    )


def packed_frames(
    images: UInt8[np.ndarray, "image height width"], camera: EventCamera, folder: str | Path | None = None
) -> UInt8[np.ndarray, "image bytes"]:
    """`event_frames` of many images, eight pixels in a byte, kept in `folder` under a name made of all settings."""
    key = fingerprint(SIMULATOR, camera, images.shape, images)

    def simulate() -> UInt8[np.ndarray, "image bytes"]:
        starts = range(0, len(images), BLOCK)
        blocks = (event_frames(images[first : first + BLOCK], camera, first) for first in starts)
        return np.concatenate([pack_frames(block) for block in blocks])

    return cached(data_folder(folder) / f"simulated_events_{key}.npz", simulate)
