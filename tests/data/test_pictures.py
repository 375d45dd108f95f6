"""Pictures: normalised, cropped and mirrored by chance that depends on the rows alone."""

import numpy as np
import pytest
import torch

from workbench.data.pictures import FASHION_SCALE, Scale, crop_padded, mirror, normalized, pictures


def test_pictures_are_normalised(recordings):
    with np.load(recordings / "fashion_mnist_5k_1k.npz") as file:
        images, labels = file["train_images"], file["train_labels"].astype(np.int64)
    x, y = pictures(images, labels, FASHION_SCALE).batch(torch.arange(5000))
    assert x.shape == (5000, 1, 28, 28)
    assert x.mean().abs() < 0.02
    assert x.std() == pytest.approx(1.0, abs=0.02)
    assert y.equal(torch.from_numpy(labels))


def small(n=6, side=5):
    return torch.arange(1, n * side * side + 1).view(n, 1, side, side).to(torch.uint8)


def test_crop_moves_each_image_and_fills_with_black():
    x, generator = small(), torch.Generator().manual_seed(0)
    moved = crop_padded(x, generator, margin=2)
    assert moved.shape == x.shape
    shifts = set()
    for before, after in zip(x[:, 0], moved[:, 0], strict=True):
        padded = torch.nn.functional.pad(before, [2] * 4)
        found = [(i, j) for i in range(5) for j in range(5) if padded[i : i + 5, j : j + 5].equal(after)]
        assert len(found) == 1
        shifts |= set(found)
    assert len(shifts) > 2


def test_mirror_exchanges_left_and_right_in_about_half():
    x, generator = small(200, 2), torch.Generator().manual_seed(0)
    mirrored = mirror(x, generator)
    flipped = (mirrored == x.flip(-1)).all(-1).all(-1).flatten()
    assert 70 < int(flipped.sum()) < 130
    assert (mirrored == x)[~flipped].all()


def test_chance_depends_on_the_rows_alone():
    data = pictures(small().numpy(), np.arange(6), Scale((0.5,), (0.5,)), (crop_padded, mirror))
    rows = torch.tensor([3, 1, 2])
    first, again, other = data.batch(rows)[0], data.batch(rows)[0], data.batch(rows.flip(0))[0]
    assert first.equal(again)
    assert not first.equal(other.flip(0))
    plain = data._replace(augment=())
    assert plain.batch(rows)[0].equal(normalized(small()[rows], Scale((0.5,), (0.5,))))


def test_read_only_arrays_are_taken():
    images = np.frombuffer(bytes(range(50)), np.uint8).reshape(2, 5, 5)
    assert pictures(images, np.arange(2), Scale((0.0,), (1.0,))).batch(torch.tensor([1]))[0][0, 0, 0, 0] == 25 / 255


def test_pictures_that_do_not_fit_are_quoted():
    with pytest.raises(ValueError, match=r"expected 5 images of 1 channels, got shape \(6, 5, 5\)"):
        pictures(small()[:, 0].numpy(), np.arange(5), Scale((0.5,), (0.5,)))
