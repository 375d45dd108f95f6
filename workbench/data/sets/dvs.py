"""DVS128 Gesture and CIFAR10-DVS from a folder: AEDAT files of a DVS128 camera, 128 × 128 pixels, as binned frames.

DVS128 Gesture: Amir et al., CVPR 2017, doi:10.1109/CVPR.2017.781, CC BY 4.0. AEDAT 3.1 files of several gestures each,
with a table of label, start and end in µs beside them; users numbered 24 to 29 are for testing.
CIFAR10-DVS: Li, Liu, Ji, Li and Shi 2017, doi:10.3389/fnins.2017.00309, CC BY 4.0. One AEDAT 2.0 file per picture,
in ten folders. Neither ships with the project, and neither can be fetched by a script: unpack them by hand.
"""

import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from workbench.data.delivery.storage import data_folder, visible, whole_file
from workbench.data.event_sets import EventSet, pack_frames, padded_lengths, unpack_counts
from workbench.data.events import Events, bin_events
from workbench.data.split import Split

SIZE = 128
GESTURES = (
    "hand clapping", "right hand wave", "left hand wave", "right arm clockwise", "right arm counter clockwise",
    "left arm clockwise", "left arm counter clockwise", "arm roll", "air drums", "air guitar", "other gestures",
)  # fmt: skip
OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FIRST_TEST_USER = 24
POLARITY_EVENT, HEADER = 1, 28  # of AEDAT 3.1: type of a packet, bytes of its header


def dvs_gesture(
    folder: str | Path | None = None, bins: int = 20, duration_ms: float = 1500.0, pool: int = 4
) -> Split[EventSet]:
    """The first `duration_ms` of each gesture in `bins` frames; the S-TLLR paper: 20 bins of 75 ms, 32 × 32 pixels.

    A gesture that ends before is padded, with its length.
    folder: holds `user01_fluorescent.aedat`, `user01_fluorescent_labels.csv` and so on, anywhere below. Raises
    FileNotFoundError without any, ValueError for a damaged file.
    """
    place = Path(folder) if folder else data_folder() / "dvs_gesture"
    frames, labels, users, filled = [], [], [], []
    for path in _found(place, "user*.aedat", "user01_fluorescent.aedat", "DVS128 Gesture"):
        if not path.name[4:6].isdigit():
            raise ValueError(f"{path} names no user, expected a name such as user01_fluorescent.aedat")
        events = decode_aedat3(whole_file(path), str(path))
        for label, start, end in _table(path.with_name(f"{path.stem}_labels.csv")):
            if end <= start:
                raise ValueError(f"{path} has a gesture from {start} to {end} µs, expected an end after the start")
            frames.append(_frames(_between(events, start, end), bins, round(1000 * duration_ms), path))
            labels.append(label - 1)
            users.append(int(path.name[4:6]))
            filled.append(ceil(bins * (end - start) / (1000 * duration_ms)))
    if not frames:
        raise ValueError(f"the tables of {place} name no gesture, expected lines of class, start and end in µs")
    test = np.array(users) >= FIRST_TEST_USER
    lengths = padded_lengths(torch.tensor(filled), bins)
    return _split(np.stack(frames), np.array(labels), test, bins, pool, GESTURES, lengths)


def cifar10_dvs(
    folder: str | Path | None = None, bins: int = 10, duration_ms: float = 1300.0, pool: int = 2, test_each: int = 10
) -> Split[EventSet]:
    """The pictures as `bins` frames of the first `duration_ms`; every `test_each`-th of a class is for testing.

    folder: holds `airplane/*.aedat` and the other nine. Raises FileNotFoundError without any, ValueError for a
    damaged file.
    """
    place = Path(folder) if folder else data_folder() / "cifar10_dvs"
    paths = _found(place, "*.aedat", "airplane/cifar10_airplane_0.aedat", "CIFAR10-DVS")
    wrong = next((path for path in paths if path.parent.name not in OBJECTS), None)
    if wrong is not None:
        raise ValueError(f"{wrong} lies in no folder of a class, expected one of {', '.join(OBJECTS)}")
    labels = np.array([OBJECTS.index(path.parent.name) for path in paths])
    frames = []
    for path in paths:
        events = decode_aedat2(whole_file(path), str(path))
        frames.append(
            _frames(_between(events, int(events.t.min(initial=0)), None), bins, round(1000 * duration_ms), path)
        )
    place_in_class = np.array([int((labels[:row] == labels[row]).sum()) for row in range(len(labels))])
    return _split(np.stack(frames), labels, place_in_class % test_each == test_each - 1, bins, pool, OBJECTS)


