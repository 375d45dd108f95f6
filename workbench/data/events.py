"""Events: what an event camera sends instead of pictures."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64, UInt8


class Events(NamedTuple):
    """A recording: time in µs, column, row, and polarity (a simulated camera: 1 brighter, 0 darker)."""

    t: Int64[np.ndarray, " event"]
    x: UInt8[np.ndarray, " event"]
    y: UInt8[np.ndarray, " event"]
    p: UInt8[np.ndarray, " event"]


def bin_events(events: Events, bins: int, duration_us: int, size: int) -> Bool[np.ndarray, "bins 2 size size"]:
    """Where at least one event fell: `frames[bin, p, y, x]`, bins of equal length over [0, duration_us).

    Later events are left out. Raises ValueError if an event lies outside a sensor of `size` × `size` pixels.

    >>> one = Events(*(np.array([v], d) for v, d in ((150, "i8"), (3, "u1"), (2, "u1"), (1, "u1"))))
    >>> [int(i[0]) for i in np.nonzero(bin_events(one, bins=2, duration_us=200, size=4))]
    [1, 1, 2, 3]
    """
    farthest = max(int(events.x.max(initial=0)), int(events.y.max(initial=0)))
    if farthest >= size:
        raise ValueError(f"an event has the address {farthest}, expected 0 to {size - 1}: is size={size} right?")
    frames = np.zeros((bins, 2, size, size), bool)
    kept = events.t < duration_us
    t, x, y, p = (column[kept] for column in events)
    frames[t * bins // duration_us, p, y, x] = True
    return frames
