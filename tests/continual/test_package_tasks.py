"""Tasks of pictures that installed packages hold or draw."""

import pytest
import torch

from workbench.continual.package_tasks import package_tasks
from workbench.continual.streams import Task, small_fashion_mnist
from workbench.data.sets.drawn import TEST_FONTS, TRAIN_FONTS


@pytest.fixture(scope="module")
def clothes() -> Task:
    return small_fashion_mnist()


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