def decode_aedat3(data: bytes, name: str = "the recording") -> Events:
    """Polarity events of an AEDAT 3.1 file. Raises ValueError where it breaks off or is no such file."""
    at = _after_header(data, b"#!AER-DAT3", b"#!END-HEADER\r\n", name)
    kept = []
    while at < len(data):
        if len(data) - at < HEADER:
            raise ValueError(f"{name} breaks off in the header of the packet at byte {at}. Unpack it again.")
        kind, _ = np.frombuffer(data, "<u2", 2, at)
        size, offset, overflow, _, number, _ = np.frombuffer(data, "<u4", 6, at + 4).tolist()
        end = at + HEADER + size * number
        if end > len(data) or (kind == POLARITY_EVENT and ((size, offset) != (8, 4) or overflow >> 31)):
            raise ValueError(f"{name} has a packet at byte {at} that is not whole or of another form. Unpack it again.")
        if kind == POLARITY_EVENT:
            words = np.frombuffer(data, "<u4", 2 * number, at + HEADER).astype(np.int64).reshape(-1, 2)
            kept.append(np.column_stack([words, words[:, 1] + (overflow << 31)])[(words[:, 0] & 1) == 1])
        at = end
    words = np.concatenate(kept) if kept else np.zeros((0, 3), np.int64)
    address = words[:, 0]
    return _events(words[:, 2], address >> 17 & 0x7FFF, address >> 2 & 0x7FFF, address >> 1 & 1, name)


def decode_aedat2(data: bytes, name: str = "the recording") -> Events:
    """Events of an AEDAT 2.0 file of a DVS128: pairs of big-endian words, address and µs. Raises ValueError if broken.

    The camera's columns run from right to left, and its bit 0 is "darker": both are turned round.
    """
    at = _after_header(data, b"#!AER-DAT2", None, name)
    chip = re.search(rb"AEChip: *(\S+)", data[:at])
    if chip is not None and not chip[1].endswith(b"DVS128"):
        raise ValueError(
            f"{name} was recorded by {chip[1].decode(errors='replace')}, whose addresses mean something else; expected "
            "a DVS128. Read it with the chip's own software and give its events to bin_events"
        )
    if (len(data) - at) % 8:
        raise ValueError(f"{name} has {len(data) - at} bytes of events, expected a multiple of 8. Unpack it again.")
    address, time = np.frombuffer(data, ">u4", offset=at).astype(np.int64).reshape(-1, 2).T
    return _events(time, SIZE - 1 - (address >> 1 & 0x7F), address >> 8 & 0x7F, 1 - (address & 1), name)


def _after_header(data: bytes, begin: bytes, end: bytes | None, name: str) -> int:
    """Where the events begin: behind the lines that start with #, or behind `end`."""
    if not data.startswith(begin):
        raise ValueError(f"{name} begins with {data[:12]!r}, expected {begin.decode()}")
    if end is not None:
        found = data.find(end)
        if found < 0:
            raise ValueError(f"{name} has no end of its header. Unpack it again.")
        return found + len(end)
    at = 0
    while data[at : at + 1] == b"#":
        line = data.find(b"\n", at)
        if line < 0:
            raise ValueError(f"{name} has no end of its header. Unpack it again.")
        at = line + 1
    return at


def _events(
    t: Int64[np.ndarray, " n"], x: Int64[np.ndarray, " n"], y: Int64[np.ndarray, " n"], p: Int64[np.ndarray, " n"],
    name: str,
) -> Events:  # fmt: skip
    if t.size and max(x.max(), y.max()) >= SIZE:
        raise ValueError(
            f"{name} has an event at x={x.max()}, y={y.max()}, expected 0 to {SIZE - 1}: is it of a DVS128?"
        )
    return Events(t, x.astype(np.uint8), y.astype(np.uint8), p.astype(np.uint8))


def _between(events: Events, start: int, end: int | None) -> Events:
    """The events from `start` to before `end`, counted from `start`."""
    kept = (events.t >= start) & (events.t < (np.inf if end is None else end))
    return Events(events.t[kept] - start, *(column[kept] for column in events[1:]))


def _frames(events: Events, bins: int, duration_us: int, path: Path) -> Bool[np.ndarray, "bins 2 128 128"]:
    if bins < 1 or duration_us < bins:
        raise ValueError(f"{bins} bins do not fit into {duration_us} µs (reading {path.name})")
    return bin_events(events, bins, duration_us, SIZE)


def _split(
    frames, labels, test, bins: int, pool: int, classes: tuple[str, ...], lengths: Tensor | None = None
) -> Split[EventSet]:
    counts = unpack_counts(pack_frames(frames), bins, SIZE, pool)
    everything = EventSet(counts, torch.from_numpy(labels.astype(np.int64)), lengths)
    train, held_out = (everything.subset(torch.from_numpy(np.flatnonzero(rows))) for rows in (~test, test))
    return Split(train, held_out, classes)


def _found(place: Path, pattern: str, example: str, name: str) -> list[Path]:
    paths = sorted(path for path in place.rglob(pattern) if visible(path, place))
    if not paths:
        raise FileNotFoundError(
            f"{place} holds no file such as {example}. Download {name} in a browser and unpack it there."
        )
    return paths


def _table(path: Path) -> Iterator[tuple[int, int, int]]:
    """Label (from 1), start and end in µs of each gesture of one recording."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: each recording needs its table of gestures beside it")
    for number, line in enumerate(path.read_text().split()[1:], start=2):
        fields = line.split(",")
        if len(fields) != 3 or not all(field.isdigit() for field in fields) or not 1 <= int(fields[0]) <= len(GESTURES):
            raise ValueError(f"{path}, line {number} is {line!r}, expected class 1 to 11, start and end in µs")
        yield int(fields[0]), int(fields[1]), int(fields[2])
