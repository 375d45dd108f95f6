"""Spike trains of many channels, as an ear sends them: when, and on which channel."""

import warnings
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Integer, UInt8
from torch import Tensor

from workbench.checks import COUNT, POSITIVE


class SpikeTrain(NamedTuple):
    """A recording: time of each spike in ms from its start, and the number of its channel. In any order."""

    time: Float[np.ndarray, " spike"] | Integer[np.ndarray, " spike"]
    channel: Integer[np.ndarray, " spike"]


def bin_spikes(
    trains: Iterable[SpikeTrain], steps: int, step_ms: float, channels: int, name: str = "the recordings"
) -> UInt8[Tensor, "time recording channels"]:
    """Spikes per step and channel, at most 255; what comes after the last step is left out.

    Warns when more than half of all spikes are left out, as happens with times in another unit. Raises ValueError, with
    the name, for a channel outside 0..channels − 1 and for a time that is negative or no number.

    >>> bin_spikes([SpikeTrain(np.array([0.0, 12.0, 19.9]), np.array([1, 0, 0]))], 2, 10.0, 2).squeeze(1).tolist()
    [[0, 1], [2, 0]]
    """
    if not (COUNT.holds(steps) and COUNT.holds(channels) and POSITIVE.holds(step_ms)):
        raise ValueError(f"steps, channels and step_ms must be positive, got {steps}, {channels} and {step_ms}")
    counts, given, kept = [], 0, 0
    for number, train in enumerate(trains):
        counts.append(_count(f"recording {number} of {name}", train, steps, step_ms, channels))
        given, kept = given + len(train.time), kept + int((np.asarray(train.time) < steps * step_ms).sum())
    if not counts:
        raise ValueError(f"there is no recording in {name}, expected at least one")
    if kept < given / 2:
        warnings.warn(
            f"{given - kept} of {given} spikes of {name} come after the last step, at {steps * step_ms:g} ms, and are "
            "left out: are the times in the unit that is expected, and are there steps enough?",
            stacklevel=2,
        )
    return torch.from_numpy(np.stack(counts, axis=1))


def _count(
    name: str, train: SpikeTrain, steps: int, step_ms: float, channels: int
) -> UInt8[np.ndarray, "time channels"]:
    time, channel = np.asarray(train.time, np.float64), np.asarray(train.channel, np.int64)
    if time.shape != channel.shape:
        raise ValueError(f"{name} has {time.size} times and {channel.size} channels, expected as many")
    if time.size and not time.min() >= 0:  # NaN too
        raise ValueError(f"{name} has a spike at {time.min()} ms, expected times from 0 on")
    if channel.size and not 0 <= channel.min() <= channel.max() < channels:
        raise ValueError(f"{name} has channels {channel.min()} to {channel.max()}, expected 0 to {channels - 1}")
    kept = time < steps * step_ms
    step = np.minimum(time[kept] / step_ms, steps - 1).astype(np.int64)  # a quotient may round up to `steps`
    place = step * channels + channel[kept]
    counts = np.bincount(place, minlength=steps * channels)
    return np.minimum(counts, 255).astype(np.uint8).reshape(steps, channels)
