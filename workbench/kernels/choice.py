"""Which inner loops a layer is run with where nobody said: the plain ones or the compiled ones.

Compiled loops are taken where numba is installed, on the CPU, in single or double precision, for layers that are large
enough. The choice depends on nothing else, above all not on time, so that a seed gives the same numbers: both kinds
agree to rounding only, and one spike more or less makes two runs differ. `taking(Loops.PLAIN)` switches the compiled
ones off for what runs inside it; `kernels=TORCH` does so for one rule.
"""

import functools
import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

import torch
from jaxtyping import Shaped
from torch import Tensor

from workbench.kernels.plain import TORCH, Kernels

SMALLEST = 4096  # entries per step; below, a batch takes so little time that importing numba for it costs more


class Loops(StrEnum):
    """The two kinds of inner loops: for all layers the plain ones, or the compiled ones where they gain something."""

    PLAIN = "plain"
    COMPILED = "compiled"


_TAKEN: ContextVar[Loops | None] = ContextVar("loops", default=None)


def current_loops() -> Loops:
    """What a run that starts here and now takes: compiled loops where numba is installed, unless `taking` says else."""
    return _TAKEN.get() or (Loops.COMPILED if numba_is_installed() else Loops.PLAIN)


@contextmanager
def taking(loops: Loops) -> Iterator[None]:
    """Inside, rules that choose by themselves take these loops. Raises ValueError for compiled ones without numba.

    >>> with taking(Loops.PLAIN):
    ...     current_loops()
    <Loops.PLAIN: 'plain'>
    """
    if loops is Loops.COMPILED and not numba_is_installed():
        raise ValueError("compiled loops need numba, which is not installed: pip install numba, or take Loops.PLAIN")
    token = _TAKEN.set(loops)
    try:
        yield
    finally:
        _TAKEN.reset(token)


def kernels_for(x: Shaped[Tensor, "..."], entries: int) -> Kernels:
    """The loops for a layer with the input x that walks over so many numbers at every step."""
    on_cpu = x.is_cpu and x.dtype in (torch.float32, torch.float64)
    if not on_cpu or entries < SMALLEST or current_loops() is Loops.PLAIN:
        return TORCH
    return compiled_kernels() or TORCH


@functools.cache
def numba_is_installed() -> bool:
    """Whether numba can be found; it is not imported, which takes half a second."""
    return importlib.util.find_spec("numba") is not None


@functools.cache
def compiled_kernels() -> Kernels | None:
    """The compiled loops, imported when they are first asked for; None where they cannot be."""
    if not numba_is_installed():
        return None
    try:
        from workbench.kernels.compiled import NUMBA
    except ImportError as error:
        warnings.warn(f"plain loops are used, because numba cannot be imported: {error}", stacklevel=2)
        return None
    return NUMBA
