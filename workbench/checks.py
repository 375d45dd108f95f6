"""What comes in at a door is looked at here: batches, labels, spikes, pictures and parameters.

Each check returns what it was given as the library needs it (NumPy arrays as tensors, labels as int64), or raises
ValueError that quotes what came, says what was expected, and what to do. A check takes one pass over the data at most.
"""

import functools
import math
from abc import ABC
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped, UInt8
from torch import Tensor, nn

T = TypeVar("T")
R = TypeVar("R", bound=Callable)
if TYPE_CHECKING:
    Array = Tensor | np.ndarray
else:

    class Array(ABC):  # noqa: B024  (one short name in signatures)
        """What may be given where a tensor is meant."""

    Array.register(Tensor)
    Array.register(np.ndarray)

LARGEST_FLOAT32 = float(torch.finfo(torch.float32).max)
SQUARES = 1e145  # of numbers up to here, 1e18 squares add up to a float64
AXES = {3: ("inputs",), 4: ("height", "width"), 5: ("channels", "height", "width")}  # behind time and batch


# --- tensors --------------------------------------------------------------------------------------------------------


def as_tensor(value: Any, name: str = "x") -> Shaped[Tensor, "..."]:
    """The tensor, or a NumPy array of numbers as one; ValueError for anything else.

    >>> as_tensor(np.array([1, 2], dtype=">i2"))
    tensor([1, 2], dtype=torch.int16)
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.dtype.itemsize <= 8:
        kind = value.dtype.newbyteorder("=")
        if kind.kind == "u" and kind.itemsize > 1:
            kind = np.dtype(np.int64)  # torch counts with signed numbers only
        return torch.from_numpy(np.require(value, kind, ["C", "W"]))
    if not isinstance(value, Tensor) or value.is_complex():
        raise ValueError(f"{name} must be a tensor or a NumPy array of real numbers, got {_told(value)}")
    return value


def as_floats(value: Any, name: str = "x") -> Float[Tensor, "..."]:
    """The same with floating-point numbers: spikes may be bool or integers.

    >>> as_floats(torch.tensor([True, False]))
    tensor([1., 0.])
    """
    x = as_tensor(value, name)
    return x if x.is_floating_point() else x.to(torch.get_default_dtype())


def _told(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, np.ndarray | Tensor):
        return f"a {kind} of {value.dtype}"
    if isinstance(value, torch.utils.data.DataLoader):
        return "a DataLoader; take batches from it, for x, y in loader, or give it to a Setting as data"
    if isinstance(value, list | tuple) and not any(isinstance(part, Tensor | np.ndarray) for part in value):
        return f"a {kind}; write torch.tensor(...)"
    return f"a {kind}"


def check_finite(x: Shaped[Tensor, "..."], name: str, axes: tuple[str, ...] = ()) -> None:
    """Raise ValueError that names the first place where x holds NaN or infinity; `axes` are the names of its axes."""
    if not x.is_floating_point() or not x.numel() or is_finite(x):
        return
    place = (~x.detach().isfinite()).nonzero()[0].tolist()
    names = [*axes, *(f"axis {k}" for k in range(len(axes), len(place)))]
    where = ", ".join(f"{axis} {number}" for axis, number in zip(names, place, strict=False))
    value = float(x.detach()[tuple(place)])
    raise ValueError(
        f"{name} holds NaN or infinite values; clean the input first (the first is {value}, at {where or 'once'}, "
        f"counted from 0; shape {tuple(x.shape)})"
    )


def check_squares(x: Shaped[Tensor, "..."], name: str) -> None:
    """Raise ValueError where sums of squares of x leave float64, in which they are taken."""
    if x.dtype is torch.float64 and x.numel():
        largest = max(abs(float(end)) for end in x.detach().aminmax())
        if largest > SQUARES:
            raise ValueError(f"{name} holds {largest}, whose square no float64 can hold; scale all by one number")


def fitted(x: Shaped[Tensor, "..."], dtype: torch.dtype) -> Shaped[Tensor, "..."]:
    """x in the type of a network, or ValueError where finite numbers of float64 would be infinite in it."""
    if x.dtype is torch.float64 and dtype is not torch.float64 and x.numel():
        largest = max(map(float, x.detach().aminmax()), key=abs)
        if abs(largest) > LARGEST_FLOAT32:
            raise ValueError(f"x holds {largest}, which the network's float32 does not hold; scale all by one number")
    return x.to(dtype)


def is_finite(x: Shaped[Tensor, "..."]) -> bool:
    """Whether all numbers are finite, in one pass and without a copy."""
    return not x.numel() or all(math.isfinite(float(end)) for end in x.detach().aminmax())


# --- batches --------------------------------------------------------------------------------------------------------


def check_batch(x: Any, y: Any) -> tuple[Shaped[Tensor, "time batch ..."], Shaped[Tensor, "batch ..."]]:
    """x and y as tensors, or ValueError unless x is `(time, batch, ...)`, at least one step and sample, finite, and y
    `(batch, ...)` fits it. Integers in y become int64."""
    x, y = as_tensor(x), check_integers(as_tensor(y, "y"))
    if x.ndim < 3 or x.shape[0] == 0:
        raise ValueError(f"x must be (time, batch, ...) with at least one step, got shape {tuple(x.shape)}")
    if x.shape[1] == 0:
        raise ValueError(f"the batch is empty: x has shape {tuple(x.shape)}, expected at least one sample")
    if y.shape[:1] != x.shape[1:2]:
        if y.shape[:1] == x.shape[:1]:
            raise ValueError(f"time comes first: got {_axes(x.shape)}; use x.transpose(0, 1)")
        raise ValueError(f"y must hold one label per sample, shape ({x.shape[1]},), got {tuple(y.shape)}")
    check_finite(x, "x", ("step", "sample"))
    check_finite(y, "y", ("sample",))
    return x, y


def _axes(shape: torch.Size) -> str:
    """A shape whose first two axes were taken for each other."""
    names = ("batch", "time", *AXES.get(len(shape), ("",) * (len(shape) - 2)))
    return f"({', '.join(f'{name} {size}'.strip() for name, size in zip(names, shape, strict=True))})"


def check_inputs(x: Any, like: Shaped[Tensor, "..."]) -> Float[Tensor, "batch ..."]:
    """x in the type of `like`, or ValueError unless it is a finite `(batch, ...)` of floating-point numbers."""
    x = as_tensor(x)
    if x.ndim < 2 or x.shape[0] == 0:
        raise ValueError(f"x must be (batch, ...) with at least one sample, got shape {tuple(x.shape)}")
    if not x.is_floating_point():
        raise ValueError(f"x must hold floating-point numbers, got {x.dtype}; for the bytes of pictures write x / 255")
    check_finite(x, "x", ("sample",))
    return fitted(x, like.dtype)


def check_integers(y: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """Integers of any width, and truth values, as int64; other numbers as they are."""
    return y if y.is_floating_point() or y.dtype is torch.int64 else y.to(torch.int64)


def check_labels(y: Any, classes: int, samples: int | None = None) -> Int64[Tensor, "batch"]:
    """y as int64, or ValueError unless y holds one label per sample (`samples` of them), all in 0..classes−1.

    >>> check_labels(np.array([0, 2], dtype=np.uint8), classes=3)
    tensor([0, 2])
    """
    y = as_tensor(y, "y")
    if y.ndim != 1 or y.is_floating_point():
        advice = "; for one-hot labels write y.argmax(1)" if y.ndim == 2 and y.shape[1] == classes > 1 else ""
        raise ValueError(
            f"labels must be class numbers of shape (batch,), got {y.dtype} of shape {tuple(y.shape)}{advice}"
        )
    if samples is not None and len(y) != samples:
        raise ValueError(f"y must hold one label per sample, shape ({samples},), got {tuple(y.shape)}")
    y = check_integers(y)
    if y.numel() and not 0 <= int(y.min()) <= int(y.max()) < classes:
        advice = "; count classes from 0" if int(y.min()) == 1 and int(y.max()) == classes else ""
        raise ValueError(f"labels must lie in 0..{classes - 1}, got {int(y.min())}..{int(y.max())}{advice}")
    return y


def one_hot(y: Any, classes: int) -> Int64[Tensor, "batch classes"]:
    """y*: 1 at each sample's class, 0 elsewhere, for labels of any integer type; ValueError as `check_labels`."""
    return nn.functional.one_hot(check_labels(y, classes), classes)


