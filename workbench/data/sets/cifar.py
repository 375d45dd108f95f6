"""CIFAR-10 and CIFAR-100: 50,000 + 10,000 colour photographs of 32 × 32 pixels (Krizhevsky 2009; no licence stated).

The "python" archives hold pickles, a format that can run code. They are read by an unpickler that knows no class and
no function at all: the one array in each file is rebuilt from its bytes by a stand-in of our own.
"""

import io
import itertools
import pickle
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int64, Shaped, UInt8

from workbench.data.delivery.fetch import fetch
from workbench.data.delivery.sources import CIFAR10, CIFAR100, Source
from workbench.data.delivery.storage import data_folder, whole_file
from workbench.data.labels import check_classes
from workbench.data.sets.image_folder import open_picture
from workbench.data.split import Split

# What numpy raises for a file that is none of its own.
BROKEN = (
    KeyError,
    OSError,
    ValueError,
    TypeError,
    EOFError,
    MemoryError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
LARGEST = 2**28  # bytes of a file; the largest of the published ones has 154 MB


class ColourSet(NamedTuple):
    """Colour images (red, green, blue; 255 is full) and the number of each one's class."""

    images: UInt8[np.ndarray, "image 3 height width"]
    labels: Int64[np.ndarray, " image"]


class _Layout(NamedTuple):
    """Where things stand in an archive."""

    folder: str
    train: tuple[str, ...]
    test: str
    names: str
    label_key: bytes
    names_key: bytes


_CIFAR10 = _Layout(
    "cifar-10-batches-py",
    tuple(f"data_batch_{i}" for i in range(1, 6)),
    "test_batch",
    "batches.meta",
    b"labels",
    b"label_names",
)
_CIFAR100 = _Layout("cifar-100-python", ("train",), "test", "meta", b"fine_labels", b"fine_label_names")


def cifar10(folder: str | Path | None = None, progress: bool = False) -> Split[ColourSet]:
    """The whole of CIFAR-10: from `folder`, which holds the archive or what was in it, or downloaded into it.

    `folder` is `cifar10/` in the data folder by default; the download is 170 MB. Raises ValueError for a wrong file and
    OSError if one is missing and cannot be downloaded.
    """
    return _split(CIFAR10, _CIFAR10, folder, progress)


def cifar100(folder: str | Path | None = None, progress: bool = False) -> Split[ColourSet]:
    """The whole of CIFAR-100 with its 100 fine classes; as `cifar10`, 169 MB, `cifar100/` in the data folder."""
    return _split(CIFAR100, _CIFAR100, folder, progress)


def cifar_cut(path: str | Path) -> Split[ColourSet]:
    """A part of CIFAR in one `.npz` file, the images as PNG files one after another.

    It holds for `train` and for `test` the bytes `train_bytes`, where each image begins and the last one ends
    `train_offsets` `(n + 1,)`, and the class numbers `train_labels` `(n,)`; and the names `classes`. Raises
    FileNotFoundError without the file, ValueError where it is of another form.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}; a cut of CIFAR is a .npz file of PNG images")
    try:
        with open(path, "rb") as source, np.load(source, allow_pickle=False) as file:
            names = tuple(map(str, file["classes"].tolist()))
            arrays = [[file[f"{part}_{kind}"] for kind in _KINDS] for part in ("train", "test")]
    except BROKEN as error:
        raise ValueError(f"{path} is no cut of CIFAR: {error}") from None
    train, test = (_from_png(path, len(names), *part) for part in arrays)
    return Split(train, test, names)


_KINDS = ("bytes", "offsets", "labels")


def _from_png(
    path: str | Path,
    classes: int,
    packed: Shaped[np.ndarray, "..."],
    offsets: Shaped[np.ndarray, "..."],
    labels: Shaped[np.ndarray, "..."],
) -> ColourSet:
    labels = check_classes(labels, classes, str(path))
    if packed.dtype != np.uint8 or packed.ndim != 1 or offsets.dtype.kind not in "iu" or offsets.ndim != 1:
        raise ValueError(
            f"{path} is no cut of CIFAR: it has bytes of {packed.dtype}, shape {packed.shape}, and offsets of "
            f"{offsets.dtype}, shape {offsets.shape}, expected rows of bytes and of whole numbers"
        )
    if len(offsets) != len(labels) + 1:
        raise ValueError(f"{path} has {len(labels)} labels and {len(offsets)} offsets, expected one offset more")
    images = np.empty((len(labels), 32, 32, 3), np.uint8)
    for image, (first, end) in zip(images, itertools.pairwise(offsets), strict=True):
        picture = open_picture(io.BytesIO(packed[first:end].tobytes()), f"{path} is no cut of CIFAR: an image of it")
        if picture.size != (32, 32):
            raise ValueError(f"{path} holds an image of {picture.size}, expected (32, 32)")
        image[:] = np.asarray(picture)
    return ColourSet(images.transpose(0, 3, 1, 2), labels)


def read_cifar_pickle(data: bytes, name: str) -> dict[bytes, Any]:
    """One file of a CIFAR archive: a dict of bytes, lists, and an array of bytes. Anything else raises ValueError."""
    try:
        content = _PlainUnpickler(io.BytesIO(data), encoding="bytes").load()
    except (pickle.UnpicklingError, EOFError, TypeError, AttributeError, IndexError, KeyError, ValueError) as error:
        raise ValueError(f"{name} is not a file of CIFAR: {error}") from None
    except (OverflowError, MemoryError, RecursionError, UnicodeError) as error:
        raise ValueError(f"{name} is not a file of CIFAR: {type(error).__name__}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{name} holds a {type(content).__name__}, expected a dict as in CIFAR's files")
    try:
        return {key: value.array() if isinstance(value, _Array) else value for key, value in content.items()}
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} is damaged: {error}. Delete it and fetch it again.") from None


class _Type:
    """Stands for numpy's dtype; only bytes (u1) are known."""

    def __init__(self, code: object, *_: object):
        if code not in (b"u1", "u1"):
            raise ValueError(f"it holds an array of type {code!r}, expected u1")

    def __setstate__(self, state: object) -> None:
        """The byte order, which single bytes do not have."""


class _Array:
    """Stands for numpy's array until all of it is read: shape and raw bytes."""

    def __init__(self, *_: object):
        self.shape: tuple[int, ...] = ()
        self.raw = b""

    def __setstate__(self, state: tuple[int, tuple[int, ...], _Type, bool, bytes]) -> None:
        _version, self.shape, kind, fortran, self.raw = state
        if not isinstance(kind, _Type) or not isinstance(self.raw, bytes) or fortran:
            raise ValueError("it holds an array that is not made of bytes in rows")

    def array(self) -> UInt8[np.ndarray, "..."]:
        """The array, if its bytes fit its shape."""
        return np.frombuffer(self.raw, np.uint8).reshape(self.shape)


def _latin_bytes(text: str, encoding: str) -> bytes:
    """What newer Pythons write for bytes in old pickles."""
    return text.encode("latin1")


_STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): object,  # an argument of _reconstruct that _Array does not look at
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _latin_bytes,
}


