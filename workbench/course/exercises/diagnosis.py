"""How an answer is judged: it is compared with the right one and with the usual mistakes, on small inputs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

Answer = Callable[..., Any]  # a student's function
NOT_YET = "Not answered yet: replace the dots by your code and run the cell again."  # what a check says to `...`


def diagnose(answer: Answer, right: Answer, mistakes: Mapping[str, Answer], trials: Sequence[tuple]) -> str:
    """Compare `answer` with `right` on every trial; when it differs, say which mistake explains all trials.

    >>> diagnose(lambda x: -x, lambda x: x, {"The sign is wrong.": lambda x: -x}, [(torch.ones(2),)])
    'Not yet: The sign is wrong.'
    """
    try:
        given = [answer(*trial) for trial in trials]
    except NotImplementedError:
        return NOT_YET
    except Exception as error:
        return f"Your function stops with {_said(error)}"
    if any(result is None or result is Ellipsis for result in given):
        return NOT_YET
    try:
        given = [torch.as_tensor(result) for result in given]
        real = not any(result.is_complex() for result in given)
    except Exception:  # an object of any class may raise any error
        real = False
    if not real:
        return f"Your function gives a {type(given[0]).__name__}, expected a tensor of numbers."
    expected = [right(*trial) for trial in trials]
    if all(map(_same, given, expected)):
        return "Right."
    for words, mistake in mistakes.items():
        if all(map(_same, given, [mistake(*trial) for trial in trials])):
            return f"Not yet: {words}"
    return "Not yet: " + next(_difference(g, e) for g, e in zip(given, expected, strict=True) if not _same(g, e))


def _said(error: Exception) -> str:
    """Kind and words of an error, which may have none."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__


def _same(given: Any, expected: Any) -> bool:
    given, expected = torch.as_tensor(given), torch.as_tensor(expected)
    if given.shape != expected.shape:
        return False
    return torch.allclose(given.to(torch.double), expected.to(torch.double), atol=1e-5)


def _difference(given: Any, expected: Any) -> str:
    given, expected = torch.as_tensor(given), torch.as_tensor(expected)
    if given.shape != expected.shape:
        return f"the shape should be {tuple(expected.shape)}, yours is {tuple(given.shape)}."
    alike = torch.isclose(given.double(), expected.double(), atol=1e-5).flatten()
    place = int((~alike).nonzero()[0])
    return f"value number {place} should be {expected.flatten()[place]:.4g}, yours is {given.flatten()[place]:.4g}."
