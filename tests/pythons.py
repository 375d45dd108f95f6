"""The Pythons that the project names, and some that it does not: for tests only."""

import itertools
import tomllib
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ALLOWED = SpecifierSet(PROJECT["requires-python"])
PYTHONS = [Version(f"3.{minor}.{micro}") for minor, micro in itertools.product(range(10, 17), range(31))]
