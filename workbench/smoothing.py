"""Smooth a curve that is noisy from batch to batch, so that the eye sees where it goes."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64


def running_mean(values: Sequence[float], window: int) -> Float64[np.ndarray, "n"]:
    """Mean of each value and up to `window` − 1 before it; the first means are over what there is so far.

    >>> running_mean([1.0, 3.0, 5.0], window=2)
    array([1., 2., 4.])
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window!r}")
    sums = np.cumsum(np.asarray(values, dtype=np.float64))
    count = np.minimum(np.arange(1, len(sums) + 1), window)
    sums[window:] = sums[window:] - sums[:-window]
    return sums / count
