"""Tests mirror the rooms: `workbench/a/b.py` has `tests/a/test_b.py`, and every test file has a module of its name.

Tests of `widgets/a/b.py` are `tests/widgets/a/test_b.py`, those of `bench/b.py` are `tests/bench/test_b.py`.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"

# A module without a test of its name, and where it is tested instead.
ELSEWHERE = {
    "workbench/data/images.py": "two tuples without code of their own; every set of images fills them",
    "workbench/kernels/compiled.py": "names the loops of its neighbours; tests/kernels/test_plain.py compares them all",
    "workbench/mixes/axes.py": "four tuples without code of their own; the other modules of the room fill them",
    "workbench/mixes/space.py": "tests/mixes/test_mix.py has every signal written out",
    "workbench/mixes/time.py": "tests/mixes/test_mix.py has every eligibility written out",
    "widgets/frame/lesson.py": "tuples without code; tests/widgets/lessons/test_lessons.py reads all of them",
    "widgets/page/accessibility.py": "its work is done in the browser; see tests/browser/test_panel_pages.py",
    "widgets/panels/basis_pictures.py": "empty figures; tests/widgets/panels/test_basis.py reads what is drawn in them",
    "widgets/panels/cost_pictures.py": "empty figures; tests/widgets/panels/test_cost.py reads what is drawn in them",
    "widgets/panels/locality_pictures.py": "empty figures; tests/widgets/panels/test_locality.py reads them when drawn",
    "widgets/panels/overlap_pictures.py": "empty figures; tests/widgets/panels/test_overlap.py reads them when drawn",
}
MOST = 12  # modules that may stand there
DATA = ("widgets/lessons/",)  # a file for each panel, without code; one test reads all of them
# A test without a module of its name, and what it holds together.
ACROSS = {
    "course/test_teaching.py": "the pages for teachers, their links and numbers",
    "course/test_language.py": "exercises and their checks in another language",
    "course/test_nbgrader.py": "a class graded by nbgrader, from the assignment to the report",
    "cli/test_signals.py": "what a signal does to every command",
    "data/sets/test_own_files.py": "what every reader says of a file that is not what it is taken for",
    "rules/test_by_definition.py": "the fast form of every rule against its plain text",
    "rules/test_lengths.py": "samples of several lengths in one batch, under every rule",
    "rules/test_pairs.py": "every pair of rules differs, or agrees where theory says so",
    "serving/test_attacks.py": "everything that a stranger may try, at one server",
    "serving/test_public.py": "a whole server for strangers",
    "sweeps/test_small_cells.py": "one cell for every rule and method, trained again",
    "training/test_lengths.py": "samples of several lengths through training, evaluation and records",
    "training/test_killed.py": "whole experiments, killed and carried on",
    "widgets/lessons/test_lessons.py": "the lessons of all panels",
    "widgets/test_language.py": "the languages of all panels and of the page around them",
    "test_book.py": "the sources of the book, and the files that launch a notebook elsewhere",
    "test_defaults.py": "defaults against the papers, from all rooms",
    "test_doctests.py": "the examples in all docstrings",
    "test_floors.py": "the direction of imports",
    "test_install.py": "pinned versions and the Pythons that they fit",
    "test_install_make.py": "the Makefile",
    "test_install_mutants.py": "make mutants on a checkout of one function",
    "test_install_stages.py": "the stages of the test command",
    "test_mirror.py": "this file",
    "test_mentions.py": "names in words, in all rooms and pages",
    "test_no_chance.py": "no test waits for time to go by",
    "test_notebooks.py": "the notebooks as files",
    "test_own_pages.py": "the code of the pages 'your own …'",
    "test_signatures.py": "signatures and parameters of all rooms",
    "test_structure.py": "dependencies and what may draw",
}
PAGES = "browser"  # whole pages in a browser: no module is alone on them
FUZZ = "fuzz"  # families of functions under arbitrary input, a file for each room


def modules() -> Iterator[str]:
    """Every module but the faces, what `python -m` runs, and data."""
    for package in ("workbench", "widgets"):
        for path in sorted((ROOT / package).rglob("*.py")):
            module = path.relative_to(ROOT).as_posix()
            if not path.stem.startswith("__") and not module.startswith(DATA):
                yield module


MODULES = list(modules())


def mirrored(module: str) -> str:
    """Where the tests of a module lie, from `tests`."""
    package, *folders, name = PurePosixPath(module).parts
    return PurePosixPath(*([] if package == "workbench" else [package]), *folders, f"test_{name}").as_posix()


def named_by(test: str) -> str:
    """The module that a test file is named after, whether there is one or not."""
    *folders, name = PurePosixPath(test).parts
    package = [] if folders[:1] in (["widgets"], ["bench"]) else ["workbench"]
    return PurePosixPath(*package, *folders, name.removeprefix("test_")).as_posix()


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_test_of_its_name(module):
    test, reason = mirrored(module), ELSEWHERE.get(module)
    assert (TESTS / test).is_file() or reason, (
        f"{module} has no tests/{test}: lay the tests that are about it there, or write them, "
        "or say in ELSEWHERE of tests/test_mirror.py where it is tested"
    )
    assert not ((TESTS / test).is_file() and reason), f"{module} has tests/{test}: take it out of ELSEWHERE"


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: path.relative_to(TESTS).as_posix())
def test_every_test_has_a_module_of_its_name(path):
    test = path.relative_to(TESTS).as_posix()
    if test.startswith((f"{PAGES}/", f"{FUZZ}/")) or test in ACROSS:
        return
    module = named_by(test)
    assert (ROOT / module).is_file(), (
        f"tests/{test} is named after no module, there is no {module}: name it after the module that it is about, "
        "or say in ACROSS of tests/test_mirror.py what it holds together"
    )


def test_exceptions_are_few_and_exist():
    assert len(ELSEWHERE) <= MOST
    for path in (*ELSEWHERE, *(f"tests/{test}" for test in ACROSS)):
        assert (ROOT / path).is_file(), f"there is no {path} any more: take it out of tests/test_mirror.py"
    for reason in (*ELSEWHERE.values(), *ACROSS.values()):
        assert len(reason) > 8
    assert not {f"tests/{mirrored(module)}" for module in MODULES} & {f"tests/{test}" for test in ACROSS}


@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("workbench/rules/stllr.py", "rules/test_stllr.py"),
        ("workbench/rule.py", "test_rule.py"),
        ("workbench/data/sets/shd.py", "data/sets/test_shd.py"),
        ("widgets/app.py", "widgets/test_app.py"),
        ("widgets/panels/lif.py", "widgets/panels/test_lif.py"),
    ],
)
def test_the_way_there_and_back(module, test):
    assert mirrored(module) == test
    assert named_by(test) == module
