"""One call of a student's function that can do no harm: copied arguments, bounded work and output, errors as words."""

import contextlib
import copy
import io
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.language import say

LINES, SECONDS = 200_000, 10.0  # a call may run as many lines of Python, and take as long
PRINTED = 2_000  # characters of a function's own output that are shown


class Called(NamedTuple):
    """What a call gave: its value, or the error in words; whether it printed, and whether it changed an argument."""

    value: Any
    error: str = ""
    printed: bool = False
    changed: bool = False
    endless: bool = False


class _TooLong(BaseException):
    """Raised inside a function that runs on and on; no `except Exception` of its own holds it back."""


class _Output(io.StringIO):
    """Hands on the first characters that a function prints, and forgets the rest."""

    def __init__(self, onto: Any) -> None:
        super().__init__()
        self.onto, self.count = onto, 0

    def write(self, text: str) -> int:
        shown = text[: max(0, PRINTED - self.count)]
        self.count += len(text)
        if shown and self.onto is not None:
            self.onto.write(shown)
        return len(text)


def call(function: Callable[..., Any], arguments: tuple, quiet: bool = False, bound: bool = True) -> Called:
    """Call `function` with copies of the arguments; it raises nothing but KeyboardInterrupt.

    What it prints is shown up to `PRINTED` characters, or not at all if `quiet`. Without `bound` it may take as long as
    it likes: what a student wrote is bounded inside, by `within_bounds`.
    """
    given = copied(arguments)
    output = _Output(None if quiet else sys.stdout)
    try:
        with contextlib.redirect_stdout(output), bounded() if bound else contextlib.nullcontext():
            value = function(*given)
    except _TooLong:
        return Called(None, say("it does not come to an end: look at the condition of your loop."), endless=True)
    except NotImplementedError:
        return Called(Ellipsis)
    except (Exception, SystemExit) as error:
        return Called(None, say("it stops with {error}", error=_told(error)), output.count > 0)
    return Called(value, printed=output.count > 0, changed=not _alike(given, arguments))


# Where code lies that is no student's: its lines are not counted, which would make it slow.
_OTHERS = (
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("purelib"),
    str(Path(__file__).parents[3] / "workbench"),
    "<@",
)


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Inside, more than `LINES` lines of a student's code, or `SECONDS`, raise `_TooLong`.

    One long call of a library is not ended.
    """
    lines, end = 0, time.monotonic() + SECONDS
    before = sys.gettrace()

    def follow(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_filename.startswith(_OTHERS):
            return None
        lines += 1
        if lines > LINES or (lines % 256 == 0 and time.monotonic() > end):
            raise _TooLong
        return follow

    sys.settrace(follow)
    try:
        yield
    finally:
        sys.settrace(before)


def within_bounds(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, each call of which is `bounded`."""

    def run(*arguments: Any) -> Any:
        with bounded():
            return function(*arguments)

    return run


def trusted(function: Callable[..., Any], arguments: tuple) -> Any:
    """What a function of ours gives for copies of the arguments; None where it stops with an error."""
    try:
        return function(*copied(arguments))
    except Exception:
        return None


def copied(value: Any) -> Any:
    """A copy that shares no number with `value`."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, tuple):
        return tuple(map(copied, value))
    return copy.deepcopy(value)


def _alike(first: Any, second: Any) -> bool:
    if isinstance(second, tuple):
        return all(map(_alike, first, second))
    if isinstance(second, Tensor):
        return first.shape == second.shape and torch.equal(first.detach(), second)
    return bool(first == second)


def _told(error: BaseException) -> str:
    """Kind and words of an error, which may have none, or endless ones."""
    try:
        said = str(error).strip().splitlines()
        return f"{type(error).__name__}: {said[0][:200]}" if said else type(error).__name__
    except Exception:
        return type(error).__name__
