"""What one visitor of a server may use, and what a piece of work will take, by formula and before it begins."""

import json
import math
import os
from collections.abc import Callable
from typing import NamedTuple

VARIABLE = "WORKBENCH_ALLOWANCE"  # JSON in the environment of a kernel; without it nothing is limited
SPEED = 1e9  # multiply-accumulates a second that one busy core is trusted with


class Price(NamedTuple):
    """Seconds of one core and bytes of memory."""

    seconds: float
    bytes: float


class Allowance(NamedTuple):
    """The largest price of one piece of work."""

    seconds: float = math.inf
    bytes: float = math.inf

    def refusal(self, price: Price, say: Callable[..., str] = str.format) -> str | None:
        """Why a work is too large, in a sentence, or None; `say` puts numbers into it, in another language perhaps.

        >>> Allowance(seconds=60).refusal(Price(90, 0))
        'This would take about 90 s, and a visitor of this server has 60 s; choose less.'
        """
        if price.seconds > self.seconds:
            return say(
                "This would take about {took:,.0f} s, and a visitor of this server has {has:,.0f} s; choose less.",
                took=price.seconds,
                has=self.seconds,
            )
        if price.bytes > self.bytes:
            return say(
                "This would need about {took:,.0f} MB, and a visitor of this server has {has:,.0f} MB; choose less.",
                took=price.bytes / 1e6,
                has=self.bytes / 1e6,
            )
        return None


def write_allowance(allowance: Allowance) -> None:
    """Tell it to the kernels that this process will start."""
    os.environ[VARIABLE] = json.dumps(allowance._asdict())


def read_allowance() -> Allowance:
    """What this kernel's visitor may use; no limit outside a server. Raises ValueError for what is no allowance."""
    text = os.environ.get(VARIABLE)
    if text is None:
        return Allowance()
    try:
        return Allowance(**{name: float(value) for name, value in json.loads(text).items()})
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{VARIABLE} must hold seconds and bytes as JSON, got {text!r}") from error