# --- data sets ------------------------------------------------------------------------------------------------------


def as_bytes(images: Any, name: str = "images") -> UInt8[np.ndarray, "..."]:
    """Pictures as bytes, 0 black and 255 full: bytes stay, floats of 0 to 1 are scaled; ValueError for all else.

    >>> as_bytes(np.array([0.0, 0.5, 1.0])).tolist()
    [0, 128, 255]
    """
    pixels = images.detach().cpu().numpy() if isinstance(images, Tensor) else images
    if not isinstance(pixels, np.ndarray) or pixels.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be an array of bytes, or of floats from 0 to 1, got {_told(images)}")
    if pixels.dtype == np.uint8 or not pixels.size:
        return pixels.astype(np.uint8, copy=False)
    low, high = pixels.min(), pixels.max()
    if pixels.dtype.kind in "iu" and low >= 0 and high <= 255:
        return pixels.astype(np.uint8)
    if pixels.dtype.kind in "bf" and low >= 0 and high <= 1:
        return np.rint(pixels.astype(np.float64) * 255).astype(np.uint8)
    raise ValueError(
        f"{name} holds values of {low} to {high} ({pixels.dtype}), expected bytes from 0 to 255, or floats from 0 to 1"
    )


# --- networks -------------------------------------------------------------------------------------------------------


def check_weights(network: nn.Module) -> None:
    """Raise FloatingPointError that names the first weights, in order of definition, that are not finite."""
    weights = [weight.detach() for weight in network.parameters() if weight.is_floating_point() and weight.numel()]
    on_one_accelerator = weights and weights[0].is_cuda and len({weight.device for weight in weights}) == 1
    # where every number that is looked at costs a wait, look at one
    if on_one_accelerator and bool(torch.stack([weight.norm().float() for weight in weights]).isfinite().all()):
        return
    for name, parameter in network.named_parameters():
        if parameter.is_floating_point() and not is_finite(parameter):
            raise FloatingPointError(
                f"the weights of '{name}' hold NaN or infinity; load weights from before they did, or start again "
                "with a lower learning rate"
            )


