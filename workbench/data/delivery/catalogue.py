"""What data there is, whether it is here, and how to get it: what `workbench data list|fetch|verify` prints."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from workbench.data.delivery.fetch import RemoteFile, check, find
from workbench.data.delivery.fetch import fetch as fetch_file
from workbench.data.delivery.sources import ALL, EMBEDDED, FASHION_MNIST_SMALL, Embedded, Source
from workbench.data.delivery.storage import data_folder, embedded_file
from workbench.names import unknown

SMALL = FASHION_MNIST_SMALL.name  # the data set that is always there


class DataSet(NamedTuple):
    """One line of the list.

    `size` is that of its files in bytes, as they are published; `status` is "embedded", "present",
    "partly present", "not fetched", or "damaged" (embedded files only); `folder` is where its files lie or go.
    """

    name: str
    description: str
    licence: str
    size: int
    status: str
    folder: Path | None


class FileCheck(NamedTuple):
    """What `verify` found of one file: `path` if its checksum fits, else `problem`."""

    name: str
    path: Path | None
    problem: str


def catalogue(folder: str | Path | None = None) -> tuple[DataSet, ...]:
    """All data sets, with their state in `folder` (by default the data folder). No checksum is computed."""
    return (*map(_shipped, EMBEDDED), *(_listed(source, data_folder(folder)) for source in ALL))


def fetch(name: str, folder: str | Path | None = None, progress: bool = False) -> tuple[Path, ...]:
    """Download what is missing of the data set `name`, check all of it, and return the paths of its files.

    Raises ValueError for an unknown name or a wrong checksum, and OSError if a file cannot be had or written.
    """
    embedded = _embedded(name)
    if embedded:
        return (embedded_file(embedded.file, embedded.sha256),)
    source = _named(name)
    place = data_folder(folder) / source.folder
    return tuple(fetch_file(file, place, *source.system, progress=progress) for file in source.files)


def verify(name: str, folder: str | Path | None = None) -> tuple[FileCheck, ...]:
    """Compare the checksum of each file of the data set `name`. A missing or wrong file is no error here.

    Raises ValueError for an unknown name.
    """
    embedded = _embedded(name)
    if embedded:
        return (_checked(embedded.file, partial(embedded_file, embedded.file, embedded.sha256)),)
    source = _named(name)
    places = (data_folder(folder) / source.folder, *source.system)
    return tuple(_checked(file.name, partial(_present, file, places)) for file in source.files)


def _checked(name: str, look: Callable[[], Path]) -> FileCheck:
    try:
        return FileCheck(name, look(), "")
    except (OSError, ValueError) as error:
        return FileCheck(name, None, str(error))


def _present(file: RemoteFile, places: tuple[Path, ...]) -> Path:
    path = find(file, *places)
    if path is None:
        raise FileNotFoundError(f"{file.name} is not in {places[0]}")
    check(file, path)
    return path


def _embedded(name: str) -> Embedded | None:
    return next((each for each in EMBEDDED if each.name == name), None)


def _shipped(each: Embedded) -> DataSet:
    found = _checked(each.file, partial(embedded_file, each.file, each.sha256))
    status, size = ("embedded", found.path.stat().st_size) if found.path else ("damaged", 0)
    return DataSet(each.name, each.description, each.licence, size, status, found.path and found.path.parent)


def _listed(source: Source, folder: Path) -> DataSet:
    place = folder / source.folder
    here = [find(file, place, *source.system) is not None for file in source.files]
    status = "present" if all(here) else "partly present" if any(here) else "not fetched"
    size = sum(file.size for file in source.files)
    return DataSet(source.name, source.description, source.licence, size, status, place)


def _named(name: str) -> Source:
    for source in ALL:
        if source.name == name:
            return source
    raise unknown("there is no data set", name, (each.name for each in (*EMBEDDED, *ALL)))