class _PlainUnpickler(pickle.Unpickler):
    """Refuses every class and function; the five names of an array of bytes get our stand-ins."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return _STAND_INS[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}, which is refused") from None


def _split(source: Source, layout: _Layout, folder: str | Path | None, progress: bool) -> Split[ColourSet]:
    place = Path(folder) if folder else data_folder() / source.folder
    content = _contents(source, layout, place, progress)
    names = tuple(name.decode() for name in content[layout.names][layout.names_key])
    train = [_colour_set(content[name], layout, name, len(names)) for name in layout.train]
    together = ColourSet(*(np.concatenate(part) for part in zip(*train, strict=True)))
    return Split(together, _colour_set(content[layout.test], layout, layout.test, len(names)), names)


def _contents(source: Source, layout: _Layout, place: Path, progress: bool) -> dict[str, dict[bytes, Any]]:
    """All files by name: unpacked in `place` or in its folder of the archive's name, else from the archive."""
    names = (*layout.train, layout.test, layout.names)
    for unpacked in (place / layout.folder, place):
        if all((unpacked / name).is_file() for name in names):
            return {name: read_cifar_pickle(whole_file(unpacked / name), str(unpacked / name)) for name in names}
    path, found = fetch(source.files[0]._replace(unpacked=None), place, progress=progress), {}
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            name = member.name.removeprefix(f"{layout.folder}/")
            stream = archive.extractfile(member) if name in names and member.isfile() else None
            if stream is not None and member.size > LARGEST:
                raise ValueError(f"{name} in {path} has {member.size} bytes, expected at most {LARGEST}. Delete it.")
            if stream is not None:
                found[name] = read_cifar_pickle(stream.read(), f"{name} in {path}")
    return found


def _colour_set(content: dict[bytes, Any], layout: _Layout, name: str, classes: int) -> ColourSet:
    if b"data" not in content or layout.label_key not in content:
        raise ValueError(f"{name} holds {sorted(map(str, content))}, expected data and {layout.label_key.decode()}")
    images, labels = np.asarray(content[b"data"]), np.array(content[layout.label_key], np.int64)
    if images.ndim != 2 or images.shape[1] != 3072 or len(images) != len(labels):
        raise ValueError(
            f"{name} holds images of shape {images.shape} and {len(labels)} labels, expected (n, 3072) and n"
        )
    return ColourSet(images.reshape(-1, 3, 32, 32), check_classes(labels, classes, name))
