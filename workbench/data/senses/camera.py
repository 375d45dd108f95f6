"""A simulated event camera: it looks at still images while it makes saccades, as N-MNIST was recorded.

Everything this file makes is SIMULATED; nothing of it was recorded by a camera.

Each pixel remembers the logarithm of the light at its last event. When the log-intensity l(t) has moved by a
contrast threshold θ since then, the pixel sends an event: p = 1 if it became brighter, p = 0 if darker, and
remembers the new level. (Lichtsteiner, Posch and Delbruck 2008, doi:10.1109/JSSC.2007.914337.)
The motion copies N-MNIST: three saccades of 105 ms that move the image by (3.5, 7), (3.5, −7) and (−7, 0)
pixels, each speeding up and slowing down. (Orchard et al. 2015, doi:10.3389/fnins.2015.00437.)

Symbols: l log-intensity, θ threshold, r remembered level, t time in µs, p polarity.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Shaped, UInt8

from workbench.checks import COUNT, COUNT_OR_ZERO, NOT_NEGATIVE, POSITIVE, Span, as_bytes, check_fields
from workbench.data.events import Events

GREY = 16  # a pixel reads the light in sixteenths of the 255 grey levels


SIDE = Span("1 to 256, since an address has 8 bits", 1, 256, whole=True)


class EventCamera(NamedTuple):
    """Settings of the simulated camera. Two cameras with equal settings send equal events.

    `size`: pixels per side. `bins`: time bins of a recording. `steps_per_bin`: positions computed per bin.
    `threshold`: mean of θ in units of natural log-intensity. `mismatch`: standard deviation of θ between
    pixels. `dark`: light of a black pixel as a fraction of white. `noise_hz`: events per pixel and second that
    nothing caused. `moves`: (right, down) in pixels of each saccade. `saccade_us`: duration of one.
    `seed`: fixes the mismatch and the noise.
    """

    size: int = 34
    bins: int = 20
    steps_per_bin: int = 4
    threshold: float = 0.5
    mismatch: float = 0.03
    dark: float = 0.1
    noise_hz: float = 0.3
    moves: tuple[tuple[float, float], ...] = ((3.5, 7.0), (3.5, -7.0), (-7.0, 0.0))
    saccade_us: int = 105_000
    seed: int = 0

    @property
    def duration_us(self) -> int:
        """Length of a recording."""
        return self.saccade_us * len(self.moves)


LIKE_NMNIST = EventCamera()  # three saccades, as N-MNIST was recorded


def event_frames(
    images: Shaped[np.ndarray, "image height width"], camera: EventCamera, first: int = 0
) -> Bool[np.ndarray, "image bins 2 size size"]:
    """Where each pixel sent at least one event of polarity p in each time bin: `frames[image, bin, p, y, x]`.

    Image i of the call is number `first + i` of its set: the number picks its noise, so that the result does
    not depend on how a set is cut into calls. Equals `bin_events` of `events`, exactly.
    """
    _require(camera)
    images = check_grey(images, 3)
    theta = _thresholds(camera)
    views = _views(images, camera)
    level = next(views)
    shape = (len(images), camera.bins, 2, camera.size, camera.size)
    frames = np.zeros(shape, bool)
    for step, view in enumerate(views):
        crossings, level = _step(view, level, theta)
        frames[:, step // camera.steps_per_bin] |= crossings > 0
    for row, frame in enumerate(frames):
        t, x, y, p = _noise(camera, first + row)
        frame[t * camera.bins // camera.duration_us, p, y, x] = True
    return frames


def events(image: Shaped[np.ndarray, "height width"], camera: EventCamera, number: int = 0) -> Events:
    """All events of one image in the order of their times; within a step l(t) is taken as a straight line.

    >>> black = np.zeros((28, 28), np.uint8)
    >>> events(black, EventCamera(noise_hz=0.0)).t.size
    0
    """
    _require(camera)
    image = check_grey(image, 2)
    theta = _thresholds(camera)
    edges = _edges(camera)
    views = _views(image[None], camera)
    before = level = next(views)
    parts = [_noise(camera, number)]
    for (start, end), view in zip(pairwise(edges), views, strict=True):
        crossings, new = _step(view, level, theta)
        parts.append(_timed(crossings[0], level[0], before[0], view[0], theta, start, end))
        before, level = view, new
    t, x, y, p = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((p, x, y, t))
    return Events(t[order], x[order], y[order], p[order])


def check_grey(images: Shaped[np.ndarray, "..."], ndim: int) -> UInt8[np.ndarray, "..."]:
    """Grey pictures as bytes (`checks.as_bytes`), or ValueError when they have not so many axes or no pixel."""
    if np.ndim(images) != ndim or not np.size(images):
        expected = "(image, height, width)" if ndim == 3 else "(height, width)"
        raise ValueError(f"a camera looks at grey pictures {expected} with pixels, got shape {np.shape(images)}")
    return as_bytes(images)


def _step(
    view: Float32[np.ndarray, "image size size"],
    level: Float32[np.ndarray, "image size size"],
    theta: Float32[np.ndarray, "2 size size"],
) -> tuple[Float32[np.ndarray, "image 2 size size"], Float32[np.ndarray, "image size size"]]:
    """How many thresholds l has crossed since r, downwards (p = 0) and upwards (p = 1); and the new r."""
    change = view - level
    crossings = np.empty((len(view), 2, *view.shape[1:]), np.float32)
    np.floor(-change / theta[0], out=crossings[:, 0])
    np.floor(change / theta[1], out=crossings[:, 1])
    np.maximum(crossings, 0, out=crossings)
    return crossings, level - crossings[:, 0] * theta[0] + crossings[:, 1] * theta[1]


def _timed(
    crossings: Float32[np.ndarray, "2 size size"],
    level: Float32[np.ndarray, "size size"],
    before: Float32[np.ndarray, "size size"],
    after: Float32[np.ndarray, "size size"],
    theta: Float32[np.ndarray, "2 size size"],
    start: int,
    end: int,
) -> Events:
    """The events of one step, each at the time in [start, end) when the line between the views has its level."""
    columns = []
    for nth in range(1, int(crossings.max()) + 1):
        p, y, x = np.nonzero(crossings >= nth)
        sign = 2.0 * p - 1.0
        crossed = level[y, x] + sign * nth * theta[p, y, x]
        span = after[y, x] - before[y, x]  # may be 0 if rounding left a crossing over from the step before
        part = (crossed - before[y, x]) / np.where(span == 0, 1, span)
        t = np.clip(start + np.floor(part * (end - start)), start, end - 1)
        columns.append((t, x, y, p))
    if not columns:
        return _events(*np.zeros((4, 0)))
    return _events(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def _views(
    images: UInt8[np.ndarray, "image height width"], camera: EventCamera
) -> Iterator[Float32[np.ndarray, "image size size"]]:
    """Yield the log-intensity on the sensor at the start and after each step, (image, size, size).

    Between pixels the light is interpolated linearly. Its logarithm is read from a table, because then every
    machine and every cut of the images into blocks gives the same bits.
    """
    path = _path(camera) + (camera.size - np.array(images.shape[:0:-1])) / 2  # of the image's corner
    low, high = np.floor(path.min(0)).astype(int), np.floor(path.max(0)).astype(int) + 1
    pad = [(0, 0)]
    for axis, length in ((1, images.shape[1]), (0, images.shape[2])):
        pad.append((max(high[axis], 0), max(camera.size + 1 - low[axis] - length, 0)))
    canvas = np.pad(images, pad).astype(np.float32) * GREY
    logs = np.log(np.arange(255 * GREY + 1) / (255 * GREY) + camera.dark).astype(np.float32)
    for right, down in path:
        light = _shifted(canvas, pad[1][0] - down, pad[2][0] - right, camera.size)
        yield logs[light.astype(np.intp)]


def _shifted(
    canvas: Float32[np.ndarray, "image rows columns"], top: float, left: float, size: int
) -> Float32[np.ndarray, "image size size"]:
    """The window of `size` × `size` pixels whose corner lies at (top, left), by bilinear interpolation."""
    row, column = floor(top), floor(left)
    low, side = np.float32(top - row), np.float32(left - column)
    window = canvas[:, row : row + size + 1, column : column + size + 1]
    window = window[:, :-1] * (1 - low) + window[:, 1:] * low
    return window[:, :, :-1] * (1 - side) + window[:, :, 1:] * side


def _path(camera: EventCamera) -> Float64[np.ndarray, "position 2"]:
    """(right, down) of the image at the start and after each step, centred: a bell of speed per saccade."""
    steps = camera.bins * camera.steps_per_bin
    passed = np.linspace(0, len(camera.moves), steps + 1)
    corners = np.vstack([np.zeros((1, 2)), np.cumsum(camera.moves, axis=0)])
    saccade = np.minimum(passed.astype(int), len(camera.moves) - 1)
    done = 0.5 - 0.5 * np.cos(np.pi * (passed - saccade))
    path = corners[saccade] + done[:, None] * np.diff(corners, axis=0)[saccade]
    return path - (corners.min(0) + corners.max(0)) / 2


def _edges(camera: EventCamera) -> list[int]:
    """Start of each step in µs, and the end: the first whole µs that belongs to a step."""
    steps = camera.bins * camera.steps_per_bin
    return [ceil(step * camera.duration_us / steps) for step in range(steps + 1)]


def _thresholds(camera: EventCamera) -> Float32[np.ndarray, "2 size size"]:
    """θ of each pixel for p = 0 and p = 1: a fixed pattern of the sensor, never below a fifth of its mean."""
    rng = np.random.default_rng((camera.seed, 0))
    theta = rng.normal(camera.threshold, camera.mismatch, (2, camera.size, camera.size))
    return np.maximum(theta, camera.threshold / 5).astype(np.float32)


def _noise(camera: EventCamera, number: int) -> Events:
    """The events of image `number` that nothing caused: a Poisson number, spread evenly."""
    rng = np.random.default_rng((camera.seed, 1 + number))
    seconds = camera.duration_us / 1e6
    count = rng.poisson(camera.noise_hz * seconds * camera.size**2)
    x, y = rng.integers(0, camera.size, (2, count))
    return _events(rng.integers(0, camera.duration_us, count), x, y, rng.integers(0, 2, count))


def _events(t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray) -> Events:
    return Events(t.astype(np.int64), x.astype(np.uint8), y.astype(np.uint8), p.astype(np.uint8))


def _require(camera: EventCamera) -> None:
    """Refuse settings that no camera can have."""
    check_fields(camera, EventCamera, threshold=POSITIVE, dark=POSITIVE, mismatch=NOT_NEGATIVE, noise_hz=NOT_NEGATIVE)
    check_fields(camera, EventCamera, bins=COUNT, steps_per_bin=COUNT, saccade_us=COUNT, seed=COUNT_OR_ZERO)
    check_fields(camera, EventCamera, size=SIDE)
    if not camera.moves:
        raise ValueError("EventCamera has moves=(), expected at least one saccade")
