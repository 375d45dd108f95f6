"""Photographs in folders, one folder per class: Imagenette, Tiny ImageNet, Visual Wake Words, or a set of one's own.

    folder/train/<class>/**/*.jpg      and     folder/val/<class>/**/*.jpg          (or `test` in place of `val`)

Tiny ImageNet keeps its validation images in one folder, with a table `val/val_annotations.txt`; that is read too. For
Visual Wake Words make two classes, for instance `person` and `nobody`. Images are decoded when a batch asks for them.
"""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, UInt8
from PIL import Image

from workbench.checks import COUNT
from workbench.data.delivery.storage import visible
from workbench.data.split import Split

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
HELD_OUT = ("val", "test")
MOST_PIXELS = 2**26  # of one picture: what unpacks to more is a mistake or an attack


class ImageFiles(NamedTuple):
    """Paths of images, the number of each one's class, and the side in pixels they are brought to."""

    paths: tuple[Path, ...]
    labels: Int64[np.ndarray, " image"]
    size: int

    def read(self, rows: Sequence[int] | Int64[np.ndarray, " row"]) -> UInt8[np.ndarray, "row 3 size size"]:
        """Decode these images: red, green and blue, the shorter side scaled to `size`, the middle cut out."""
        return np.stack([read_image(self.paths[row], self.size) for row in rows])


def image_folder(folder: str | Path, size: int) -> Split[ImageFiles]:
    """Find the images of `folder` (128 pixels for Imagenette and Visual Wake Words, 64 for Tiny ImageNet).

    Raises FileNotFoundError when a part is missing, ValueError when a class of the one is not in the other.
    """
    folder = Path(folder).expanduser()
    if not (folder / "train").is_dir():
        raise FileNotFoundError(
            f"{folder / 'train'} is missing; expected {folder}/train/<class>/ and {folder}/val/<class>/"
        )
    held_out = next((folder / name for name in HELD_OUT if (folder / name).is_dir()), None)
    if held_out is None:
        raise FileNotFoundError(f"{folder} has a folder train but neither {' nor '.join(HELD_OUT)}")
    train = _by_folder(folder / "train")
    classes = tuple(sorted({name for _, name in train}))
    table = held_out / "val_annotations.txt"
    test = _by_table(table) if table.is_file() else _by_folder(held_out)
    return Split(_files(train, classes, size), _files(test, classes, size), classes)


def read_image(path: str | Path, size: int) -> UInt8[np.ndarray, "3 size size"]:
    """One image as `ImageFiles.read` gives it. Raises ValueError, with the path, when it cannot be decoded."""
    if not COUNT.holds(size):
        raise ValueError(f"size, the side of the images in pixels, must be at least 1, got {size!r}")
    picture = open_picture(path)
    scale = size / min(picture.size)
    width, height = (max(size, round(scale * side)) for side in picture.size)
    if width * height > MOST_PIXELS:
        raise ValueError(f"{path} is a strip of {picture.width} × {picture.height} pixels; cut it, or leave it out")
    left, top = (width - size) // 2, (height - size) // 2
    picture = picture.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + size, top + size))
    return np.asarray(picture).transpose(2, 0, 1).copy()


def open_picture(source: str | Path | io.BytesIO, name: str = "") -> Image.Image:
    """Any picture in red, green and blue. Raises ValueError, with the name (of a file: its path), when it cannot be
    decoded or has more than `MOST_PIXELS`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise ValueError(f"{picture.width} × {picture.height} pixels, expected at most {MOST_PIXELS}")
                return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"{name or source} cannot be read as an image: {error}") from None


def _by_folder(folder: Path) -> list[tuple[Path, str]]:
    """Images below each class's folder, with the class's name."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and visible(path, folder))
    paths = [(path, c) for c in classes for path in sorted(c.rglob("*")) if path.suffix.lower() in ENDINGS]
    found = [(path, c.name) for path, c in paths if visible(path, c)]
    if not found:
        raise FileNotFoundError(
            f"{folder} holds no images in folders, one per class; known endings: {', '.join(ENDINGS)}"
        )
    return found


def _by_table(table: Path) -> list[tuple[Path, str]]:
    """Images beside a table whose lines begin with file name and class."""
    lines = [line.split("\t") for line in table.read_text().splitlines() if line.strip()]
    short = next((number for number, line in enumerate(lines, start=1) if len(line) < 2), None)
    if short is not None:
        raise ValueError(
            f"{table}, line {short} is {lines[short - 1]}, expected file name and class with a tab between"
        )
    return [(table.parent / "images" / line[0], line[1]) for line in lines]


def _files(found: list[tuple[Path, str]], classes: tuple[str, ...], size: int) -> ImageFiles:
    number = {name: label for label, name in enumerate(classes)}
    unknown = sorted({name for _, name in found} - set(classes))
    if unknown:
        raise ValueError(f"classes {', '.join(unknown[:5])} are held out but not in train ({len(classes)} classes)")
    labels = np.array([number[name] for _, name in found], np.int64)
    return ImageFiles(tuple(path for path, _ in found), labels, size)
