"""Streams: the tasks that are learned one after the other, made from labelled images.

A stream is a sequence of `Task`s. Labels count from 0 within each task, for its own head; where all tasks share a head
(permuted pixels) they mean the same in each.
"""

from collections.abc import Sequence
from typing import NamedTuple, overload

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn

from workbench.checks import COUNT, as_bytes, as_tensor, check_finite, check_labels, check_number
from workbench.data.labels import check_classes
from workbench.data.sets.fashion_mnist import fashion_mnist_small


class Task(NamedTuple):
    """Training and test samples of one task; `classes` is the number of outputs it needs."""

    name: str
    train_x: Float[Tensor, "n *shape"]
    train_y: Int64[Tensor, " n"]
    test_x: Float[Tensor, "m *shape"]
    test_y: Int64[Tensor, " m"]
    classes: int


def check_task(task: Task, number: int, heads: nn.ModuleList | None = None) -> None:
    """Raise ValueError for a task that cannot be learned or tested: no samples, a class that no sample has, labels
    outside, numbers that are not finite, or no head in the network with as many outputs."""
    name = f"task {number} ('{task.name}')"
    check_number(task.classes, f"the number of classes of {name}", COUNT)
    for half, x, y in (("training", task.train_x, task.train_y), ("test", task.test_x, task.test_y)):
        if not len(y) or len(x) != len(y):
            raise ValueError(
                f"{name} has {len(x)} {half} samples and {len(y)} labels, expected as many and at least one"
            )
        check_finite(x, f"{half} x of {name}", ("sample",))
        missing = sorted({*range(task.classes)} - set(check_labels(y, task.classes).tolist()))
        if missing:
            raise ValueError(
                f"{name}: no {half} sample has class {', '.join(map(str, missing[:9]))} of its {task.classes} classes; "
                "number the classes from 0 without gaps"
            )
    if heads is not None and len(heads) > 1:
        outputs = getattr(heads[number], "out_features", task.classes) if number < len(heads) else 0
        if outputs < task.classes:
            raise ValueError(f"{name} has {task.classes} classes, the network's head for it has {outputs} outputs")


CHANNELS = (1, 3)  # of grey and of colour
MOST_CLASSES = 2**20


class Permuted(Sequence[Task]):
    """Tasks that differ in the order of pixels only; made when asked for, so that a stream needs no more memory."""

    def __init__(self, base: Task, orders: Sequence[Int64[Tensor, " _"]], first: int = 0, what: str = "pixels"):
        self.base, self.orders, self.first, self.what = base, orders, first, what

    def __len__(self) -> int:
        return len(self.orders)

    @overload
    def __getitem__(self, index: int) -> Task: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Task]: ...
    def __getitem__(self, index: int | slice) -> Task | Sequence[Task]:
        if isinstance(index, slice):
            chosen = range(len(self))[index]
            if chosen.step == 1:
                return Permuted(self.base, self.orders[index], self.first + chosen.start, self.what)
            return [self[i] for i in chosen]
        index = range(len(self))[index]
        order = self.orders[index]
        train, test = (x.flatten(1)[:, order].view_as(x) for x in (self.base.train_x, self.base.test_x))
        name = f"{self.base.name}, {self.what} in order {self.first + index}"
        return self.base._replace(name=name, train_x=train, test_x=test)


def permuted_pixels(base: Task, n_tasks: int = 10, seed: int = 0) -> Permuted:
    """The images of `base`, for each later task with all pixels in another random order, the same for all images.

    Source: Goodfellow et al., arXiv 1312.6211; "Permuted MNIST" when `base` is MNIST. All tasks share their classes.
    """
    if not COUNT.holds(n_tasks):
        raise ValueError(f"a stream has at least one task, got n_tasks={n_tasks!r}")
    return Permuted(base, _orders(base.train_x[0].numel(), int(n_tasks), seed))


def permuted_channels(base: Task, n_tasks: int = 5, seed: int = 0) -> Permuted:
    """The sequences `(n, time, channels)` of `base`, for each later task with the channels in another random order, the
    same at every step: as heard by other ears. All tasks share their classes."""
    if not COUNT.holds(n_tasks):
        raise ValueError(f"a stream has at least one task, got n_tasks={n_tasks!r}")
    if base.train_x.ndim != 3:
        raise ValueError(f"sequences are (n, time, channels), got samples of shape {tuple(base.train_x.shape[1:])}")
    steps, channels = base.train_x.shape[1:]
    starts = torch.arange(steps)[:, None] * channels
    return Permuted(base, [(starts + o).flatten() for o in _orders(channels, int(n_tasks), seed)], what="channels")


