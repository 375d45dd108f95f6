"""Clothes are grey before they are learned, then blue with a tick or vermillion with a cross."""

import numpy as np
import torch

from widgets.drawing.theme import BLUE, VERMILLION
from widgets.panels.accuracy_matrix_pictures import CELL, CLASSES, SIDE, clothes, clothes_raster, colours

IMAGES = torch.linspace(0.0, 1.0, 2 * CLASSES * SIDE * SIDE).reshape(2, CLASSES, SIDE, SIDE)
RIGHT = [torch.tensor([[0.9, 0.2]]), torch.tensor([[0.4, float("nan")], [1.0, 0.51]])]


def cell(picture: np.ndarray, row: int, column: int) -> np.ndarray:
    return picture[row * CELL :, column * CELL :][:SIDE, :SIDE]


def colour_of(pixels: np.ndarray) -> str:
    red, green, blue, _ = colours()[pixels[0, -1]]  # the brightest of the first row
    return f"#{red:02X}{green:02X}{blue:02X}"


def test_each_class_has_the_colour_of_what_is_known_of_it():
    picture = clothes(IMAGES, RIGHT)
    found = [[colour_of(cell(picture, row, column)) for column in range(4)] for row in (0, 1)]
    grey = "#7F7F7F"
    assert found == [[BLUE, VERMILLION, grey, grey], [VERMILLION, VERMILLION, BLUE, BLUE]]


def test_what_is_learned_has_a_sign_and_the_rest_none():
    picture = clothes(IMAGES, RIGHT[:1])
    signs = [[int(cell(picture, row, column).max()) >= 254 for column in range(4)] for row in (0, 1)]
    assert signs == [[True, True, False, False], [False] * 4]
    assert (cell(picture, 0, 0) == 254).sum() != (cell(picture, 0, 1) == 255).sum() > 0


def test_the_brightest_pixel_of_an_image_is_the_fullest_and_the_page_shows_through_the_darkest():
    before = cell(clothes(IMAGES, []), 1, 3)
    alpha = colours()[before][:, :, 3]
    assert alpha[0, 0] == 0
    assert alpha[-1, -1] == alpha.max() == 110
    assert (np.diff(alpha.flatten().astype(int)) >= 0).all()


def test_the_raster_takes_them():
    raster = clothes_raster()
    raster.show(clothes(IMAGES, RIGHT))
    assert raster.array().max() == 255
