"""The pixels and bars of the playground."""

import numpy as np
import torch

from widgets.drawing.theme import DASHES
from widgets.panels.playground_pictures import (
    LANES,
    filmstrip,
    input_spikes,
    lane_line,
    shades,
    short_names,
    spikes_over_time,
    tiles_raster,
    weight_tiles,
)
from workbench.watch.playground import INPUTS, KINDS, STEPS, WIDTH, film


def test_frames_stand_in_reading_order():
    strip, frames = filmstrip(film(1)), film(1).frames
    for number in (0, 4, 5, 19):
        row, column = 35 * (number // 5), 35 * (number % 5)
        own = strip[row : row + 34, column : column + 34]
        assert np.array_equal(own == 1, frames[number, 1].numpy())
        assert np.array_equal(own == 2, (frames[number, 0] & ~frames[number, 1]).numpy())


def test_inputs_of_both_polarities():
    picture, x = input_spikes(film(0)), film(0).x[:, 0]
    assert picture.shape == (INPUTS, STEPS)
    assert np.array_equal(picture[:81] == 2, (x.T[:81] > 0).numpy())
    assert np.array_equal(picture[81:] == 1, (x.T[81:] > 0).numpy())


def test_spikes_stand_upright():
    spikes = torch.zeros(STEPS, WIDTH, dtype=torch.bool)
    spikes[3, 7] = True
    assert np.argwhere(spikes_over_time(spikes)).tolist() == [[7, 3]]


def test_weights_as_bytes():
    weights = torch.tensor([[0.0, 1.0, -1.0, 9.0, -9.0, 0.5]])
    assert shades(weights, 1.0).tolist() == [[128, 255, 1, 255, 1, 192]]


def test_a_tile_for_each_neuron():
    weights = torch.zeros(WIDTH, INPUTS)
    weights[5, 81] = 1.0  # the first ON input of neuron 5: second row, second column, right half
    picture = weight_tiles(weights, 1.0)
    assert picture.shape == tuple(tiles_raster().shape)
    assert np.argwhere(picture == 255).tolist() == [[10, 19 + 9]]
    assert (picture != 255).sum() == (picture == 128).sum()


def test_every_lane_has_a_dash_of_its_own_and_the_colour_of_its_rule():
    lanes = [lane_line("tess", lane) for lane in range(LANES)]
    assert [each["dash"] for each in lanes] == list(DASHES[:LANES])
    assert len({each["color"] for each in lanes}) == 1
    assert lane_line("bptt", 0)["color"] != lanes[0]["color"] != lane_line(None, 0)["color"]


def test_names_are_those_of_the_kinds():
    assert len(short_names(range(len(KINDS)))) == len(KINDS)
    assert short_names([3]) == ["dress"]
    assert [kind.lower()[:5] for kind in KINDS[:2]] == [name.lower()[:5] for name in short_names([0, 1])]
