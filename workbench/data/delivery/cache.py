"""Arrays that are slow to make, kept in a file: made again if the file is damaged, never half written."""

import hashlib
import warnings
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from workbench.data.delivery.storage import VARIABLE, locked, reason, written_whole


def fingerprint(*parts: object) -> str:
    """Sixteen hexadecimal digits that change with any part: settings by their text, arrays by their bytes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def cached(
    path: Path, make: Callable[[], UInt8[np.ndarray, "recording bytes"]]
) -> UInt8[np.ndarray, "recording bytes"]:
    """The array kept in `path`, or else `make()`, kept there for the next time.

    The name of `path` must carry all that `make` depends on (see `fingerprint`). Two processes may ask at once:
    one makes the array, the other waits. If nothing can be written, the array is made all the same, with a warning.
    """
    array = _read(path)
    if array is not None:
        return array
    with ExitStack() as held:
        try:
            held.enter_context(locked(path))
        except OSError as error:
            warnings.warn(_not_kept(path, error), stacklevel=2)
            return make()
        array = _read(path)
        if array is None:
            array = make()
            _keep(path, array)
    return array


def _read(path: Path) -> UInt8[np.ndarray, "recording bytes"] | None:
    """The array, or None if there is no whole file; the zip inside `.npz` carries a checksum."""
    try:
        with path.open("rb") as stream:
            with zipfile.ZipFile(stream) as packed:  # nothing in it is compressed
                if any(each.file_size > path.stat().st_size for each in packed.infolist()):
                    return None  # it would unpack to more than was ever kept
            with np.load(stream, allow_pickle=False) as file:
                array = file["packed"]
    except Exception:  # damaged bytes lead readers of zip files and of arrays into errors of many kinds
        return None
    return array if array.dtype == np.uint8 and array.ndim == 2 else None


def _keep(path: Path, array: UInt8[np.ndarray, "recording bytes"]) -> None:
    try:
        with written_whole(path) as part, part.open("wb") as stream:
            np.savez(stream, packed=array)
    except OSError as error:
        warnings.warn(_not_kept(path, error), stacklevel=3)


def _not_kept(path: Path, error: OSError) -> str:
    return (
        f"{path.name} could not be kept in {path.parent}: {reason(error)}. It is made again each time. "
        f"Set {VARIABLE} to a folder that can be written."
    )