def written(network: Any) -> Any:
    """The network as it was written: what `torch.compile` wraps, or the network itself.

    Rules hand a function to the network that runs each layer, in which the work is; there is nothing left to compile.
    """
    return getattr(network, "_orig_mod", network)


@contextmanager
def without_autocast(x: Shaped[Tensor, "..."]) -> Iterator[None]:
    """Inside, everything is computed in the precision of the weights, whatever autocast is around it."""
    with torch.autocast(x.device.type, enabled=False):
        yield


def in_full_precision(rule: R) -> R:
    """The rule `(network, x, y, …)`, computed in the precision of the weights, whatever autocast is around it."""

    @functools.wraps(rule)
    def computed(network: Any, *arguments: Any, **options: Any) -> Any:
        weights = network.parameters() if isinstance(network, nn.Module) else iter(())
        device = next((weight.device.type for weight in weights), "cpu")
        with torch.autocast(device, enabled=False):
            return rule(network, *arguments, **options)

    return computed  # type: ignore[return-value]


# --- parameters -----------------------------------------------------------------------------------------------------


LARGEST = 2**63  # of whole numbers: torch takes none beyond


class Span(NamedTuple):
    """Which numbers a parameter may be: from `low` to `high`, the ends included unless `open_low`, `open_high`.

    whole: integers only. optional: None too. words: the same for people.
    """

    words: str
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False
    optional: bool = False

    def holds(self, value: Any) -> bool:
        """Whether the value is such a number; NaN, infinity and what no int64 holds never are."""
        if value is None:
            return self.optional
        if not isinstance(value, Real) or isinstance(value, bool):
            return False
        if isinstance(value, int) and not -LARGEST <= value < LARGEST:
            return False
        number = float(value)
        if not math.isfinite(number):
            return False
        inside = self.low <= number <= self.high and (number.is_integer() or not self.whole)
        return inside and not (self.open_low and number == self.low) and not (self.open_high and number == self.high)

    def or_none(self) -> "Span":
        """The same, or None."""
        return self._replace(optional=True, words=f"{self.words}, or None")


FINITE = Span("a finite number")
POSITIVE = Span("a number above 0", 0.0, open_low=True)
NOT_NEGATIVE = Span("a number of at least 0", 0.0)
SHARE = Span("a number in [0, 1]", 0.0, 1.0)
COUNT = Span("a whole number of at least 1", 1, whole=True)
COUNT_OR_ZERO = Span("a whole number of at least 0", 0, whole=True)
FINITE_FLOAT32 = Span("a finite number that float32 holds", -LARGEST_FLOAT32, LARGEST_FLOAT32)
POSITIVE_FLOAT32 = Span("a positive number that float32 holds", 0.0, LARGEST_FLOAT32, open_low=True)
WITHIN = Span("a number between 0 and 1, not the ends", 0.0, 1.0, open_low=True, open_high=True)
SEED = Span("a whole number from -2**40 to 2**40", -(2**40), 2**40, whole=True)


def check_fields(params: T, kind: type[T], **spans: Span) -> T:
    """The parameters, or ValueError unless they are a `kind` whose fields lie in their spans, or are None by default.

    >>> class Spring(NamedTuple):
    ...     stiffness: float = 1.0
    >>> check_fields(Spring(0.5), Spring, stiffness=POSITIVE)
    Spring(stiffness=0.5)
    >>> check_fields(Spring(float("nan")), Spring, stiffness=POSITIVE)
    Traceback (most recent call last):
    ValueError: stiffness of Spring must be a number above 0, got nan
    """
    check_kind(params, kind)
    for name, span in spans.items():
        value = getattr(params, name)
        if value is not None or getattr(kind, "_field_defaults", {}).get(name, ...) is not None:
            check_number(value, f"{name} of {kind.__name__}", span)
    return params


def check_number(value: Any, name: str, span: Span) -> None:
    """Raise ValueError, with the name and the value, unless the value lies in the span."""
    if not span.holds(value):
        raise ValueError(f"{name} must be {span.words}, got {value!r}")


def check_like(tensor: Any, name: str, like: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """The tensor, or ValueError unless it is one with the shape of `like`."""
    tensor = as_tensor(tensor, name)
    if tensor.shape != like.shape:
        raise ValueError(f"{name} must have the shape {tuple(like.shape)} here, got {tuple(tensor.shape)}")
    return tensor


def check_kind(params: Any, kind: type[T]) -> T:
    """The parameters, or ValueError when they are no `kind`: a plain tuple, or parameters of something else."""
    if not isinstance(params, kind):
        name, fields = kind.__name__, ", ".join(getattr(kind, "_fields", ()))
        advice = f"; write {name}(*{params!r})" if type(params) is tuple and params else ""
        raise ValueError(f"expected {name}({fields}), got {params!r}{advice}")
    return params
