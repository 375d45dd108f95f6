"""Streams from folders: the papers' Split CIFAR-100, 5-Datasets and Split miniImageNet, which cannot be shipped.

Pictures may be of any kind that Pillow opens; they are turned into RGB and scaled to the size of the stream.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8
from PIL import Image

from workbench.continual.streams import Task, image_task, split_cifar100, split_classes
from workbench.data.delivery.sources import CIFAR100
from workbench.data.delivery.storage import data_folder, visible
from workbench.data.sets.cifar import cifar100, cifar_cut
from workbench.data.sets.image_folder import open_picture

FIVE = ("cifar10", "mnist", "svhn", "notmnist", "fashion_mnist")  # the order of GPM's and CODE-CL's experiments
KINDS = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


def split_cifar100_from(folder: str | Path | None = None, n_tasks: int = 10) -> list[Task]:
    """Split CIFAR-100: 100 classes as tasks of ten, from the published archive, or from a cut of it where there is one.

    folder: `cifar100/` in the data folder by default. A file `*.npz` in it is read by `data.cifar_cut`; without any the
    archive is taken as `data.cifar100` does, which downloads 169 MB where it is missing. Raises ValueError for several.
    """
    place = Path(folder) if folder else data_folder() / CIFAR100.folder
    cuts = [path for path in sorted(place.glob("*.npz")) if visible(path, place)]
    if len(cuts) > 1:
        raise ValueError(f"{place} holds several cuts ({', '.join(cut.name for cut in cuts)}); leave one of them there")
    split = cifar_cut(cuts[0]) if cuts else cifar100(place)
    train, test = ((part.images.transpose(0, 2, 3, 1), part.labels) for part in (split.train, split.test))
    return split_cifar100(*train, *test, n_tasks)


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
) -> tuple[UInt8[np.ndarray, "n side side 3"], Int64[np.ndarray, " n"]]:
    """All pictures in RGB at `side` × `side` pixels, and the number of each one's class in the order given."""
    pictures = [_picture(path, side) for paths in classes.values() for path in paths]
    labels = np.repeat(np.arange(len(classes)), [len(paths) for paths in classes.values()])
    return np.stack(pictures), labels


def _picture(path: Path, side: int) -> UInt8[np.ndarray, "side side 3"]:
    return np.asarray(open_picture(path).resize((side, side), Image.Resampling.BILINEAR))


def _inside(folder: Path) -> list[Path]:
    return sorted(place for place in folder.iterdir() if place.is_dir() and not place.name.startswith("."))
