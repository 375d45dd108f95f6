"""From sound to spikes: a bank of filters, and a spike for every step that the loudness of a band goes up or down.

    E_c[t] = Σ_f M_c(f) |STFT(t, f)|²            energy of band c, M_c triangles equally wide on the mel scale
    l_c[t] = ln(E_c[t] / max E + ε)              loudness, ε sets how quiet is silence
    a spike "up" or "down" whenever l_c has moved by θ since the last spike of channel c           (level crossing)

The mel scale, m = 2595 log₁₀(1 + f / 700 Hz), follows how far apart two tones sound (O'Shaughnessy 1987). Level
crossing is the event camera's principle (`senses.camera`) for one number per channel instead of one per pixel.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int64, UInt8

from workbench.checks import COUNT, NOT_NEGATIVE, POSITIVE, check_fields, check_number
from workbench.faces import short_repr

MOST_BANDS = 4096


class Ear(NamedTuple):
    """bands: filters from `low` to `high` Hz. window_ms, step_ms: length of a piece of sound, and from one to the next.
    threshold: θ in units of ln. silence: ε, as a part of the recording's largest energy."""

    bands: int = 40
    low: float = 60.0
    high: float = 3800.0
    window_ms: float = 25.0
    step_ms: float = 10.0
    threshold: float = 0.7
    silence: float = 1e-4

    __repr__ = short_repr


def spikes_of_sound(
    wave: Float[np.ndarray, "*shape"], rate: int, ear: Ear = Ear()
) -> UInt8[np.ndarray, "time channels"]:
    """Spikes per step and channel; channel 2c counts the "down" of band c, 2c + 1 its "up".

    wave: sound pressure in any unit. rate: samples per second. Raises ValueError for a sound that is shorter than one
    window or not finite, or an ear that cannot be.

    >>> spikes_of_sound(np.sin(np.arange(8000) * 0.3), 8000).shape
    (98, 80)
    """
    return level_crossings(loudness(wave, rate, ear), ear.threshold)


def loudness(wave: Float[np.ndarray, "*shape"], rate: int, ear: Ear = Ear()) -> Float64[np.ndarray, "time bands"]:
    """l_c[t] of each band; all the same, ln(1 + ε), where there is no sound at all."""
    check_ear(ear, rate)
    window, step = (round(ms * rate / 1000) for ms in (ear.window_ms, ear.step_ms))
    if wave.ndim != 1 or len(wave) < window or not np.isfinite(wave).all():
        raise ValueError(
            f"the sound has shape {wave.shape} and must be one channel of at least {window} finite samples, "
            f"one window of {ear.window_ms} ms"
        )
    pieces = np.lib.stride_tricks.sliding_window_view(wave, window)[::step] * np.hanning(window)
    power = np.abs(np.fft.rfft(pieces)) ** 2
    energy = power @ mel_filters(ear, power.shape[1], rate)
    loudest = energy.max()
    return np.log(energy / loudest + ear.silence) if loudest > 0 else np.full(energy.shape, np.log(1 + ear.silence))


def mel_filters(ear: Ear, frequencies: int, rate: int) -> Float64[np.ndarray, "frequencies bands"]:
    """M_c(f): triangles that overlap by half, for `frequencies` from 0 to rate / 2. A band that is narrower than the
    distance of two frequencies takes the nearest one."""
    f = np.linspace(0.0, rate / 2, frequencies)
    edges = np.linspace(_mel(ear.low), _mel(ear.high), ear.bands + 2)
    below, centre, above = (700.0 * (10.0 ** (edges[k : k + ear.bands] / 2595.0) - 1.0) for k in range(3))
    rising, falling = (f[:, None] - below) / (centre - below), (above - f[:, None]) / (above - centre)
    filters = np.maximum(np.minimum(rising, falling), 0.0)
    nearest = np.abs(f[:, None] - centre).argmin(0)
    empty = filters.sum(0) == 0
    filters[nearest[empty], np.flatnonzero(empty)] = 1.0
    return filters


def level_crossings(level: Float[np.ndarray, "time bands"], threshold: float) -> UInt8[np.ndarray, "time channels"]:
    """Send on delta: in each step as many spikes as `level` has moved by `threshold` since the last spike.

    >>> level_crossings(np.array([[0.0], [2.1], [2.2], [0.9]]), 1.0).tolist()
    [[0, 0], [0, 2], [0, 0], [1, 0]]
    """
    check_number(threshold, "threshold", POSITIVE)
    sent, counts = level[0].copy(), np.zeros((*level.shape, 2), np.int64)
    for t, now in enumerate(level):
        moved = _whole((now - sent) / threshold)
        counts[t, :, 0], counts[t, :, 1] = np.maximum(-moved, 0), np.maximum(moved, 0)
        sent += moved * threshold
    return np.minimum(counts, 255).astype(np.uint8).reshape(len(level), -1)


def check_ear(ear: Ear, rate: int) -> None:
    """Raise ValueError for an ear that cannot hear sound of this rate."""
    check_number(rate, "rate, samples per second,", POSITIVE)
    check_fields(ear, Ear, bands=COUNT, low=NOT_NEGATIVE, threshold=POSITIVE, silence=POSITIVE)
    check_fields(ear, Ear, high=POSITIVE, window_ms=POSITIVE, step_ms=POSITIVE)
    if not ear.low < ear.high <= rate / 2:
        raise ValueError(f"bands from {ear.low} to {ear.high} Hz do not fit below half the rate, {rate / 2} Hz")
    if min(ear.window_ms, ear.step_ms) * rate < 2000:
        raise ValueError(f"an ear needs a window and a step of two samples, got {ear}")
    if ear.bands > MOST_BANDS:
        raise ValueError(f"an ear has {MOST_BANDS} bands at most, got {ear.bands}")


def _whole(moved: Float64[np.ndarray, " bands"]) -> Int64[np.ndarray, " bands"]:
    """Towards zero; a hair below a whole number counts as that number."""
    return np.trunc(moved + np.sign(moved) * 1e-9).astype(np.int64)


def _mel(frequency: float) -> float:
    return 2595.0 * float(np.log10(1.0 + frequency / 700.0))
