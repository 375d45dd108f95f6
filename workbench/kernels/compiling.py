"""How the loops of `kernels.compiled` are compiled, what tensors they take, and what a wrong shape is told.

A compiled loop trusts its sizes: a wrong one reads or writes memory that is not its own. So its wrapper checks them.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numba
import torch
from jaxtyping import Shaped
from numba.core import event
from torch import Tensor

from workbench.kernels.clock import COMPILING


class Listener(event.Listener):
    """Told by numba when compiling begins and ends, also of a loop that another one needs."""

    def on_start(self, event: event.Event) -> None:
        COMPILING.begin()

    def on_end(self, event: event.Event) -> None:
        COMPILING.end()


event.register("numba:compile", Listener())


def compiled(function: Callable[..., Any]) -> Any:
    """Compile the bare function, without the shape checks that a test run wraps around it.

    The machine code is kept for later processes where numba finds a folder to write to: beside this file, or in the
    user's cache (`NUMBA_CACHE_DIR` names another); else each process compiles its own.
    """
    bare = inspect.unwrap(function)
    try:
        return numba.njit(cache=True, nogil=True)(bare)
    except RuntimeError:  # no folder can be written
        return numba.njit(nogil=True)(bare)


def inlined(function: Callable[..., Any]) -> Any:
    """The same, for parts of compiled functions of the same file."""
    return numba.njit(inline="always")(inspect.unwrap(function))


def suits(first: Shaped[Tensor, "..."], *others: Shaped[Tensor, "..."] | None) -> bool:
    """Whether all are contiguous tensors of one precision, single or double, on the CPU."""
    dtype = first.dtype
    return dtype in (torch.float32, torch.float64) and all(
        t is None or (t.dtype is dtype and t.is_cpu and t.is_contiguous()) for t in (first, *others)
    )


def check_shape(name: str, tensor: Shaped[Tensor, "..."], expected: tuple[int, ...]) -> None:
    """Raise ValueError unless `tensor` has the expected shape."""
    if tensor.shape != expected:
        raise ValueError(f"{name} must have the shape {tuple(expected)} here, got {tuple(tensor.shape)}")


def check_dimensions(name: str, tensor: Shaped[Tensor, "..."], least: int, most: int | None = None) -> None:
    """Raise ValueError unless `tensor` has `least` dimensions, or as many as `most`."""
    if not least <= tensor.ndim <= (most or least):
        wanted = f"{least} dimensions" if most is None else f"{least} to {most} dimensions"
        raise ValueError(f"{name} must have {wanted}, got shape {tuple(tensor.shape)}")
