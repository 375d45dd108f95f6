"""How the loops of `kernels.compiled` and `kernels.compiled_convolution` are compiled, and what tensors they take."""

import inspect
from collections.abc import Callable
from typing import Any

import numba
import torch
from torch import Tensor


def compiled(function: Callable[..., Any]) -> Any:
    """Compile the bare function, without the shape checks that a test run wraps around it."""
    return numba.njit(cache=True, nogil=True)(inspect.unwrap(function))


def inlined(function: Callable[..., Any]) -> Any:
    """The same, for parts of compiled functions."""
    return numba.njit(cache=True, inline="always")(inspect.unwrap(function))


def suits(*tensors: Tensor | None) -> bool:
    """Whether all are contiguous tensors of single or double precision on the CPU."""
    return all(
        t is None or (t.device.type == "cpu" and t.dtype in (torch.float32, torch.float64) and t.is_contiguous())
        for t in tensors
    )
