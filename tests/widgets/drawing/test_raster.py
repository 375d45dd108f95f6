"""`Raster`: bytes, colours and what it refuses."""

import numpy as np
import pytest

from widgets.drawing.raster import Raster, events, image_grid, intensity, signs


def test_it_sends_the_bytes_as_they_are():
    raster = Raster(2, 3, alt="spikes")
    spikes = np.array([[0, 1, 2], [1, 0, 0]], np.uint8)
    raster.show(spikes)
    assert raster.get_state()["pixels"] == spikes.tobytes()
    assert np.array_equal(raster.array(), spikes)
    raster.show(spikes.T[:3, :2].T[:, ::-1] > 0)
    assert raster.get_state()["pixels"] == bytes([1, 1, 0, 0, 0, 1])


@pytest.mark.parametrize(
    ("array", "words"),
    [(np.zeros((3, 2), np.uint8), r"got uint8 of shape \(3, 2\)"), (np.zeros((2, 3)), "got float64 of shape")],
)
def test_a_wrong_array_is_named(array, words):
    with pytest.raises(ValueError, match=words):
        Raster(2, 3, alt="spikes").show(array)


def test_a_raster_without_pixels_is_refused():
    with pytest.raises(ValueError, match="got 0 × 3"):
        Raster(0, 3, alt="nothing")


def test_a_raster_of_another_size_is_empty_and_told_at_once(monkeypatch):
    raster, told = Raster(2, 3, alt="spikes"), []
    raster.show(np.ones((2, 3), np.uint8))
    monkeypatch.setattr(raster, "send_state", lambda key=None: told.append(set(key)))
    raster.resize(3, 4)
    assert told == [{"shape", "pixels"}]
    assert raster.array().shape == (3, 4)
    assert not raster.array().any()
    raster.show(np.ones((3, 4), np.uint8))
    assert raster.array().all()
    with pytest.raises(ValueError, match="got 0 × 4"):
        raster.resize(0, 4)


def test_colours():
    assert intensity()[0, 3] == 0
    assert intensity()[255, 3] == 255
    assert signs()[128, 3] == 0
    assert signs()[255, 3] > 250
    assert signs()[1, 3] > 250
    assert len({tuple(events()[k]) for k in range(3)}) == 3
    raster = Raster(1, 2, alt="two", colours=signs())
    raster.show(np.array([[1, 255]], np.uint8))
    assert np.array_equal(raster.image()[0], signs()[[1, 255]])


def test_image_grid_puts_each_image_in_its_place():
    images = np.arange(1, 6, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 3), np.uint8)
    grid = image_grid(images, columns=2)
    assert grid.shape == (3 * 3 - 1, 2 * 4 - 1)
    assert np.all(grid[0:2, 0:3] == 1)
    assert np.all(grid[0:2, 4:7] == 2)
    assert np.all(grid[6:8, 0:3] == 5)
    assert np.all(grid[6:8, 4:7] == 0)
    with pytest.raises(ValueError, match=r"got \(2, 2\), 1"):
        image_grid(np.zeros((2, 2)), 1)
