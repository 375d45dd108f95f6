"""`Raster`: an array of bytes as pixels, for spike rasters, event frames, image grids and weight maps.

plotly sends a two-dimensional array as text and draws it slowly; here the bytes go to a canvas as they are. A byte is
an index into 256 colours: `intensity`, `signs` or `events` below, or an array of your own.
"""

from importlib.resources import files
from typing import Any

import anywidget
import numpy as np
import traitlets

from widgets.drawing.theme import BLUE, VERMILLION
from workbench.language import say

_STATIC = files("widgets") / "static"


def _rgb(colour: str) -> list[int]:
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def intensity(colour: str = BLUE) -> np.ndarray:
    """0 is transparent, 255 the full `colour`: (256, 4) uint8, legible on light and dark pages."""
    table = np.zeros((256, 4), np.uint8)
    table[:, :3] = _rgb(colour)
    table[:, 3] = np.arange(256)
    return table


def signs() -> np.ndarray:
    """128 is zero (transparent), 255 the full positive colour (blue), 1 the full negative one (vermillion)."""
    table = np.zeros((256, 4), np.uint8)
    table[:128, :3], table[128:, :3] = _rgb(VERMILLION), _rgb(BLUE)
    table[:, 3] = np.minimum(2 * np.abs(np.arange(256) - 128), 255)
    return table


def events() -> np.ndarray:
    """0 nothing, 1 ON or a spike (blue), 2 OFF (vermillion); other values are drawn like 1."""
    table = np.zeros((256, 4), np.uint8)
    table[1:] = [*_rgb(BLUE), 255]
    table[2] = [*_rgb(VERMILLION), 255]
    return table


def image_grid(images: np.ndarray, columns: int) -> np.ndarray:
    """(n, height, width) images side by side, `columns` in a row with a gap of one pixel: one array for `Raster.show`.

    >>> image_grid(np.ones((3, 2, 2), np.uint8), columns=2).shape
    (5, 5)
    """
    if images.ndim != 3 or columns < 1:
        raise ValueError(f"images must be (n, height, width) and columns at least 1, got {images.shape}, {columns}")
    n, height, width = images.shape
    rows = -(-n // columns)
    grid = np.zeros((rows * columns, height + 1, width + 1), images.dtype)
    grid[:n, :height, :width] = images
    grid = grid.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    return grid.reshape(rows * (height + 1), columns * (width + 1))[:-1, :-1]


class Raster(anywidget.AnyWidget):
    """A picture of `n_rows` × `n_columns` pixels, row 0 on top, stretched to the width of its box.

    `alt` says for a screen reader what it is, `x_label` and `y_label` name the directions, all in English: they are
    shown in the language of the page. `height` is in screen pixels
    (None keeps pixels square), `colours` is one of the tables above.

    >>> raster = Raster(2, 3, alt="Spikes of two neurons over three steps")
    >>> raster.show(np.array([[0, 1, 0], [1, 0, 0]], np.uint8))
    """

    _esm = (_STATIC / "raster.js").read_text("utf-8")
    _css = (_STATIC / "raster.css").read_text("utf-8")
    pixels = traitlets.Bytes().tag(sync=True)
    table = traitlets.Bytes().tag(sync=True)
    shape = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    x_label = traitlets.Unicode().tag(sync=True)
    y_label = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        n_rows: int,
        n_columns: int,
        *,
        alt: str,
        colours: np.ndarray | None = None,
        x_label: str = "",
        y_label: str = "",
        height: int | None = None,
    ) -> None:
        if n_rows < 1 or n_columns < 1:
            raise ValueError(f"a raster needs at least one row and one column, got {n_rows} × {n_columns}")
        table = events() if colours is None else colours
        if table.shape != (256, 4) or table.dtype != np.uint8:
            raise ValueError(f"colours must be (256, 4) uint8, got {table.shape} {table.dtype}")
        super().__init__(
            pixels=bytes(n_rows * n_columns),
            table=table.tobytes(),
            shape=(n_rows, n_columns),
            alt=say(alt),
            x_label=say(x_label),
            y_label=say(y_label),
            height=height,
        )

    def resize(self, n_rows: int, n_columns: int) -> None:
        """Empty it and give it another size."""
        if n_rows < 1 or n_columns < 1:
            raise ValueError(f"a raster needs at least one row and one column, got {n_rows} × {n_columns}")
        with self.hold_sync():  # pixels of one size and a shape of another cannot be drawn
            self.shape, self.pixels = (n_rows, n_columns), bytes(n_rows * n_columns)

    def show(self, array: Any) -> None:
        """Draw `array`, (n_rows, n_columns) of uint8 or bool; its bytes are sent as they are."""
        pixels = np.asarray(array)
        if pixels.shape != tuple(self.shape) or pixels.dtype not in (np.uint8, np.bool_):
            rows, columns = self.shape
            raise ValueError(
                f"this raster shows uint8 or bool of shape ({rows}, {columns}), "
                f"got {pixels.dtype} of shape {pixels.shape}"
            )
        self.pixels = np.ascontiguousarray(pixels).tobytes()

    def array(self) -> np.ndarray:
        """The bytes that are drawn now, (n_rows, n_columns) uint8."""
        return np.frombuffer(self.pixels, np.uint8).reshape(self.shape)

    def image(self) -> np.ndarray:
        """What is drawn now in colours, (n_rows, n_columns, 4) uint8."""
        return np.frombuffer(self.table, np.uint8).reshape(256, 4)[self.array()]

    def __repr__(self) -> str:
        return f"Raster({self.alt!r})"
