"""Events: what an event camera sends instead of pictures."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from workbench.checks import COUNT, POSITIVE


class Events(NamedTuple):
    """A recording: time in µs, column, row, and polarity (a simulated camera: 1 brighter, 0 darker)."""

    t: Int64[np.ndarray, " event"]
    x: UInt8[np.ndarray, " event"]
    y: UInt8[np.ndarray, " event"]
    p: UInt8[np.ndarray, " event"]


def check_events(events: Events, width: int, height: int, name: str = "the recording") -> Events:
    """The events with polarities 0 and 1, which may come as truth values or as −1 and 1; or ValueError, with the name.

    Raises it for columns of different length, other polarities, a negative time, and an address off the sensor.
    """
    t, x, y, p = map(np.asarray, events)
    if len({column.shape for column in (t, x, y, p)}) > 1 or t.ndim != 1:
        shapes = ", ".join(f"{letter} {column.shape}" for letter, column in zip("txyp", (t, x, y, p), strict=True))
        raise ValueError(f"{name} must give t, x, y and p of each event, four columns of one length, got {shapes}")
    for letter, column, size in (("x", x, width), ("y", y, height)):
        if column.dtype.kind not in "iub":
            raise ValueError(f"{name} has {letter} of type {column.dtype}, expected whole numbers")
        if column.size and not 0 <= int(column.min()) <= int(column.max()) < size:
            worst = int(column.min()) if column.min() < 0 else int(column.max())
            raise ValueError(
                f"{name}: an event has the address {worst} in {letter}, expected 0 to {size - 1}: is the size of the "
                "sensor right, and are the addresses those of its pixels?"
            )
    if t.size and not t.min() >= 0:  # NaN too
        raise ValueError(
            f"{name} has an event at t = {t.min()} µs, expected times from 0 on; take the start away, t - t.min(), or "
            "leave out what came before the trigger"
        )
    if t.dtype.kind == "f":
        t = np.floor(t)
    return Events(t.astype(np.int64), x, y, _zero_and_one(p, name))


def _zero_and_one(p: np.ndarray, name: str) -> UInt8[np.ndarray, " event"]:
    if p.dtype.kind != "u" or (p.size and p.max() > 1):
        values = {int(value) if value == int(value) else float(value) for value in np.unique(p)[:5].tolist()}
        if not (values <= {0, 1} or values <= {-1, 1}):
            raise ValueError(f"{name} has polarities {sorted(values)}, expected 0 and 1, or -1 and 1")
    return (p > 0).astype(np.uint8)


def bin_events(events: Events, bins: int, duration_us: float, size: int) -> Bool[np.ndarray, "bins 2 size size"]:
    """Where at least one event fell: `frames[bin, p, y, x]`, bins of equal length over [0, duration_us).

    Later events are left out. Polarities are 0 and 1, False and True, or −1 and 1. Raises ValueError for an event
    before 0 or outside a sensor of `size` × `size` pixels (`check_events`), and for bins that are none.

    >>> one = Events(*(np.array([v], d) for v, d in ((150, "i8"), (3, "u1"), (2, "u1"), (1, "u1"))))
    >>> [int(i[0]) for i in np.nonzero(bin_events(one, bins=2, duration_us=200, size=4))]
    [1, 1, 2, 3]
    """
    if not (COUNT.holds(bins) and COUNT.holds(size) and POSITIVE.holds(duration_us)):
        raise ValueError(f"bins, size and duration_us must be positive, got {bins}, {size} and {duration_us}")
    events = check_events(events, size, size)
    frames = np.zeros((bins, 2, size, size), bool)
    kept = events.t < duration_us
    t, x, y, p = (column[kept] for column in events)
    frames[(t * bins // duration_us).astype(np.int64), p, y, x] = True
    return frames
