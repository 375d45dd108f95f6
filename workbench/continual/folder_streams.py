"""Streams from pictures in folders: the paper's 5-Datasets and Split miniImageNet, which cannot be shipped.

Pictures may be of any kind that Pillow opens; they are turned into RGB and scaled to the size of the stream.
"""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from workbench.continual.streams import Task, image_task, split_classes
from workbench.data.delivery.storage import visible

FIVE = ("cifar10", "mnist", "svhn", "notmnist", "fashion_mnist")  # the order of GPM's and CODE-CL's experiments
KINDS = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


def five_datasets(folder: str | Path, side: int = 32) -> list[Task]:
    """5-Datasets: CIFAR-10, MNIST, SVHN, notMNIST and Fashion-MNIST, one after the other (Ebrahimi et al., ECCV 2020).

    `folder` holds `cifar10/`, `mnist/`, `svhn/`, `notmnist/` and `fashion_mnist/`, and each of these
    `train/CLASS/PICTURE` and `test/CLASS/PICTURE`. Raises ValueError that names what is missing.
    """
    return [picture_task(Path(folder) / name, side) for name in FIVE]


def picture_task(folder: Path, side: int) -> Task:
    """One task from `folder/train/CLASS/PICTURE` and `folder/test/CLASS/PICTURE`; both need the same classes."""
    train, test = class_folders(folder / "train"), class_folders(folder / "test")
    if train.keys() != test.keys():
        raise ValueError(f"{folder}: train has the classes {sorted(train)}, but test has {sorted(test)}")
    return image_task(folder.name, *read_pictures(train, side), *read_pictures(test, side))


def split_mini_imagenet(folder: str | Path, n_tasks: int = 20, side: int = 84, train_part: float = 5 / 6) -> list[Task]:
    """Split miniImageNet: 100 classes as 20 tasks of 5 (Vinyals et al., NIPS 2016), from `folder/CLASS/PICTURE`.

    The first `train_part` of each class, by file name, is for training: 500 of 600.
    """
    classes = class_folders(Path(folder))
    parts = {name: round(len(paths) * train_part) for name, paths in classes.items()}
    for name, n in parts.items():
        if not 0 < n < len(classes[name]):
            raise ValueError(f"{folder}/{name} has {len(classes[name])} pictures: too few to train on and to test with")
    train = {name: paths[: parts[name]] for name, paths in classes.items()}
    test = {name: paths[parts[name] :] for name, paths in classes.items()}
    base = image_task("miniImageNet", *read_pictures(train, side), *read_pictures(test, side))
    return split_classes(base, n_tasks)


def class_folders(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each class, `folder/CLASS/PICTURE`, both in the order of their names."""
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; put the pictures of each class into {folder}/CLASS/")
    classes = {
        place.name: sorted(p for p in place.iterdir() if p.suffix.lower() in KINDS and visible(p, place))
        for place in _inside(folder)
    }
    empty = [name for name, paths in classes.items() if not paths]
    if not classes or empty:
        raise ValueError(
            f"{folder} should hold one folder per class with pictures ({', '.join(sorted(KINDS))}); "
            + (f"none are in {', '.join(empty)}" if classes else "it holds no folders")
        )
    return classes


def read_pictures(
    classes: dict[str, list[Path]], side: int
) -> tuple[UInt8[np.ndarray, "n side side 3"], UInt8[np.ndarray, " n"]]:
    """All pictures in RGB at `side` × `side` pixels, and the number of each one's class in the order given."""
    pictures = [_picture(path, side) for paths in classes.values() for path in paths]
    labels = np.repeat(np.arange(len(classes), dtype=np.uint8), [len(paths) for paths in classes.values()])
    return np.stack(pictures), labels


def _picture(path: Path, side: int) -> UInt8[np.ndarray, "side side 3"]:
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))
    except OSError as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}") from error


def _inside(folder: Path) -> list[Path]:
    return sorted(place for place in folder.iterdir() if place.is_dir() and not place.name.startswith("."))