def _orders(count: int, n_tasks: int, seed: int) -> list[Int64[Tensor, " _"]]:
    """The order of each task; the first is as it comes."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.arange(count), *(torch.randperm(count, generator=generator) for _ in range(n_tasks - 1))]


def split_classes(base: Task, n_tasks: int, order: Sequence[int] | None = None) -> list[Task]:
    """The classes of `base` dealt out to tasks, equally many to each, in `order` (by number if None)."""
    order = range(base.classes) if order is None else order
    if not COUNT.holds(n_tasks) or base.classes % n_tasks or sorted(order) != list(range(base.classes)):
        raise ValueError(
            f"{base.classes} classes cannot be dealt out equally to {n_tasks} tasks in the order {list(order)}; "
            "n_tasks must divide their number and the order name each once"
        )
    size = base.classes // int(n_tasks)
    return [_of_classes(base, list(order[i : i + size])) for i in range(0, base.classes, size)]


def _of_classes(base: Task, classes: list[int]) -> Task:
    """The samples of some classes, with labels 0, 1, … in their order. ValueError for a class that nobody has."""
    for part, labels in (("training", base.train_y), ("test", base.test_y)):
        missing = sorted(set(classes) - set(labels.unique().tolist()))
        if missing:
            raise ValueError(
                f"{base.name}: no {part} sample has class {', '.join(map(str, missing))}, which a task of its own asks "
                "for; number the classes from 0 without gaps, or name the classes that there are"
            )
    label = torch.full((base.classes,), -1)
    label[classes] = torch.arange(len(classes))
    train, test = label[base.train_y], label[base.test_y]
    name = f"{base.name}, classes {', '.join(map(str, classes))}"
    return Task(
        name, base.train_x[train >= 0], train[train >= 0], base.test_x[test >= 0], test[test >= 0], len(classes)
    )


def image_task(
    name: str,
    train_images: Shaped[np.ndarray, "n *shape"],
    train_labels: Shaped[np.ndarray, " labels"],
    test_images: Shaped[np.ndarray, "m *other"],
    test_labels: Shaped[np.ndarray, " test_labels"],
) -> Task:
    """All images as one task `(n, channels, height, width)`, of mean 0 and deviation 1 per channel of training.

    Images are grey `(n, height, width)`, or have 1 or 3 channels, last as in files or first as `cifar100()` gives them;
    bytes, or floats from 0 to 1. Raises ValueError for other shapes or labels.
    """
    for images, labels in ((train_images, train_labels), (test_images, test_labels)):
        if images.ndim not in (3, 4) or len(images) != len(labels) or not images.size:
            raise ValueError(
                f"images must be (n, height, width) or (n, height, width, channels) with one label each, got images of "
                f"shape {images.shape} and {len(labels)} labels"
            )
    train, test = _channels_first(train_images), _channels_first(test_images)
    if train.shape[1:] != test.shape[1:]:
        raise ValueError(f"{name}: training images are {tuple(train.shape[1:])}, test images {tuple(test.shape[1:])}")
    own = train[:, 0].numel()  # values of a channel; one alone has no deviation
    deviation = train.std((0, 2, 3), keepdim=True, correction=min(own - 1, 1))
    mean, std = train.mean((0, 2, 3), keepdim=True), deviation.clamp(min=1e-6)
    halves = ((train_labels, f"{name} (training)"), (test_labels, f"{name} (test)"))
    train_y, test_y = (torch.from_numpy(check_classes(labels, MOST_CLASSES, half)) for labels, half in halves)
    classes = int(max(train_y.max(), test_y.max())) + 1
    return Task(name, (train - mean) / std, train_y, (test - mean) / std, test_y, classes)


def _channels_first(images: Shaped[np.ndarray, "n *shape"]) -> Float[Tensor, "n channels height width"]:
    x = as_tensor(as_bytes(images)).float() / 255
    if x.ndim == 3:
        return x.unsqueeze(1)
    if x.shape[3] in CHANNELS:
        return x.movedim(3, 1).contiguous()
    if x.shape[1] in CHANNELS:
        return x
    raise ValueError(f"images need 1 or 3 channels, first or last, got shape {images.shape}")


def small_fashion_mnist() -> Task:
    """The embedded Fashion-MNIST images, 5,000 + 1,000, as one task."""
    data = fashion_mnist_small()
    return image_task("Fashion-MNIST", *data.train, *data.test)


def split_fashion_mnist(n_tasks: int = 5, order: Sequence[int] | None = None) -> list[Task]:
    """The ten classes of the embedded Fashion-MNIST images as tasks of two classes each."""
    return split_classes(small_fashion_mnist(), n_tasks, order)


def split_cifar100(
    train_images: Shaped[np.ndarray, "n *shape"],
    train_labels: Shaped[np.ndarray, " n"],
    test_images: Shaped[np.ndarray, "m *shape"],
    test_labels: Shaped[np.ndarray, " m"],
    n_tasks: int = 10,
    order: Sequence[int] | None = None,
) -> list[Task]:
    """CIFAR-100 as ten tasks of ten classes; images with their channels first, as `cifar100()` gives them, or last."""
    return split_classes(image_task("CIFAR-100", train_images, train_labels, test_images, test_labels), n_tasks, order)
