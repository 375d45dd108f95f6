"""No test leans on how fast the machine is: what a test waits for, it waits for by an event (see `gate`)."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
# Whatever lets time go by and then looks: also in programs that a test starts, and in scripts of a page.
BLIND = re.compile(r"\b(sleep|wait_for_timeout|setTimeout)\s*\(")
ALLOWED: dict[str, str] = {}  # file, and why no event tells what it waits for

files = pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))


@files
def test_nothing_waits_for_time_to_go_by(path):
    found = [line.strip() for line in path.read_text("utf-8").splitlines() if BLIND.search(line)]
    name = path.relative_to(TESTS).as_posix()
    assert not found or name in ALLOWED, f"wait for an event, or poll with gate.wait_for: {found}"


def test_every_exception_is_used_and_has_its_reason():
    for name, reason in ALLOWED.items():
        assert BLIND.search((TESTS / name).read_text("utf-8"))
        assert len(reason) > 20


@pytest.mark.parametrize("name", ["time.sleep", "    page.wait_for_timeout ", 'code = "import time; sleep'])
def test_the_pattern_finds_what_it_should(name):
    assert BLIND.search(name + "(1)")
    assert not BLIND.search("asleep" + "(1)")
