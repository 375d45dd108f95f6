"""Names that are written in words exist: modules, functions, files and folders in docstrings, comments and pages."""

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("workbench", "widgets", "bench")
ROOMS = {path.stem for package in PACKAGES for path in (ROOT / package).iterdir() if path.stem[0] not in "_."}
FILE = re.compile(r"(?<![\w./*<>-])((?:[\w.-]+/)*[\w-]+\.(?:py|md|ipynb|toml|yml|js|css))\b(?!\w)")
FOLDER = re.compile(r"`((?:[\w.-]+/){2,})`")
DOTTED = re.compile(r"`((?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*)\b[^`]*`|\b((?:workbench|widgets|bench)(?:\.[A-Za-z_]\w*)+)")
# What looks like a file of the checkout, and what it is.
FOREIGN = {
    "novelty.py": "a rule of the reader's own",
    "plotly.js": "a library",
    "workbench/a/b.py": "any module",
    "tests/a/test_b.py": "the tests of any module",
    "widgets/a/b.py": "any module",
    "tests/widgets/a/test_b.py": "the tests of any module",
}
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def words(path: Path) -> Iterator[str]:
    """All docstrings and comments of a module."""
    with path.open("rb") as file:
        yield from (token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node, clean=False) or ""


@cache
def exists(name: str) -> bool:
    """Whether a dotted name can be reached: by importing as much of it as there are modules, and by its attributes."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for part in parts[end:]:
            found = getattr(found, part, None) or getattr(found, "__annotations__", {}).get(part)
            if found is None:
                return False
        return True
    return False


def wrong_names(text: str) -> Iterator[str]:
    """Dotted names that begin with a package or a room and lead nowhere."""
    for quoted, plain in DOTTED.findall(text):
        name = quoted or plain
        first = name.split(".")[0]
        if FILE.fullmatch(name):
            continue
        places = [name] if first in PACKAGES else [f"{package}.{name}" for package in PACKAGES if first in ROOMS]
        if places and not any(exists(place) for place in places) and not (ROOT / name).exists():
            yield name


def wrong_files(text: str, beside: Path) -> Iterator[str]:
    """Paths that are not there: from the root, from a package, or from where they are written."""
    places = [ROOT, *(ROOT / package for package in PACKAGES), ROOT / "notebooks", ROOT / "tests", *beside.parents]
    for name in FILE.findall(text) + FOLDER.findall(text):
        if name not in FOREIGN and not any((place / name).exists() for place in places):
            yield name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_and_comments_name_what_there_is(path):
    for text in words(path):
        wrong = [*wrong_names(text), *wrong_files(text, path)]
        assert not wrong, f"there is no {', '.join(wrong)}: name what stands there now"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_name_what_there_is(path):
    text = path.read_text("utf-8")
    wrong = [*wrong_names(text), *wrong_files(text, path)]
    assert not wrong, f"there is no {', '.join(wrong)}: name what stands there now"
