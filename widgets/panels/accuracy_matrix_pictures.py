"""The clothes of `AccuracyMatrix`: an example of each class, with a tick while it is known, then a cross."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from widgets.drawing.raster import Raster
from widgets.drawing.theme import BLUE, VERMILLION
from widgets.frame.streams import MOST_TASKS

CLASSES = 2  # of each task that are shown
SIDE, GAP = 28, 4  # pixels of an image, and between two
CELL = SIDE + GAP
_STEPS = 80  # shades of one colour
_KNOWN, _LOST, _AHEAD = 1, 1 + _STEPS, 1 + 2 * _STEPS  # where their shades begin; 0 is transparent
_TICK, _CROSS = 254, 255
_SIGNS = {
    _TICK: ("........##", ".......##.", "......##..", "##...##...", ".##.##....", "..###.....", "...#......"),
    _CROSS: ("##....##", ".##..##.", "..####..", "...##...", "..####..", ".##..##.", "##....##"),
}


def colours() -> UInt8[np.ndarray, "256 4"]:
    """Blue where a class is known, vermillion where it is lost, grey where it is not learned yet; the signs in full."""
    table = np.zeros((256, 4), np.uint8)
    for first, colour, most in ((_KNOWN, BLUE, 255), (_LOST, VERMILLION, 255), (_AHEAD, "#7F7F7F", 110)):
        table[first : first + _STEPS, :3] = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        table[first : first + _STEPS, 3] = np.linspace(0, most, _STEPS)
    for sign, colour in ((_TICK, BLUE), (_CROSS, VERMILLION)):
        table[sign] = [*(int(colour[k : k + 2], 16) for k in (1, 3, 5)), 255]
    return table


def clothes_raster() -> Raster:
    """A row for each task learned, a column for each class."""
    alt = "An example of each class, a row for each task learned; a tick where most of its test images are right"
    words = "a row for each task learned: ✓ most test images right, ✗ not"
    return Raster(MOST_TASKS * CELL, MOST_TASKS * CLASSES * CELL, alt=alt, colours=colours(), x_label=words)


def clothes(
    shown: Float[Tensor, "tasks classes rows columns"], right: Sequence[Float[Tensor, "learned classes"]]
) -> UInt8[np.ndarray, "height width"]:
    """The pixels: the examples in every row, in row t marked by the share of each class that is right after task t."""
    picture = np.zeros((MOST_TASKS * CELL, MOST_TASKS * CLASSES * CELL), np.uint8)
    images = shown.numpy()
    low, high = images.min((2, 3), keepdims=True), images.max((2, 3), keepdims=True)
    shades = np.rint((_STEPS - 1) * (images - low) / np.maximum(high - low, 1e-9)).astype(np.uint8)
    for row in range(len(images)):
        for task in range(len(images)):
            for c in range(CLASSES):
                share = float(right[row][task, c]) if row < len(right) and task <= row else None
                place = picture[row * CELL :, (CLASSES * task + c) * CELL :][:SIDE, :SIDE]
                place[...] = shades[task, c] + (_AHEAD if share is None else _KNOWN if share > 0.5 else _LOST)
                if share is not None:
                    _sign(place, _TICK if share > 0.5 else _CROSS)
    return picture


def _sign(place: np.ndarray, sign: int) -> None:
    """Draw a sign into the lower right corner, on nothing."""
    marks = np.array([[mark == "#" for mark in row] for row in _SIGNS[sign]])
    height, width = marks.shape
    place[-height - 2 :, -width - 2 :] = 0
    place[-height:, -width:][marks] = sign
