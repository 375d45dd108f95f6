"""The simulated event camera, against a pixel-by-pixel simulation of its own, laws, and a real camera."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from workbench.data.event_sets import pack_frames
from workbench.data.events import bin_events
from workbench.data.senses.camera import LIKE_NMNIST, EventCamera, event_frames, events
from workbench.data.sets.fashion_mnist import fashion_mnist_small

CLEAN = LIKE_NMNIST._replace(noise_hz=0.0, mismatch=0.0)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return fashion_mnist_small().train.images[:12]


def positions(camera: EventCamera) -> list[tuple[float, float]]:
    """(right, down) from the middle at the start and after each step, one saccade after the other."""
    steps = camera.bins * camera.steps_per_bin
    corners = [(0.0, 0.0)]
    for right, down in camera.moves:
        corners.append((corners[-1][0] + right, corners[-1][1] + down))
    middle = [(max(axis) + min(axis)) / 2 for axis in zip(*corners, strict=True)]
    found = []
    for step in range(steps + 1):
        passed = step * len(camera.moves) / steps
        number = min(int(passed), len(camera.moves) - 1)
        done = (1 - math.cos(math.pi * (passed - number))) / 2
        (x0, y0), (x1, y1) = corners[number : number + 2]
        found.append((x0 + done * (x1 - x0) - middle[0], y0 + done * (y1 - y0) - middle[1]))
    return found


def log_views(image: np.ndarray, camera: EventCamera) -> np.ndarray:
    """Log-intensity at the start and after each step, shifted by scipy in double precision."""
    rows, columns = image.shape
    margin = 30
    wide = np.zeros((camera.size + 2 * margin,) * 2)
    top, left = ((camera.size - side) / 2 for side in image.shape)
    wide[margin : margin + rows, margin : margin + columns] = image
    inner = slice(margin, margin + camera.size)
    return np.stack(
        [
            np.log(ndimage.shift(wide, (top + down, left + right), order=1)[inner, inner] / 255 + camera.dark)
            for right, down in positions(camera)
        ]
    )


def one_by_one(image: np.ndarray, camera: EventCamera) -> np.ndarray:
    """Frames by a loop over pixels and steps, one event at a time."""
    views = log_views(image, camera)
    frames = np.zeros((camera.bins, 2, camera.size, camera.size), bool)
    for y, x in np.ndindex(camera.size, camera.size):
        level = views[0, y, x]
        for step, light in enumerate(views[1:, y, x]):
            while light - level >= camera.threshold:
                level += camera.threshold
                frames[step // camera.steps_per_bin, 1, y, x] = True
            while level - light >= camera.threshold:
                level -= camera.threshold
                frames[step // camera.steps_per_bin, 0, y, x] = True
    return frames


@pytest.mark.parametrize(
    ("shape", "changes"),
    [
        ((28, 28), {}),
        ((28, 28), {"moves": ((2.0, 3.0), (-4.0, 1.0)), "bins": 6}),
        ((5, 9), {"size": 12, "bins": 4, "steps_per_bin": 3, "threshold": 0.2, "dark": 0.03}),
        ((20, 10), {"size": 8, "bins": 5, "moves": ((-3.0, 0.5),)}),
        ((4, 4), {"size": 4, "bins": 3, "moves": ((0.0, 2.0),)}),
        ((3, 3), {"size": 8, "bins": 5, "moves": ((20.0, -20.0),)}),
    ],
)
def test_frames_equal_a_simulation_of_one_pixel_after_the_other(shape, changes):
    camera = CLEAN._replace(**changes)
    blobs = np.random.default_rng(1).random(shape)
    image = (255 * (ndimage.gaussian_filter(blobs, 1) > np.median(blobs)) * blobs).astype(np.uint8)
    found, expected = event_frames(image[None], camera)[0], one_by_one(image, camera)
    assert expected.sum() > 10
    # The camera reads light in sixteenths of a grey level, this loop exactly: a few events fall otherwise.
    assert (found != expected).sum() <= 0.02 * expected.sum() + 1


def test_frames_equal_binned_events(images):
    for camera in (LIKE_NMNIST, LIKE_NMNIST._replace(bins=7, steps_per_bin=1, saccade_us=50_001, noise_hz=5.0)):
        frames = event_frames(images, camera)
        for number, image in enumerate(images):
            recording = events(image, camera, number)
            binned = bin_events(recording, camera.bins, camera.duration_us, camera.size)
            np.testing.assert_array_equal(binned, frames[number])


def test_events_are_in_order_and_in_range(images):
    recording = events(images[0], LIKE_NMNIST)
    assert (np.diff(recording.t) >= 0).all()
    assert recording.t.min() >= 0
    assert recording.t.max() < LIKE_NMNIST.duration_us == 315_000
    assert max(recording.x.max(), recording.y.max()) < 34
    assert set(recording.p) == {0, 1}


def test_events_add_up_to_the_change_of_light(images):
    """From the first view to the last, θ (events up − events down) is the change of l, to less than one θ."""
    camera = CLEAN._replace(moves=((3.5, 7.0), (2.5, -4.0)))
    for image in images:
        recording = events(image, camera)
        balance = np.zeros((34, 34))
        np.add.at(balance, (recording.y, recording.x), 2.0 * recording.p - 1)
        views = log_views(image, camera)
        assert np.abs(balance).max() >= 3
        assert np.abs(views[-1] - views[0] - camera.threshold * balance).max() < camera.threshold + 0.01


def test_number_of_thresholds_crossed_by_an_edge():
    """A bright bar that arrives at a black pixel: ln((1 + dark) / dark) / θ thresholds, rounded down."""
    bar = np.zeros((20, 20), np.uint8)
    bar[:, :4] = 255
    camera = EventCamera(20, 10, 4, 0.25, 0.0, 0.05, 0.0, ((8.0, 0.0),))
    recording = events(bar, camera)
    # The middle of the move is the image itself: the bar's front goes from column 0 to column 8.
    at = (recording.x == 5) & (recording.y == 10)
    assert recording.p[at].tolist() == [1] * math.floor(math.log(1.05 / 0.05) / 0.25)
    behind = (recording.x == 1) & (recording.y == 10)
    assert set(recording.p[behind]) == {0, 1}
    assert recording.t[recording.p == 0].size > 0


def test_crossings_within_one_step_are_evenly_spaced():
    """In one step of 1000 µs a pixel goes from black to white: equal thresholds take equal times."""
    bar = np.zeros((9, 9), np.uint8)
    bar[:, :3] = 255
    camera = EventCamera(9, 1, 1, 0.5, 0.0, 0.1, 0.0, ((2.0, 0.0),), 1000)
    recording = events(bar, camera)
    times = recording.t[(recording.x == 3) & (recording.y == 4)]
    change = math.log(1.1 / 0.1)
    assert times.tolist() == [int(1000 * nth * 0.5 / change) for nth in range(1, 1 + int(change / 0.5))]


def test_a_crossing_at_the_very_end_belongs_to_the_recording():
    """The threshold is the whole change of light: its one event falls into the last microsecond."""
    bar = np.zeros((9, 9), np.uint8)
    bar[:, :3] = 255
    change = float(np.float32(np.log(1.1)) - np.float32(np.log(0.1)))
    camera = EventCamera(9, 1, 1, change, 0.0, 0.1, 0.0, ((2.0, 0.0),), 1000)
    recording = events(bar, camera)
    assert set(recording.t) == {999}
    np.testing.assert_array_equal(bin_events(recording, 1, 1000, 9), event_frames(bar[None], camera)[0])


def test_times_converge_with_smaller_steps(images):
    """Straight lines within steps of 4 ms are off by a fraction of a step, within 1 ms by much less."""
    fine = events(images[1], CLEAN._replace(steps_per_bin=80))

    def error_us(steps_per_bin: int) -> float:
        coarse, gaps = events(images[1], CLEAN._replace(steps_per_bin=steps_per_bin)), []
        for p, y, x in np.ndindex(2, 34, 34):
            one, two = (r.t[(r.p == p) & (r.y == y) & (r.x == x)] for r in (fine, coarse))
            if one.size == two.size:
                gaps.extend(np.abs(one - two))
        assert len(gaps) > 0.8 * fine.t.size
        return float(np.mean(gaps))

    assert error_us(4) < 1000
    assert error_us(16) < error_us(4) / 3


def test_an_image_does_not_depend_on_its_block(images):
    whole = event_frames(images, LIKE_NMNIST, first=40)
    for size in (1, 5):
        parts = [event_frames(images[row : row + size], LIKE_NMNIST, 40 + row) for row in range(0, 12, size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_the_seed_fixes_everything(images):
    once, again = (event_frames(images, LIKE_NMNIST) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert (event_frames(images, LIKE_NMNIST._replace(seed=1)) != once).any()
    black = np.zeros((2, 28, 28), np.uint8)
    first, second = event_frames(black, LIKE_NMNIST)
    assert (first != second).any()  # each image has noise of its own
    even = LIKE_NMNIST._replace(mismatch=0.0)
    assert (event_frames(black, even) != event_frames(black, even._replace(seed=1))).any()


def test_rate_of_noise():
    black = np.zeros((40, 28, 28), np.uint8)
    noisy = LIKE_NMNIST._replace(noise_hz=0.7, steps_per_bin=1)
    counts = [events(image, noisy, n).t.size for n, image in enumerate(black)]
    expected = 0.7 * 0.315 * 34 * 34
    assert abs(np.mean(counts) - expected) < 4 * math.sqrt(expected / len(counts))
    assert not event_frames(black[:1], CLEAN).any()


def test_mismatch_is_a_fixed_pattern(images):
    """The same image at two places of the set: with mismatch and without noise the events are the same."""
    uneven = CLEAN._replace(mismatch=0.1)
    one, two = (event_frames(images[:1], uneven, first) for first in (0, 9))
    np.testing.assert_array_equal(one, two)
    assert (one != event_frames(images[:1], CLEAN)).any()


@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(1, 9),
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    moves=st.lists(st.tuples(st.integers(-6, 6), st.floats(-6, 6)), min_size=1, max_size=3),
    bins=st.integers(1, 4),
    steps=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_any_camera_sees_any_image(size, shape, moves, bins, steps, seed):
    moves = tuple((float(right), float(down)) for right, down in moves)
    camera = EventCamera(size, bins, steps, moves=moves, saccade_us=1000, noise_hz=100.0, seed=seed)
    image = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    frames = event_frames(image[None], camera, 3)
    recording = events(image, camera, 3)
    np.testing.assert_array_equal(bin_events(recording, bins, camera.duration_us, size), frames[0])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"threshold": 0.0}, "threshold of EventCamera must be a number above 0, got 0.0"),
        ({"dark": 0.0}, "dark of EventCamera must be a number above 0, got 0.0"),
        ({"threshold": math.nan}, "threshold of EventCamera must be .* got nan"),
        ({"bins": 0}, "bins of EventCamera must be a whole number of at least 1, got 0"),
        ({"noise_hz": -1.0}, "noise_hz of EventCamera must be a number of at least 0, got -1.0"),
        ({"seed": -1}, "seed of EventCamera must be a whole number of at least 0, got -1"),
        ({"size": 300}, "size of EventCamera must be 1 to 256, .* got 300"),
        ({"moves": ()}, "at least one saccade"),
    ],
)
def test_settings_that_no_camera_has(images, changes, words):
    camera = LIKE_NMNIST._replace(**changes)
    with pytest.raises(ValueError, match=words):
        event_frames(images[:1], camera)
    with pytest.raises(ValueError, match=words):
        events(images[0], camera)


def test_the_simulator_is_the_one_that_cache_files_are_named_after(images):
    """If this changes on purpose, raise `SIMULATOR` in image_events.py: cached files of others are stale."""
    packed = pack_frames(event_frames(images, LIKE_NMNIST))
    assert hashlib.sha256(packed.tobytes()).hexdigest()[:16] == "cd7bcd25f4f50ba0"


@pytest.fixture(scope="module")
def real_and_simulated(recordings) -> tuple[np.ndarray, np.ndarray]:
    """Mean frames of 1,100 recordings of N-MNIST and of 300 digits seen by the simulation: (bins, p, y, x)."""
    with np.load(recordings / "nmnist_small_binned20.npz") as file:
        shape = tuple(file["shape"])
        real = np.unpackbits(file["frames_packed"])[: np.prod(shape)].reshape(shape).mean(0)
    with np.load(recordings / "mnist_t10k.npz") as file:
        simulated = event_frames(file["images"][:300], LIKE_NMNIST).mean(0)
    return real, simulated


def centre(frames: np.ndarray) -> np.ndarray:
    """(x, y) of the centre of the events of each frame (..., y, x)."""
    y, x = np.mgrid[:34, :34]
    return np.stack([(frames * axis).sum((-2, -1)) / frames.sum((-2, -1)) for axis in (x, y)], -1)


def test_the_image_moves_as_a_real_camera_saw_it(real_and_simulated):
    real, simulated = (centre(frames.sum(1)) for frames in real_and_simulated)
    for axis in (0, 1):
        assert np.corrcoef(real[:, axis], simulated[:, axis])[0, 1] > 0.85


def test_as_many_events_as_a_real_camera_sent(real_and_simulated):
    real, simulated = (frames.sum() for frames in real_and_simulated)
    assert 0.8 < simulated / real < 1.25


def test_the_bright_edge_leads_and_in_nmnist_it_is_called_0(real_and_simulated):
    """Digits are bright: along the motion the side that becomes brighter lies ahead. N-MNIST has p the other way."""
    saccades = slice(1, 6), slice(8, 12), slice(14, 19)
    for frames, ahead in zip(real_and_simulated, (0, 1), strict=True):
        for bins, move in zip(saccades, LIKE_NMNIST.moves, strict=True):
            lead = centre(frames[bins, ahead].sum(0)) - centre(frames[bins, 1 - ahead].sum(0))
            assert lead @ np.array(move) / np.linalg.norm(move) > 0.5
