"""Finds the benchmarks of a source checkout: every file of `bench/` names its functions in `BENCHMARKS`.

Each function returns a dict with at least `name`, `peer` and `ratio`: the peer's cost divided by ours, above 1 is
better.
"""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parents[2] / "bench"


def all_benchmarks() -> dict[str, Callable[[], dict[str, Any]]]:
    """Benchmarks by name, in the order of their files. Raises ValueError outside a source checkout."""
    if not BENCH.is_dir():
        raise ValueError(f"benchmarks are part of the source checkout; there is no {BENCH}")
    if str(BENCH.parent) not in sys.path:
        sys.path.insert(0, str(BENCH.parent))
    found: dict[str, Callable[[], dict[str, Any]]] = {}
    for path in sorted(BENCH.glob("*.py")):
        found |= getattr(importlib.import_module(f"bench.{path.stem}"), "BENCHMARKS", {})
    return found
