"""Learning curves: the records of a training run as arrays to draw."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from workbench.checks import COUNT, check_number
from workbench.training.setting import Told


class Curves(NamedTuple):
    """One run so far. `epochs` counts the epochs done after each step; loss and score are running means.

    Held-out numbers stand at the end of each epoch. Rates and bytes are those of the last step.
    """

    epochs: Float64[np.ndarray, "n_steps"]
    loss: Float64[np.ndarray, "n_steps"]
    score: Float64[np.ndarray, "n_steps"]
    held_out_epochs: Float64[np.ndarray, "n_epochs"]
    held_out_loss: Float64[np.ndarray, "n_epochs"]
    held_out_score: Float64[np.ndarray, "n_epochs"]
    spike_rates: Mapping[str, float]
    saved_bytes: int
    state_bytes: int


def learning_curves(records: Iterable[Told], epochs: int, window: int = 20) -> Curves:
    """Curves of a run that was started for so many `epochs`, smoothed over the last `window` batches.

    >>> learning_curves([], epochs=3).loss
    array([], dtype=float64)
    """
    records = list(records)
    held_out = [record for record in records if record.held_out_score is not None]
    return Curves(
        _done(records, epochs),
        running_mean([record.loss for record in records], window),
        running_mean([record.score for record in records], window),
        _done(held_out, epochs),
        np.array([record.held_out_loss for record in held_out], np.float64),
        np.array([record.held_out_score for record in held_out], np.float64),
        records[-1].spike_rates if records else {},
        records[-1].saved_bytes if records else 0,
        records[-1].state_bytes if records else 0,
    )


def _done(records: list[Told], epochs: int) -> Float64[np.ndarray, "n"]:
    """Epochs done after each record's step."""
    return np.array([epochs * (record.step + 1) / record.steps for record in records], np.float64)


def running_mean(values: Sequence[float], window: int) -> Float64[np.ndarray, "n"]:
    """Mean of each value and up to `window` − 1 before it; the first means are over what there is so far.

    >>> running_mean([1.0, 3.0, 5.0], window=2)
    array([1., 2., 4.])
    """
    check_number(window, "window", COUNT)
    given = np.asarray(values, dtype=np.float64)
    if len(given) == 0:
        return given
    width = min(int(window), len(given))
    with np.errstate(all="ignore"):  # what sees an infinity is none, without a word
        return _means(given, width)


def _means(given: Float64[np.ndarray, "n"], width: int) -> Float64[np.ndarray, "n"]:
    early = np.cumsum(given[: width - 1]) / np.arange(1, width)
    # Each later mean is a sum of its own: a running sum would carry a NaN, and roundings, on to all that follow.
    return np.concatenate([early, np.lib.stride_tricks.sliding_window_view(given, width).mean(1)])
