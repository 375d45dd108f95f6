"""What one visitor of a server may use, and what a piece of work will take, by formula and before it begins."""

import json
import math
import os
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

    def refusal(self, price: Price) -> str | None:
        """Why a work is too large, in a sentence, or None.

        >>> Allowance(seconds=60).refusal(Price(90, 0))
        'This would take about 90 s, and a visitor of this server has 60 s; choose less.'
        """
        if price.seconds > self.seconds:
            took, has = f"take about {price.seconds:,.0f} s", f"{self.seconds:,.0f} s"
        elif price.bytes > self.bytes:
            took, has = f"need about {price.bytes / 1e6:,.0f} MB", f"{self.bytes / 1e6:,.0f} MB"
        else:
            return None
        return f"This would {took}, and a visitor of this server has {has}; choose less."


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
