"""How families of functions are fuzzed: hypothesis draws what comes in, edges before all; for tests only.

An outcome is a right result, which the family checks by a law or by a slow reference, or an error that says which
argument was wrong. Anything else (an error from inside, a hang, a NaN out of sound numbers) fails the family.
"""

import functools
import math
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

STEADY = 300  # examples of a family, the same in every run
SEARCHED = int(os.environ.get("WORKBENCH_FUZZ", "0"))  # so many new examples instead, of each family
PROFILE = "fuzz" if SEARCHED else "ci"
HANGING = 120  # seconds for one example; a machine that is so busy is none
COUNTED = {"families": 0, "examples": 0}

new = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)
settings.register_profile("ci", new, max_examples=STEADY, derandomize=True)
settings.register_profile("fuzz", new, max_examples=SEARCHED or STEADY)


class Refused(NamedTuple):
    """The error that was an outcome."""

    error: Exception


def fuzz(ci: int = STEADY, **strategies: Any) -> Callable[[Callable], Callable]:
    """Fuzz a function of what the strategies draw. `ci`: examples of a family whose single one is dear."""

    def decorate(test: Callable) -> Callable:
        @functools.wraps(test)
        def counted(*args: Any, **drawn: Any) -> None:
            COUNTED["examples"] += 1
            with ending():
                test(*args, **drawn)

        COUNTED["families"] += 1
        return settings(settings.get_profile(PROFILE), max_examples=SEARCHED or ci)(given(**strategies)(counted))

    return decorate


@contextmanager
def ending() -> Iterator[None]:
    """What hangs inside is an error, where the system can tell."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def hang(*_: object) -> None:
        raise AssertionError(f"this example did not end within {HANGING} s")

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(HANGING)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(call: Callable, *args: Any, words: str, errors: tuple = (ValueError,), **options: Any) -> Any:
    """What the call gives, or `Refused` if it raises one of `errors`, whose message must fit `words`, the arguments."""
    try:
        return call(*args, **options)
    except errors as error:
        refused = Refused(error)
    assert re.search(words, str(refused.error)), f"the message names none of {words!r}: {refused.error}"
    return refused


def sound(*tensors: torch.Tensor) -> bool:
    """Whether all numbers are finite and far from where the next product leaves their type."""
    return all(
        not t.is_floating_point() or not t.numel() or float(t.double().abs().nan_to_num(math.inf).max()) < 1e3
        for t in map(torch.as_tensor, tensors)
    )


# --- numbers --------------------------------------------------------------------------------------------------------

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 5e-324, 1e-45, 1e-8, 1 - 2**-53, 1 + 2**-52, 65504.0, 1e38, 1e308, -1e308]
BAD = [math.nan, math.inf, -math.inf]
NO_NUMBERS: list[Any] = [None, True, False, "", "0.5", b"1", [], (), 1j, {}]
edges = st.sampled_from([*EDGES, *BAD])
shares = st.floats(0.0, 1.0) | st.sampled_from([0.0, 1.0, 0.5, 0, 1])
anything = edges | st.floats() | st.integers() | st.sampled_from([*NO_NUMBERS, 2**70, -(2**70)])
counts = st.integers(-3, 12) | st.sampled_from([0, 1, -1, 2**31])
texts = st.text(max_size=30) | st.sampled_from(
    ["", "\x00", "\x1b[31m", "\u202e", "ψ", "a\nb", "😀", "\ud800", "%s", "{}"]
)


def mostly(good: st.SearchStrategy, bad: st.SearchStrategy = anything) -> st.SearchStrategy:
    """Three of four are good, so that what lies behind a door is reached."""
    return st.one_of(good, good, good, bad)


# --- tensors --------------------------------------------------------------------------------------------------------

FLOATS = [torch.float64, torch.float32]
KINDS = [*FLOATS, torch.float16, torch.bool, torch.int64, torch.uint8, torch.int32]
FILLS = ["normal", "spikes", "zeros", "ones", "large", "edges", "bad"]
LAYOUTS = ["contiguous", "transposed", "strided", "expanded"]


def filled(shape: tuple, dtype: torch.dtype = torch.float64, fill: str = "normal", seed: int = 0, layout="contiguous"):
    """A tensor of numbers of one kind; equal arguments give equal ones."""
    generator = torch.Generator().manual_seed(seed)
    wide = shape if layout != "strided" or not shape else (*shape[:-1], 2 * shape[-1])
    wide = wide if layout != "transposed" else shape[::-1]
    wide = wide if layout != "expanded" or not shape else (1, *shape[1:])
    x = torch.randn(wide, generator=generator, dtype=torch.float64)
    if fill == "spikes":
        x = (x > 0.6).double()
    elif fill in ("zeros", "ones"):
        x = torch.full(wide, float(fill == "ones"), dtype=torch.float64)
    elif fill == "large":
        x = x * 1e30
    elif fill in ("edges", "bad") and x.numel():
        values = torch.tensor(EDGES if fill == "edges" else [*EDGES, *BAD], dtype=torch.float64)
        x = values[torch.randint(len(values), wide, generator=generator)]
    if dtype in (torch.int64, torch.int32, torch.uint8):
        x = x.nan_to_num(0.0, 1.0, -1.0).clamp(0 if dtype is torch.uint8 else -100, 100)
    x = x.to(dtype)
    if layout == "transposed" and shape:
        return x.permute(*range(x.ndim)[::-1])
    if layout == "strided" and shape:
        return x[..., ::2]
    return x.expand(shape) if layout == "expanded" and shape else x


@st.composite
def tensors(draw, least=0, most=3, side=5, kinds=tuple(KINDS), fills=tuple(FILLS), shape=None, arrays=False):
    """Tensors of `least` to `most` axes of up to `side`, empty ones too, in every type and layout; arrays of NumPy."""
    if shape is None:
        shape = tuple(draw(st.lists(st.integers(0, side), min_size=least, max_size=most)))
    x = filled(
        shape,
        draw(st.sampled_from(kinds)),
        draw(st.sampled_from(fills)),
        draw(st.integers(0, 99)),
        draw(st.sampled_from(LAYOUTS)),
    )
    return x.numpy() if arrays and draw(st.integers(0, 4)) == 0 else x


def close(a: Any, b: Any, rounding: float = 64.0) -> bool:
    """Whether a agrees with the reference b to a few roundings of a's type, relative to the largest number."""
    a, b = torch.as_tensor(a), torch.as_tensor(b)
    if a.shape != b.shape:
        return False
    if not a.numel():
        return True
    eps = torch.finfo(a.dtype).eps if a.is_floating_point() else 0.0
    scale = max(1.0, float(b.double().abs().max()))
    return bool((a.double() - b.double()).abs().max() <= rounding * eps * scale)


def as_double(x: Any) -> torch.Tensor:
    return torch.as_tensor(np.array(x) if isinstance(x, np.ndarray) else x).double()
