"""Streams from folders of pictures."""

import shutil

import numpy as np
import pytest
from cifar_streams import check_split_cifar100
from PIL import Image

from workbench.continual.folder_streams import FIVE, five_datasets, split_cifar100_from, split_mini_imagenet


def write_pictures(folder, names, n, side=10, mode="RGB"):
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).mkdir(parents=True)
        for i in range(n):
            shape = (side, side, 3) if mode == "RGB" else (side, side)
            Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(folder / name / f"{i}.png")


def test_split_cifar100_from_a_cut(recordings, tmp_path):
    shutil.copy(recordings / "cifar100_3500_1000_png.npz", tmp_path)
    stream = split_cifar100_from(tmp_path)
    check_split_cifar100(stream)
    (tmp_path / "another.npz").touch()
    with pytest.raises(ValueError, match=r"several cuts \(another.npz, cifar100"):
        split_cifar100_from(tmp_path)


def test_five_datasets_from_folders(tmp_path):
    for i, name in enumerate(FIVE):
        write_pictures(tmp_path / name / "train", ["a", "b"], 3, side=8 + i, mode="L" if i else "RGB")
        write_pictures(tmp_path / name / "test", ["a", "b"], 2)
    (tmp_path / FIVE[0] / "train" / "a" / "notes.txt").write_text("not a picture")
    stream = five_datasets(tmp_path)
    assert [task.name for task in stream] == list(FIVE)
    assert all(task.train_x.shape == (6, 3, 32, 32) and task.test_x.shape == (4, 3, 32, 32) for task in stream)
    assert stream[0].train_y.tolist() == [0, 0, 0, 1, 1, 1]


def test_mini_imagenet_from_folders(tmp_path):
    write_pictures(tmp_path, [f"n{i:03}" for i in range(10)], 6)
    stream = split_mini_imagenet(tmp_path, n_tasks=2, side=12)
    assert len(stream) == 2
    assert stream[1].train_x.shape == (25, 3, 12, 12)
    assert stream[1].test_x.shape == (5, 3, 12, 12)
    assert stream[1].classes == 5


def test_folders_that_lack_something(tmp_path):
    with pytest.raises(ValueError, match="there is no folder"):
        five_datasets(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="it holds no folders"):
        split_mini_imagenet(tmp_path / "empty")
    (tmp_path / "empty" / "cat").mkdir()
    with pytest.raises(ValueError, match="none are in cat"):
        split_mini_imagenet(tmp_path / "empty")
    (tmp_path / "empty" / "cat" / "x.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="1 pictures: too few"):
        split_mini_imagenet(tmp_path / "empty")
    (tmp_path / "empty" / "cat" / "y.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"x\.png cannot be read as an image"):
        split_mini_imagenet(tmp_path / "empty", train_part=0.5)
    write_pictures(tmp_path / FIVE[0] / "train", ["a", "b"], 1)
    write_pictures(tmp_path / FIVE[0] / "test", ["a", "c"], 1)
    with pytest.raises(ValueError, match=r"\['a', 'b'\], but test has \['a', 'c'\]"):
        five_datasets(tmp_path)
