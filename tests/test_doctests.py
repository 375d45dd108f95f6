"""Every example in a docstring runs, and gives what it says."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in ("workbench", "widgets")
    for path in (ROOT / package).rglob("*.py")
    if path.stem != "__main__" and ">>>" in path.read_text()
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    """An example starts with the names of its own module; what it needs besides, it imports through the faces."""
    module = import_module(name)
    failed = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    examples = [each for each in doctest.DocTestFinder().find(module) if each.examples]
    assert examples, f"{name} shows examples that cannot be found; `>>>` belongs into a docstring"
    for each in examples:
        runner.run(each, out=failed.append)
    assert not failed, "".join(failed)
