"""The IDX format in which MNIST and its followers are published."""

import gzip
import math
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from workbench.data.delivery.fetch import RemoteFile, fetch
from workbench.data.delivery.sources import Source
from workbench.data.delivery.storage import data_folder, whole_file
from workbench.data.images import ImageSet
from workbench.data.labels import check_classes
from workbench.data.split import Split

LARGEST = 2**27  # bytes of an unpacked file; the largest of the published ones has 47 MB


def decode_idx(data: bytes, name: str, dimensions: int) -> UInt8[np.ndarray, "..."]:
    """The array of bytes in an uncompressed IDX file: two zeros, type 8, number of dimensions, sizes, values.

    Raises ValueError, with `name`, if the header is another one or the length does not fit it.

    >>> decode_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), "labels", 1).tolist()
    [7, 9]
    """
    expected = bytes([0, 0, 8, dimensions])
    if data[:4] != expected:
        raise ValueError(f"{name} starts with {data[:4].hex()}, expected {expected.hex()} (IDX, unsigned bytes)")
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise ValueError(f"{name} ends after {len(data)} bytes, within its header of {start} bytes")
    shape = tuple(int(size) for size in np.frombuffer(data, ">u4", dimensions, 4))
    values = np.frombuffer(data, np.uint8, -1, start)
    if values.size != math.prod(shape):  # exact, whatever the header says
        raise ValueError(f"{name} promises {shape} values in its header but holds {values.size}")
    return values.reshape(shape)


def idx_split(
    source: Source, classes: tuple[str, ...], folder: str | Path | None = None, progress: bool = False
) -> Split[ImageSet]:
    """Read the four IDX files of `source`: from `folder`, from the system, or else downloaded into `folder`."""
    place = Path(folder) if folder else data_folder() / source.folder
    images, labels, test_images, test_labels = (_read(file, place, source.system, progress) for file in source.files)
    train = _image_set(images, labels, classes, source.name)
    test = _image_set(test_images, test_labels, classes, source.name)
    return Split(train, test, classes)


def _read(file: RemoteFile, place: Path, system: tuple[Path, ...], progress: bool) -> UInt8[np.ndarray, "..."]:
    path = fetch(file, place, *system, progress=progress)
    data = whole_file(path)
    if path.suffix == ".gz":
        with gzip.open(path) as stream:
            data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError(f"{path} unpacks to more than {LARGEST} bytes: it is not what was published. Delete it.")
    return decode_idx(data, str(path), 3 if "idx3" in file.name else 1)


def _image_set(
    images: UInt8[np.ndarray, "image height width"],
    labels: UInt8[np.ndarray, " label"],
    classes: tuple[str, ...],
    name: str,
) -> ImageSet:
    if len(images) != len(labels):
        raise ValueError(f"{name} has {len(images)} images but {len(labels)} labels: are the files of one set?")
    return ImageSet(images, check_classes(labels, len(classes), name))
