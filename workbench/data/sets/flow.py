"""Event clips over moving textures, with the exact optical flow. Everything here is SIMULATED.

A texture moves under an affine flow while an event camera looks at it. The scene point that is at pixel p at the start
is at p + s f(p) at the part s of the clip, with the flow

    f(p) = v + A (p − c)        in pixels per clip, (right, down);  v velocity, A small, c centre of the image

so that the camera sees, at pixel p, the texture's point c + (1 + sA)⁻¹ (p − c − s v). A pixel sends an event whenever
its log-intensity has moved by its threshold θ since its last event (Lichtsteiner, Posch and Delbruck 2008,
doi:10.1109/JSSC.2007.914337). Textures are sums of plane waves, or bright shapes on a dark ground cut out of such sums;
both are known between the pixels too, so that nothing is interpolated. Pictures of one's own are interpolated linearly
and mirrored at their edges.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64, UInt8
from torch import Tensor

from workbench.checks import COUNT, COUNT_OR_ZERO, NOT_NEGATIVE, POSITIVE, Span, check_fields, check_number
from workbench.faces import short_repr

Texture = Callable[[np.ndarray, np.ndarray], np.ndarray]  # log-intensity at (right, down) in pixels


SIDE = Span("a whole number of at least 2", 2, whole=True)


class FlowCamera(NamedTuple):
    """size: pixels per side. bins: time bins of a clip. steps_per_bin: positions computed per bin. threshold, mismatch:
    mean and standard deviation of θ in log-intensity. noise: events per pixel and clip that nothing caused.
    speed: largest velocity in pixels per clip, per axis. turn: largest entries of A. seed: fixes all of it."""

    size: int = 16
    bins: int = 10
    steps_per_bin: int = 3
    threshold: float = 0.2
    mismatch: float = 0.03
    noise: float = 0.02
    speed: float = 3.0
    turn: float = 0.06
    seed: int = 0

    __repr__ = short_repr


class FlowSet(NamedTuple):
    """Clips, 1 where at least one event fell, `(time, clip, polarity, y, x)`, polarity 1 is brighter, and their flow
    `(clip, right and down, y, x)` in pixels per clip."""

    frames: UInt8[Tensor, "time clip 2 size size"]
    flow: Float[Tensor, "clip 2 size size"]

    def __len__(self) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        return len(self.flow)

    @property
    def labels(self) -> Float[Tensor, "clip 2 size size"]:
        """What is asked of each clip: its flow."""
        return self.flow

    def batch(
        self, rows: Int64[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "time batch 2 size size"], Float[Tensor, "batch 2 size size"]]:
        """The clips `rows` as input, time first, and their flow."""
        return self.frames.index_select(1, rows).float(), self.flow[rows]


class FlowHalves(NamedTuple):
    """The clips of a `FlowSet` with their second half shown beside the first: half the steps, four channels.

    A step holds darker and brighter of an early bin, then of the bin half a clip later, as Spike-FlowNet does it (Lee
    et al. 2020, arXiv 2003.06696): a neuron can compare the two without remembering one of them for half a clip. The
    S-TLLR paper shows whole clips of ten steps instead, which is what the `FlowSet` itself gives.
    """

    clips: FlowSet

    def __len__(self) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        return len(self.clips)

    @property
    def labels(self) -> Float[Tensor, "clip 2 size size"]:
        """What is asked of each clip: its flow."""
        return self.clips.flow

    def batch(
        self, rows: Int64[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "half batch 4 size size"], Float[Tensor, "batch 2 size size"]]:
        """The clips `rows` as input, time first, and their flow."""
        x, flow = self.clips.batch(rows)
        return halves(x), flow


def halves(x: Float[Tensor, "time batch polarity height width"]) -> Float[Tensor, "half batch channels height width"]:
    """Both halves of the time side by side in the channels; an odd last step is left out.

    >>> halves(torch.zeros(10, 8, 2, 16, 16)).shape
    torch.Size([5, 8, 4, 16, 16])
    """
    middle = len(x) // 2
    if not middle:
        raise ValueError(f"a clip of {len(x)} steps has no halves, expected at least 2")
    return torch.cat([x[:middle], x[middle : 2 * middle]], dim=2)


class Motion(NamedTuple):
    """An affine flow: velocity (right, down) in pixels per clip, and A."""

    velocity: Float64[np.ndarray, "2"]
    gradient: Float64[np.ndarray, "2 2"]


def flow_clips(
    clips: int, camera: FlowCamera = FlowCamera(), first: int = 0, texture: Callable[[int], Texture] | None = None
) -> FlowSet:
    """Clips number `first` to `first + clips − 1` of an endless set: a clip depends on its number and the camera only.

    texture: a function of the clip's number in place of random waves and shapes.

    >>> flow_clips(2).frames.shape
    torch.Size([10, 2, 2, 16, 16])
    """
    _require(clips, camera)
    frames, flows = [], []
    for number in range(first, first + clips):
        rng = np.random.default_rng((camera.seed, number))
        motion = random_motion(rng, camera)
        look = random_texture(rng) if texture is None else texture(number)
        frames.append(watch(look, motion, camera, rng))
        flows.append(flow_field(motion, camera.size))
    return FlowSet(torch.from_numpy(np.stack(frames, axis=1)), torch.from_numpy(np.stack(flows)).float())


def moving_clips(clips: int, camera: FlowCamera = FlowCamera(), first: int = 0) -> FlowHalves:
    """`flow_clips`, ready for training."""
    return FlowHalves(flow_clips(clips, camera, first))


def random_motion(rng: np.random.Generator, camera: FlowCamera) -> Motion:
    """A velocity in the square of ±speed; A turns and dilates by up to ±turn."""
    velocity = rng.uniform(-camera.speed, camera.speed, 2)
    dilation, rotation = rng.uniform(-camera.turn, camera.turn, 2)
    return Motion(velocity, np.array([[dilation, -rotation], [rotation, dilation]]))


def flow_field(motion: Motion, size: int) -> Float64[np.ndarray, "2 size size"]:
    """f at every pixel, (right, down)."""
    offset = _offsets(size)
    return motion.velocity[:, None, None] + np.einsum("ij,jyx->iyx", motion.gradient, offset)


def random_texture(rng: np.random.Generator) -> Texture:
    """Plane waves or shapes, by the toss of a coin."""
    return plane_waves(rng) if rng.random() < 0.5 else shapes(rng)


def shapes(rng: np.random.Generator, dark: float = 0.1) -> Texture:
    """Bright shapes with soft edges on a dark ground, as ink seen in negative: events come from the edges only."""
    waves, level = plane_waves(rng, shortest=8.0), rng.uniform(0.3, 0.9)

    def look(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.log(dark + 1.0 / (1.0 + np.exp(-12.0 * (waves(x, y) - level))))

    return look


def plane_waves(rng: np.random.Generator, waves: int = 12, shortest: float = 5.0, longest: float = 24.0) -> Texture:
    """A texture of random plane waves with wavelengths in pixels; its log-intensity has standard deviation 0.7."""
    length = np.exp(rng.uniform(np.log(shortest), np.log(longest), waves))
    angle, phase = rng.uniform(0.0, 2.0 * np.pi, (2, waves))
    right, down = 2.0 * np.pi / length * np.stack([np.cos(angle), np.sin(angle)])
    height = 0.7 * np.sqrt(2.0 / waves)

    def look(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return height * np.cos(right * x[..., None] + down * y[..., None] + phase).sum(-1)

    return look


def picture(light: Float64[np.ndarray, "rows columns"], left: float, top: float, dark: float = 0.05) -> Texture:
    """A texture from a picture with values in [0, 1], whose pixel (left, top) lies at the centre of the image."""
    logs = np.log(np.asarray(light, float) + dark)

    def look(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        column, row = (_mirrored(p, n) for p, n in ((x + left, logs.shape[1]), (y + top, logs.shape[0])))
        i, j = np.minimum(row.astype(int), logs.shape[0] - 2), np.minimum(column.astype(int), logs.shape[1] - 2)
        low, side = row - i, column - j
        above = logs[i, j] * (1 - side) + logs[i, j + 1] * side
        return above * (1 - low) + (logs[i + 1, j] * (1 - side) + logs[i + 1, j + 1] * side) * low

    return look


def watch(
    look: Texture, motion: Motion, camera: FlowCamera, rng: np.random.Generator
) -> UInt8[np.ndarray, "bins 2 size size"]:
    """Where at least one event fell in one clip: `frames[bin, polarity, y, x]`."""
    theta = np.maximum(rng.normal(camera.threshold, camera.mismatch, (2, camera.size, camera.size)), 0.05)
    counts = rng.poisson(camera.noise / (2 * camera.bins), (camera.bins, 2, camera.size, camera.size))
    level = seen(look, motion, 0.0, camera.size)
    for step in range(camera.bins * camera.steps_per_bin):
        change = seen(look, motion, (step + 1) / (camera.bins * camera.steps_per_bin), camera.size) - level
        crossed = np.floor(np.maximum(np.stack([-change, change]) / theta, 0.0)).astype(int)
        level = level + (crossed[1] * theta[1] - crossed[0] * theta[0])
        counts[step // camera.steps_per_bin] += crossed
    return (counts > 0).astype(np.uint8)


def seen(look: Texture, motion: Motion, part: float, size: int) -> Float64[np.ndarray, "size size"]:
    """Log-intensity at every pixel when `part` of the clip, 0 to 1, has passed."""
    moved = _offsets(size) - part * motion.velocity[:, None, None]
    source = np.einsum("ij,jyx->iyx", np.linalg.inv(np.eye(2) + part * motion.gradient), moved)
    return look(source[0], source[1])


def _offsets(size: int) -> Float64[np.ndarray, "2 size size"]:
    """(right, down) of every pixel from the centre of the image."""
    axis = np.arange(size) - (size - 1) / 2
    return np.stack(np.meshgrid(axis, axis, indexing="xy"))


def _mirrored(place: np.ndarray, length: int) -> np.ndarray:
    """Places outside 0..length − 1 folded back."""
    period = 2 * (length - 1)
    folded = np.mod(place, period)
    return np.minimum(folded, period - folded)


def _require(clips: int, camera: FlowCamera) -> None:
    """Refuse what no camera can have."""
    never_below_0 = dict.fromkeys(("mismatch", "noise", "speed", "turn"), NOT_NEGATIVE)
    check_fields(camera, FlowCamera, size=SIDE, bins=COUNT, steps_per_bin=COUNT, seed=COUNT_OR_ZERO)
    check_fields(camera, FlowCamera, threshold=POSITIVE, **never_below_0)
    check_number(clips, "clips", COUNT)
