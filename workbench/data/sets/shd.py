"""SHD, the Spiking Heidelberg Digits: spoken digits in English and German, as spikes of a model of the inner ear.

Cramer, Stradmann, Schemmel and Zenke, "The Heidelberg Spiking Data Sets for the Systematic Evaluation of Spiking
Neural Networks", IEEE TNNLS 33:2744 (2022), doi:10.1109/TNNLS.2020.3044364. CC BY 4.0. 8,156 + 2,264 recordings of
up to 1.37 s on 700 channels. An HDF5 file holds `spikes/times` (s), `spikes/units` (channel) and `labels`.
"""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.data.delivery.fetch import RemoteFile, fetch
from workbench.data.delivery.sources import SHD
from workbench.data.delivery.storage import data_folder, locked, written_whole
from workbench.data.event_sets import EventSet, balanced_rows, padded_lengths
from workbench.data.labels import check_classes
from workbench.data.spike_trains import SpikeTrain, bin_spikes
from workbench.data.split import Split

CHANNELS = 700
MOST_GROWTH = 100  # times the size of an archive that its file may have
_ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_GERMAN = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
CLASSES = _ENGLISH + _GERMAN


def shd(
    steps: int = 100,
    step_ms: float = 10.0,
    train_per_class: int | None = None,
    test_per_class: int | None = None,
    seed: int = 0,
    folder: str | Path | None = None,
    progress: bool = False,
) -> Split[EventSet]:
    """SHD as counts of spikes; the S-TLLR paper takes 100 steps of 10 ms. All recordings, or equally many per class.

    A recording ends with its last spike, as its length says; the paper lets the silence behind it count
    (`EventSet.without_lengths`).

    `folder` (by default `shd/` in the data folder) holds `shd_train.h5` and `shd_test.h5`, or the published `.zip`
    files; what is missing is downloaded (170 MB). All of it takes `steps` × 7.3 MB. Needs h5py (extra `sound`). Raises
    ValueError for a wrong file, OSError if one is missing and cannot be downloaded.
    """
    place = Path(folder) if folder else data_folder() / SHD.folder
    parts = zip(SHD.files, (train_per_class, test_per_class), strict=True)
    train, test = (
        read_spike_file(_unpacked(file, place, progress), steps, step_ms, per_class, seed) for file, per_class in parts
    )
    return Split(train, test, CLASSES)


def read_spike_file(
    path: str | Path, steps: int = 100, step_ms: float = 10.0, per_class: int | None = None, seed: int = 0
) -> EventSet:
    """One HDF5 file in the form of SHD. Raises ValueError, with its name, if it is damaged or of another form."""
    h5py = _h5py()
    try:
        with h5py.File(path, "r") as file:
            times, units = file["spikes/times"], file["spikes/units"]
            labels = check_classes(np.asarray(file["labels"]), len(CLASSES), str(path))
            if not len(labels):
                raise ValueError(f"{path} holds no recording, expected at least one label")
            rows = np.arange(len(labels)) if per_class is None else balanced_rows(labels, per_class, seed)
            if not len(times) == len(units) == len(labels):
                raise ValueError(
                    f"{path} holds {len(times)} times, {len(units)} units and {len(labels)} labels, expected as many"
                )
            trains = (SpikeTrain(1000.0 * times[row].astype(np.float64), units[row].astype(np.int64)) for row in rows)
            counts = bin_spikes(trains, steps, step_ms, CHANNELS, str(path))
            ends = np.array([1000.0 * times[row].max(initial=0.0) for row in rows])
    except FileNotFoundError:
        raise
    except (OSError, KeyError, RuntimeError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise ValueError(f"{path} is damaged or not in SHD's form: {error}. Delete it and fetch it again.") from None
    filled = torch.from_numpy((ends / step_ms).astype(np.int64) + 1)
    return EventSet(counts, torch.from_numpy(labels[rows]), padded_lengths(filled, steps))


def _unpacked(file: RemoteFile, place: Path, progress: bool) -> Path:
    """The `.h5` file: placed by hand, unpacked before, or taken out of the `.zip` file now."""
    path = place / file.name.removesuffix(".zip")
    if path.is_file():
        return path
    archive = fetch(file, place, progress=progress)
    with locked(path), zipfile.ZipFile(archive) as packed:
        member = next((name for name in packed.namelist() if name.endswith(path.name)), None)
        if member is None:
            raise ValueError(f"{archive} holds {packed.namelist()}, expected {path.name}")
        size = packed.getinfo(member).file_size
        if size > MOST_GROWTH * archive.stat().st_size:
            raise ValueError(
                f"{archive} unpacks to {size} bytes, which no recording does. Delete it and fetch it again."
            )
        with written_whole(path) as part, packed.open(member) as source, part.open("wb") as target:
            shutil.copyfileobj(source, target)
    return path


def _h5py() -> Any:
    try:
        import h5py
    except ModuleNotFoundError:
        raise ModuleNotFoundError("SHD is read with h5py: pip install 'local-learning-workbench[sound]'") from None
    return h5py
