"""Pictures and words of the film, from frames made by hand."""

import numpy as np
import pytest
import torch

from widgets.drawing.raster import image_grid
from widgets.panels.training_film import (
    GAP,
    Projected,
    draw_film,
    film_pictures,
    input_picture,
    layers_over_time,
    told_film,
)
from workbench.watch.filming import Frame, Scene


def frame(done, right=0.5, layers=(3, 2)):
    """Only neuron k of layer k fires, at step k."""
    spikes = [torch.zeros(4, neurons, dtype=torch.bool) for neurons in layers]
    for k, layer in enumerate(spikes):
        layer[k, k] = True
    return Frame(done, tuple(spikes), right)


SCENE = Scene(torch.eye(4)[:, None], torch.tensor(1))


def test_the_last_frame_up_to_there_is_shown():
    frames = [frame(0.0), frame(0.5), frame(1.0)]
    for at, done in ((0, 0.0), (11, 0.0), (12, 0.5), (23, 0.5), (24, 1.0)):
        assert Projected(SCENE, (frames, frames), at).shown(0).done == done
    assert Projected(SCENE, (frames, frames[:1]), 24).shown(1).done == 0.0


def test_layers_lie_below_one_another_with_a_gap():
    picture = layers_over_time(frame(0.0))
    assert picture.shape == (3 + GAP + 2, 4)
    assert np.argwhere(picture).tolist() == [[0, 0], [3 + GAP + 1, 1]]


def test_events_of_a_camera_are_shown_as_images_and_other_inputs_over_time():
    assert np.array_equal(input_picture(SCENE), np.eye(4, dtype=np.uint8))
    x = torch.zeros(6, 1, 2, 3, 3)
    x[0, 0, 1, 0, 0], x[1, 0, 0, 2, 2] = 1.0, 1.0
    images = np.zeros((6, 3, 3), np.uint8)
    images[0, 0, 0], images[1, 2, 2] = 1, 2
    assert np.array_equal(input_picture(Scene(x, torch.tensor(0))), image_grid(images, 5))


def test_everything_is_drawn_and_told():
    pictures = film_pictures()
    frames = [frame(0.0, 0.1), frame(1.0, 0.9)]
    film = Projected(SCENE, (frames, frames[:1]), 24)
    draw_film(pictures, film, ("tess", "bptt"), epochs=3)
    sample, left, right, course = pictures
    assert np.array_equal(sample.array(), np.eye(4, dtype=np.uint8))
    assert np.array_equal(left.array(), layers_over_time(frames[1]))
    assert np.array_equal(right.array(), layers_over_time(frames[0]))
    assert [list(trace.x) for trace in course.data] == [[0.0, 3.0], [0.0], [3.0, 3.0]]
    assert [list(trace.y) for trace in course.data[:2]] == [[0.1, 0.9], [0.1]]
    assert course.data[0].name == "left: TESS"
    told = "After 3.00 epochs: TESS sends 2 spikes and gives the right class 90 %; BPTT sends 2 spikes and gives"
    assert told_film(film, ("tess", "bptt"), 3).startswith(told)


@pytest.mark.parametrize(
    ("film", "told"),
    [
        (Projected(None, ((), ()), 3), "This network has no spikes to film."),
        (
            Projected(SCENE, ([frame(0.0, float("nan"))],) * 2, 3),
            "Before learning: TESS sends 2 spikes; BPTT sends 2 spikes.",
        ),
    ],
)
def test_what_is_not_there_is_not_told(film, told):
    assert told_film(film, ("tess", "bptt"), 3) == told
