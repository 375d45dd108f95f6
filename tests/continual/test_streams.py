"""Streams: what each task holds, where it comes from, and what is said about bad input."""

import io
import itertools

import numpy as np
import pytest
import torch
from cifar_streams import check_split_cifar100
from PIL import Image

from workbench.continual.streams import (
    Task,
    image_task,
    permuted_channels,
    permuted_pixels,
    small_fashion_mnist,
    split_cifar100,
    split_classes,
    split_fashion_mnist,
)


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
    check_split_cifar100(stream)


def test_permuted_channels_are_the_same_at_every_step():
    x = torch.randint(0, 9, (3, 4, 6)).float()
    base = Task("x", x, torch.tensor([0, 1, 1]), x[:2], torch.tensor([0, 1]), 2)
    first, second, third = permuted_channels(base, 3, seed=1)
    assert torch.equal(first.train_x, x)
    assert second.name == "x, channels in order 1"
    order = [next(c for c in range(6) if torch.equal(second.train_x[..., k], x[..., c])) for k in range(6)]
    assert sorted(order) == list(range(6)) != order
    assert torch.equal(second.train_x, x[..., order])
    assert torch.equal(second.test_x, x[:2][..., order])
    assert not torch.equal(third.train_x, second.train_x)
    with pytest.raises(ValueError, match=r"sequences are \(n, time, channels\), got samples of shape \(4,\)"):
        permuted_channels(base._replace(train_x=x[..., 0]))
