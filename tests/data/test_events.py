"""Event sets: binning, packing, pooling, balance, batches, the cache, and Fashion-MNIST as events."""

import errno
import os
import subprocess
import sys
import zipfile
from importlib import import_module

import numpy as np
import pytest
import torch
from gate import PATIENCE
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import RidgeClassifier

from workbench.data.delivery.cache import cached, fingerprint
from workbench.data.event_sets import EventSet, balanced_rows, pack_frames, unpack_counts
from workbench.data.events import Events, bin_events
from workbench.data.images import ImageSet, ImageSplit
from workbench.data.senses.camera import LIKE_NMNIST, event_frames
from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.sets.image_events import fashion_events, image_events, packed_frames

events_module = import_module("workbench.data.sets.image_events")  # the face gives the function of this name

QUICK = LIKE_NMNIST._replace(bins=4, steps_per_bin=2)


def recording(*rows: tuple[int, int, int, int]) -> Events:
    t, x, y, p = np.array(rows, np.int64).reshape(-1, 4).T
    return Events(t, x.astype(np.uint8), y.astype(np.uint8), p.astype(np.uint8))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 130), st.integers(0, 4), st.integers(0, 4), st.integers(0, 1))),
    st.integers(1, 7),
)
def test_binning_one_event_after_the_other(rows, bins):
    frames = np.zeros((bins, 2, 5, 5), bool)
    for t, x, y, p in rows:
        for number in range(bins):
            if number * 101 <= t * bins < (number + 1) * 101:
                frames[number, p, y, x] = True
    np.testing.assert_array_equal(bin_events(recording(*rows), bins, 101, 5), frames)


def test_binning_refuses_another_sensor():
    with pytest.raises(ValueError, match="address 7, expected 0 to 4"):
        bin_events(recording((0, 1, 7, 1)), 2, 100, 5)


