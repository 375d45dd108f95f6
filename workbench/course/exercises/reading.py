"""Whatever a function gave back, read as numbers; and numbers written so that a student can compare them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from workbench.language import say

MOST = 100_000  # numbers that are read
DEEPEST = 8  # lists within lists


class Unreadable(ValueError):
    """It is no tensor of real numbers; the message says what it is."""


def as_numbers(value: Any, depth: int = 0) -> Float64[Tensor, "..."]:
    """Numbers, truth values, arrays, and lists of them as a tensor of float64; `Unreadable` for anything else."""
    try:
        if isinstance(value, Tensor):
            return _from_tensor(value)
        if isinstance(value, np.ndarray | np.generic):
            return _from_array(np.asarray(value))
        if isinstance(value, bool | int | float):
            return torch.tensor(float(value), dtype=torch.float64)
        if isinstance(value, list | tuple) and depth < DEEPEST and len(value) <= MOST:
            parts = [as_numbers(part, depth + 1) for part in value]
            if len({part.shape for part in parts}) > 1:
                raise Unreadable(say("a list whose parts have different shapes"))
            return torch.stack(parts) if parts else torch.zeros(0, dtype=torch.float64)
    except (OverflowError, RuntimeError, TypeError, NotImplementedError, MemoryError) as error:
        raise Unreadable(say("a {kind} that cannot be read", kind=type(value).__name__)) from error
    raise Unreadable(say("a function; call it") if callable(value) else say("a {kind}", kind=type(value).__name__))


def _from_tensor(value: Tensor) -> Tensor:
    if value.is_complex():
        raise Unreadable(say("complex numbers"))
    if value.numel() > MOST:
        shape = tuple(value.shape)
        raise Unreadable(say("{count:,} numbers of shape {shape}", count=value.numel(), shape=shape))
    return value.detach().to_dense().to(device="cpu", dtype=torch.float64).clone()


def _from_array(value: np.ndarray) -> Tensor:
    if value.dtype.kind not in "biuf" or value.size > MOST:
        if value.size > MOST:
            raise Unreadable(say("{count:,} numbers", count=value.size))
        raise Unreadable(say("an array of {kind}", kind=value.dtype))
    return torch.from_numpy(np.array(value, dtype=np.float64))


def alike(given: Float64[Tensor, "..."], expected: Float64[Tensor, "..."]) -> bool:
    """Whether all numbers agree to four digits of the largest, so that float32 is good enough."""
    if given.shape != expected.shape:
        return False
    if not expected.numel():
        return True
    return bool((given - expected).abs().max() <= 1e-7 + 1e-4 * expected.abs().max())


def written(value: Any, most: int = 8) -> str:
    """A value in a few words: short lists in full, longer ones with dots, larger tables by their shape too.

    >>> written(torch.tensor([1.0, 0.5]))
    '[1, 0.5]'
    """
    if isinstance(value, Tensor):
        if value.numel() > 24:
            begins, shape = _row(value.flatten()[:4]), tuple(value.shape)
            return say("a tensor of shape {shape} that begins with {begins}", shape=shape, begins=begins)
        return _row(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple) and len(value) > most:
        return f"[{', '.join(map(written, value[:4]))}, …]"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _row(value: Tensor) -> str:
    if not value.ndim:
        return f"{value.item():.4g}"
    return f"[{', '.join(_row(part) for part in value)}]"


def call_written(name: str, names: Sequence[str], arguments: Sequence[Any]) -> str:
    """A call as a student would type it.

    >>> call_written("trace", ["x", "decay"], [torch.tensor([1.0, 0.0]), 0.5])
    'trace(x=[1, 0], decay=0.5)'
    """
    return f"{name}({', '.join(f'{key}={written(value)}' for key, value in zip(names, arguments, strict=True))})"
