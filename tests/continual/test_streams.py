"""Streams: what each task holds, where it comes from, and what is said about bad input."""

import io
import itertools

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.continual.folder_streams import FIVE, five_datasets, split_mini_imagenet
from workbench.continual.package_tasks import package_tasks
from workbench.continual.streams import (
    Task,
    image_task,
    permuted_pixels,
    small_fashion_mnist,
    split_cifar100,
    split_classes,
    split_fashion_mnist,
)
from workbench.data.sets.drawn import TEST_FONTS, TRAIN_FONTS


@pytest.fixture(scope="module")
def clothes() -> Task:
    return small_fashion_mnist()


def test_images_become_one_task_of_mean_zero_and_deviation_one(clothes):
    assert clothes.train_x.shape == (5000, 1, 28, 28)
    assert clothes.test_x.shape == (1000, 1, 28, 28)
    assert float(clothes.train_x.mean()) == pytest.approx(0.0, abs=1e-5)
    assert float(clothes.train_x.std()) == pytest.approx(1.0, abs=1e-5)
    assert clothes.classes == 10
    grey = np.random.default_rng(0).integers(0, 256, (6, 4, 5), dtype=np.uint8)
    colour = np.stack([grey, grey // 2, grey // 3], axis=-1)
    task = image_task("x", colour, np.arange(6), colour[:2], np.arange(2))
    assert task.train_x.shape == (6, 3, 4, 5)
    assert torch.allclose(task.train_x.mean((0, 2, 3)), torch.zeros(3), atol=1e-6)
    assert torch.allclose(task.train_x[:2], task.test_x)
    assert task.classes == 6


def test_permuted_pixels_are_the_same_pixels_in_one_order_per_task(clothes):
    stream = permuted_pixels(clothes, 10, seed=3)
    assert len(stream) == 10
    assert torch.equal(stream[0].train_x, clothes.train_x)
    third = stream[3]
    assert torch.equal(third.train_x.flatten(1).sort(1).values[:50], clothes.train_x.flatten(1).sort(1).values[:50])
    order = stream.orders[3]
    assert torch.equal(third.train_x[7].flatten(), clothes.train_x[7].flatten()[order])
    assert torch.equal(third.test_x[7].flatten(), clothes.test_x[7].flatten()[order])
    assert torch.equal(third.train_y, clothes.train_y)
    assert torch.equal(stream[-1].train_x, stream[9].train_x)
    assert [task.name for task in stream[1:3]] == [stream[1].name, stream[2].name]
    again, other = permuted_pixels(clothes, 10, seed=3), permuted_pixels(clothes, 10, seed=4)
    assert torch.equal(again.orders[5], stream.orders[5])
    assert not torch.equal(other.orders[5], stream.orders[5])
    assert len(list(stream)) == 10
    with pytest.raises(IndexError):
        stream[10]


@pytest.mark.parametrize("order", [None, [9, 0, 3, 4, 5, 6, 7, 8, 1, 2]])
def test_split_deals_every_sample_to_one_task(clothes, order):
    stream = split_fashion_mnist(5, order)
    order = order or list(range(10))
    assert sum(len(task.train_y) for task in stream) == 5000
    for t, task in enumerate(stream):
        assert (len(task.train_y), len(task.test_y), task.classes) == (1000, 200, 2)
        for label in (0, 1):
            expected = clothes.train_x[clothes.train_y == order[2 * t + label]]
            assert torch.equal(task.train_x[task.train_y == label], expected)


@pytest.mark.parametrize(
    ("n_tasks", "order"), [(3, None), (0, None), (5, [0, 1, 2]), (5, [0, 0, 2, 3, 4, 5, 6, 7, 8, 9])]
)
def test_split_refuses_what_cannot_be_dealt_out(clothes, n_tasks, order):
    with pytest.raises(ValueError, match="10 classes cannot be dealt out equally"):
        split_classes(clothes, n_tasks, order)


def test_bad_images():
    images = np.zeros((3, 4, 4), np.uint8)
    with pytest.raises(ValueError, match="2 labels"):
        image_task("x", images, np.arange(2), images, np.arange(3))
    with pytest.raises(ValueError, match="at least one task"):
        permuted_pixels(small_fashion_mnist(), 0)


def pictures(packed, offsets):
    return np.stack([np.asarray(Image.open(io.BytesIO(packed[a:b].tobytes()))) for a, b in itertools.pairwise(offsets)])


def test_split_cifar100_from_real_images(recordings):
    with np.load(recordings / "cifar100_3500_1000_png.npz") as file:
        parts = {key: file[key] for key in file.files}
    train, test = (pictures(parts[f"{p}_bytes"], parts[f"{p}_offsets"]) for p in ("train", "test"))
    stream = split_cifar100(train, parts["train_labels"], test, parts["test_labels"])
    assert len(stream) == 10
    for task in stream:
        assert task.train_x.shape == (350, 3, 32, 32)
        assert task.test_x.shape == (100, 3, 32, 32)
        assert torch.equal(task.test_y.bincount(), torch.full((10,), 10))
    assert "classes 10, 11, 12" in stream[1].name


def test_five_small_tasks_are_five_kinds_of_pictures():
    stream = package_tasks(per_class=6, test_per_class=3)
    assert [task.name for task in stream] == ["clothes", "digits", "letters", "gratings", "dots"]
    for task in stream:
        assert task.train_x.shape[1:] == (1, 28, 28)
        assert task.classes == 10
        assert task.train_y.unique().tolist() == list(range(10))
        assert task.test_y.unique().tolist() == list(range(10))
    assert [len(task.train_y) for task in stream[2:]] == [60] * 3
    assert len(stream[1].train_y) + len(stream[1].test_y) == 1797
    again = package_tasks(per_class=6, test_per_class=3)
    assert all(torch.equal(a.train_x, b.train_x) for a, b in zip(stream, again, strict=True))
    assert not torch.equal(stream[2].train_x, package_tasks(6, 3, seed=9)[2].train_x)
    assert not set(TRAIN_FONTS) & set(TEST_FONTS)
    with pytest.raises(ValueError, match="at least one picture, got 0"):
        package_tasks(per_class=0)


def test_dots_can_be_counted_and_gratings_have_their_direction():
    gratings, dots = package_tasks(per_class=4, test_per_class=1)[3:]
    area = dots.train_x.flatten(1).clamp(min=0).gt(1.0).float().sum(1)
    mean_area = torch.tensor([float(area[dots.train_y == c].mean()) for c in range(10)])
    assert bool((mean_area.diff() > 0).all())
    spectrum = torch.fft.fft2(gratings.train_x[:, 0]).abs()
    spectrum[:, 0, 0] = 0
    place = spectrum.flatten(1).argmax(1)
    fy, fx = (f - 28 * (f > 14) for f in (place // 28, place % 28))
    angle = torch.atan2(fy.double(), fx.double()) % torch.pi
    away = (angle - gratings.train_y * torch.pi / 10 + torch.pi / 2) % torch.pi - torch.pi / 2
    assert float(away.abs().median()) < 0.2


def write_pictures(folder, names, n, side=10, mode="RGB"):
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).mkdir(parents=True)
        for i in range(n):
            shape = (side, side, 3) if mode == "RGB" else (side, side)
            Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(folder / name / f"{i}.png")


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
    with pytest.raises(ValueError, match=r"x\.png cannot be read as a picture"):
        split_mini_imagenet(tmp_path / "empty", train_part=0.5)
    write_pictures(tmp_path / FIVE[0] / "train", ["a", "b"], 1)
    write_pictures(tmp_path / FIVE[0] / "test", ["a", "c"], 1)
    with pytest.raises(ValueError, match=r"\['a', 'b'\], but test has \['a', 'c'\]"):
        five_datasets(tmp_path)
