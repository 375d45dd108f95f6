"""N-MNIST: the digits of MNIST recorded by a real event camera that made three saccades before a screen.

Orchard, Jayawant, Cohen and Thakor, "Converting static image datasets to spiking neuromorphic datasets using
saccades", Frontiers in Neuroscience 9:437 (2015), doi:10.3389/fnins.2015.00437. CC BY-SA 4.0.

In these recordings p = 1 marks the edge that the simulated camera of `data/senses/camera.py` calls darker (p = 0).
"""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64, UInt8

from workbench.data.delivery.cache import cached, fingerprint
from workbench.data.delivery.fetch import RemoteFile, fetch
from workbench.data.delivery.sources import NMNIST
from workbench.data.delivery.storage import data_folder
from workbench.data.event_sets import EventSet, balanced_rows, pack_frames, unpack_counts
from workbench.data.events import Events, bin_events
from workbench.data.split import Split

SIZE = 34
DURATION_US = 315_000  # three saccades of 105 ms
CLASSES = tuple("0123456789")
OVERFLOW_ROW = 240  # no pixel: the camera's clock passed 2¹³ µs, as the authors' reader has it
OVERFLOW_US = 2**13
LARGEST = 2**22  # bytes of a recording; the published ones have at most some ten thousand


class Part(NamedTuple):
    """The recordings of one half of the set: names, size and checksum or time of each, classes, a reader."""

    names: tuple[str, ...]
    stamps: tuple[tuple[int, int], ...]
    labels: Int64[np.ndarray, " recording"]
    read: Callable[[str], bytes]


def nmnist(
    train_per_class: int | None = None,
    test_per_class: int | None = None,
    seed: int = 0,
    bins: int = 20,
    pool: int = 1,
    folder: str | Path | None = None,
    progress: bool = False,
) -> Split[EventSet]:
    """N-MNIST as binned frames of 34×34 pixels: all recordings, or equally many of each class drawn by `seed`.

    `folder` (by default `nmnist/` in the data folder) holds the published `Train.zip` and `Test.zip`, or the
    folders `Train` and `Test` unpacked from them; what is missing is downloaded (1.2 GB). All 60,000 + 10,000
    recordings take `bins` × 2312 / `pool`² bytes each. Raises ValueError for a wrong file and OSError if one is
    missing and cannot be downloaded.
    """
    place = Path(folder) if folder else data_folder() / NMNIST.folder

    def half(file: RemoteFile, per_class: int | None) -> EventSet:
        with _opened(file, place, progress) as part:
            everything = np.arange(len(part.labels))
            rows = everything if per_class is None else balanced_rows(part.labels, per_class, seed)
            return _event_set(part, rows, bins, pool, place)

    train, test = NMNIST.files
    return Split(half(train, train_per_class), half(test, test_per_class), CLASSES)


def decode_nmnist(data: bytes, name: str = "the recording") -> Events:
    """The events of a `.bin` file: 40 bits each, x (8), y (8), p (1) and t in µs (23), highest bits first.

    Raises ValueError, with `name` and the byte, if the length is no multiple of five or an address is no pixel.

    >>> decode_nmnist(bytes([3, 2, 0b1000_0000, 1, 0])).t.tolist()
    [256]
    """
    if len(data) % 5:
        raise ValueError(
            f"{name} has {len(data)} bytes, expected a multiple of 5: it breaks off in the event at byte "
            f"{len(data) // 5 * 5}. Delete it and fetch it again."
        )
    x, y, high, middle, low = np.frombuffer(data, np.uint8).reshape(-1, 5).T
    t = (high & 127).astype(np.int64) << 16 | middle.astype(np.int64) << 8 | low
    overflow = y == OVERFLOW_ROW
    wrong = np.flatnonzero((np.maximum(x, y) >= SIZE) & ~overflow)
    if wrong.size:
        first = wrong[0]
        raise ValueError(
            f"{name} has an event at pixel x={x[first]}, y={y[first]} at byte {5 * first}, expected 0 to {SIZE - 1}: "
            "it is damaged or no N-MNIST recording."
        )
    t += OVERFLOW_US * np.cumsum(overflow)
    kept = ~overflow
    return Events(t[kept], x[kept], y[kept], high[kept] >> 7)


def read_nmnist(path: str | Path) -> Events:
    """The events of one `.bin` file (see `decode_nmnist`); a file without any is refused as broken."""
    return _decoded(Path(path).read_bytes(), str(path))


def _decoded(data: bytes, name: str) -> Events:
    if not data:
        raise ValueError(f"{name} is empty, expected events of 5 bytes each. Delete it and fetch it again.")
    return decode_nmnist(data, name)


def _event_set(part: Part, rows: Int64[np.ndarray, " row"], bins: int, pool: int, place: Path) -> EventSet:
    def read() -> UInt8[np.ndarray, "recording bytes"]:
        packed = np.empty((len(rows), ceil(bins * 2 * SIZE * SIZE / 8)), np.uint8)
        for recording, row in zip(packed, rows, strict=True):
            name = part.names[row]
            frames = bin_events(_decoded(part.read(name), name), bins, DURATION_US, SIZE)
            recording[:] = pack_frames(frames[None])[0]
        return packed

    key = fingerprint(part.names, part.stamps, rows, bins)
    packed = cached(place / f"frames_{key}.npz", read)
    return EventSet(unpack_counts(packed, bins, SIZE, pool), torch.from_numpy(part.labels[rows]))


@contextmanager
def _opened(file: RemoteFile, place: Path, progress: bool) -> Iterator[Part]:
    """The recordings in an unpacked folder, or in the zip file, which is read where it is."""
    path = fetch(file, place, progress=progress)
    if path.is_dir():
        found = {each.relative_to(path).as_posix(): each.stat() for each in path.rglob("*.bin")}
        stamps = {name: (stat.st_size, stat.st_mtime_ns) for name, stat in found.items()}
        yield _part(stamps, path, lambda name: (path / name).read_bytes())
    else:
        with zipfile.ZipFile(path) as archive:
            stamps = {each.filename: (each.file_size, each.CRC) for each in archive.infolist()}
            large = next((name for name, (size, _) in stamps.items() if size > LARGEST), None)
            if large is not None:
                raise ValueError(
                    f"{large} in {path} would unpack to {stamps[large][0]} bytes, expected at most {LARGEST}: it is no "
                    "recording of N-MNIST. Delete the archive and fetch it again."
                )
            yield _part(stamps, path, archive.read)


def _part(stamps: dict[str, tuple[int, int]], place: Path, read: Callable[[str], bytes]) -> Part:
    """The recordings among the names of `stamps`, in order; the folder that holds one is named by its digit."""
    paths = sorted(map(PurePosixPath, stamps))
    paths = [path for path in paths if path.suffix == ".bin" and not any(part.startswith(".") for part in path.parts)]
    wrong = next((path for path in paths if path.parent.name not in CLASSES), None)
    if wrong or not paths:
        found = f"the recording {wrong}" if wrong else "no recording"
        raise ValueError(f"{place} has {found}, expected files such as 7/00042.bin in folders named 0 to 9")
    names = tuple(map(str, paths))
    labels = np.array([int(path.parent.name) for path in paths], np.int64)
    return Part(names, tuple(stamps[name] for name in names), labels, read)
