"""The two bundles of plotly.js: a small one with the traces that the workbench draws, and plotly's own with all.

The small one is a quarter of the size and starts five times as fast. `make bundle` builds it for one
version of plotly; with another one installed, plotly's own serves every figure.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

STATIC = Path(__file__).resolve().parent / "jupyter" / "static"
CORE = STATIC / "plotly_core.js"
TRACES = frozenset({"scatter", "bar", "heatmap"})  # of the small bundle


class Versions(NamedTuple):
    """Of the Python package, whose widget classes are in a bundle, and of plotly.js."""

    package: str
    script: str


def plotly_folder() -> Path:
    """The folder of plotly's scripts, found without importing plotly."""
    plotly = find_spec("plotly")
    if plotly is None or plotly.origin is None:
        raise RuntimeError("the package plotly is not installed; run `workbench doctor`")
    return Path(plotly.origin).parent / "package_data"


def built_for() -> Versions:
    """What the small bundle was built from: it begins with a line that says so."""
    with CORE.open(encoding="utf-8") as file:
        head = file.readline()
    found = re.search(r"plotly\.js ([\w.-]+), .* of plotly\.py ([\w.-]+)\. ", head)
    if found is None:
        raise RuntimeError(f"{CORE.name} begins with {head[:80]!r} instead of its versions; type `make bundle`")
    return Versions(found[2], found[1])


def installed() -> Versions:
    """What plotly brings itself; the version of plotly.js stands in the first lines of its script."""
    from importlib.metadata import version

    with (plotly_folder() / "plotly.min.js").open(encoding="utf-8") as file:
        found = re.search(r"plotly\.js v([\w.-]+)", file.read(300))
    return Versions(version("plotly"), found[1] if found else "unknown")


@cache
def core_fits() -> bool:
    """Whether the small bundle does what the installed plotly expects of a page."""
    return built_for() == installed()