@pytest.mark.parametrize("pool", [1, 2, 3, 6])
def test_packing_and_pooling(pool):
    frames = np.random.default_rng(0).random((70, 5, 2, 6, 6)) < 0.3
    counts = unpack_counts(pack_frames(frames), 5, 6, pool)
    assert counts.dtype == torch.uint8
    assert counts.is_contiguous()
    for bin_, row, p, y, x in [(0, 0, 0, 0, 0), (4, 69, 1, 6 // pool - 1, 0), (2, 64, 0, 0, 6 // pool - 1)]:
        block = frames[row, bin_, p, y * pool : (y + 1) * pool, x * pool : (x + 1) * pool]
        assert counts[bin_, row, p, y, x] == block.sum()
    assert counts.sum() == frames.sum()


def test_pooling_refuses_what_does_not_fit():
    packed = pack_frames(np.zeros((1, 1, 2, 34, 34), bool))
    for pool in (0, 3, 35):
        with pytest.raises(ValueError, match=rf"pool is {pool}, .* one of \[1, 2, 17, 34\]"):
            unpack_counts(packed, 1, 34, pool)
    with pytest.raises(ValueError, match="must fit into one byte"):
        unpack_counts(packed, 1, 34, 17)


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(1, 4))
def test_balanced_rows(seed, per_class):
    labels = np.random.default_rng(3).permutation(np.repeat([0, 4, 9], [4, 5, 7]))
    rows = balanced_rows(labels, per_class, seed)
    assert len(set(rows)) == 3 * per_class
    assert sorted(labels[rows]) == [0] * per_class + [4] * per_class + [9] * per_class
    np.testing.assert_array_equal(rows, balanced_rows(labels, per_class, seed))


def test_balanced_rows_differ_by_seed_and_say_what_there_is():
    labels = np.repeat([0, 1], [40, 30])
    assert sorted(balanced_rows(labels, 20, 0)) != sorted(balanced_rows(labels, 20, 1))
    for per_class in (0, 31):
        with pytest.raises(ValueError, match=f"per_class is {per_class}, expected 1 to 30"):
            balanced_rows(labels, per_class)
    with pytest.raises(ValueError, match="no labels"):
        balanced_rows(np.zeros(0, np.int64), 1)


def test_batch_is_time_first_float_and_in_the_order_asked():
    counts = torch.randint(0, 5, (3, 6, 2, 4, 4), dtype=torch.uint8)
    whole = EventSet(counts, torch.arange(6))
    rows = torch.tensor([4, 0, 4])
    x, y = whole.batch(rows)
    assert x.dtype == torch.float32
    assert x.is_contiguous()
    assert torch.equal(x, torch.stack([counts[:, row].float() for row in rows], 1))
    assert torch.equal(y, rows)
    flat, _ = whole.flatten().batch(rows)
    assert torch.equal(flat, x.flatten(2))
    assert torch.equal(whole.subset(rows).batch(torch.arange(3))[0], x)
    assert whole.flatten().counts.data_ptr() == counts.data_ptr()


# The cache


def test_fingerprint_changes_with_each_part():
    array = np.arange(4)
    keys = [fingerprint(*parts) for parts in ((1, "a"), ("1a",), (LIKE_NMNIST,), (QUICK,), (array,), (array + 1,))]
    assert len(set(keys)) == len(keys)
    assert fingerprint(QUICK, array) == fingerprint(QUICK, array.copy())


def made(calls: list[int]) -> np.ndarray:
    calls.append(1)
    return np.arange(12, dtype=np.uint8).reshape(3, 4)


def test_the_cache_makes_once(tmp_path):
    calls: list[int] = []
    path = tmp_path / "new" / "x.npz"
    for _ in range(3):
        np.testing.assert_array_equal(cached(path, lambda: made(calls)), made([]))
    assert calls == [1]


@pytest.mark.parametrize("damage", ["empty", "short", "flipped", "other", "text"])
def test_a_damaged_cache_file_is_made_again(tmp_path, damage):
    path = tmp_path / "x.npz"
    cached(path, lambda: made([]))
    whole = path.read_bytes()
    at = whole.index(made([]).tobytes())
    path.write_bytes(
        {
            "empty": b"",
            "short": whole[: len(whole) // 2],
            "flipped": whole[:at] + b"\xff" + whole[at + 1 :],
            "other": whole.replace(b"packed.npy", b"parked.npy"),
            "text": b"<html>not here</html>",
        }[damage]
    )
    calls: list[int] = []
    np.testing.assert_array_equal(cached(path, lambda: made(calls)), made([]))
    assert calls == [1]
    assert path.read_bytes() == whole


def test_without_a_folder_to_write_the_array_is_made_with_a_warning(tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match=r"x.npz could not be kept in .*WORKBENCH_DATA"):
        array = cached(tmp_path / "file" / "x.npz", lambda: made([]))
    np.testing.assert_array_equal(array, made([]))


def test_a_full_disk_loses_the_cache_but_not_the_array(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    calls: list[int] = []
    with pytest.warns(UserWarning, match="the disk is full"):
        cached(tmp_path / "x.npz", lambda: made(calls))
    assert calls == [1]
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_an_error_while_making_is_not_taken_for_one_of_the_cache(tmp_path):
    def missing() -> np.ndarray:
        raise FileNotFoundError("a recording")

    with pytest.raises(FileNotFoundError, match="a recording"):
        cached(tmp_path / "x.npz", missing)


MAKE = """
import sys
from pathlib import Path
import numpy as np
from workbench.data.delivery import cache
locked = cache.locked
def told(path):
    print("at the lock", flush=True)
    return locked(path)
cache.locked = told
def make():
    print("made", flush=True)
    input()
    return np.zeros((2, 3), np.uint8)
cache.cached(Path(sys.argv[1]), make)
"""


def test_two_processes_make_it_once(tmp_path):
    """The one that makes it is held until the other one stands at the lock too."""
    command = [sys.executable, "-c", MAKE, str(tmp_path / "x.npz")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in running] == ["at the lock\n"] * 2
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    assert sorted(process.stdout.read() for process in running) == ["", "made\n"]
    assert [process.wait(PATIENCE) for process in running] == [0, 0]
    for process in running:
        process.stdin.close()
        process.stdout.close()


# Images as events


@pytest.fixture(scope="module")
def few() -> ImageSplit:
    """Seven training and three test images of each class."""
    train, test, classes = fashion_mnist_small()

    def some(part: ImageSet, per_class: int) -> ImageSet:
        rows = np.sort(balanced_rows(part.labels, per_class))
        return ImageSet(part.images[rows], part.labels[rows])

    return ImageSplit(some(train, 7), some(test, 3), classes)


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
    train, test = (part.flatten().counts.sum(0, dtype=torch.float32).numpy() for part in split[:2])
    model = RidgeClassifier(alpha=100).fit(train, split.train.labels.numpy())
    assert model.score(test, split.test.labels.numpy()) > 0.7
    with pytest.raises(ValueError, match="per_class is 501, expected 1 to 500"):
        fashion_events(train_per_class=501)
