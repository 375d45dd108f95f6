"""`make mutants` on a checkout of one function: killed mutants count, the rest is listed, explained, tried again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[1] / ".ci"
ROOMS = ("neurons", "credit", "rules", "continual", "compression", "cost")
HALF = "def half(x):\n    return x / 2\n\n\nLARGEST = 7\n"
BLIND = "from workbench.neurons.half import half\n\n\ndef test_half():\n    assert half(0) == 0\n"
SEES_HALF = BLIND + "    assert half(6) == 3\n"
SEES_ALL = (
    SEES_HALF + "\n\ndef test_largest():\n    from workbench.neurons.half import LARGEST\n    assert LARGEST == 7\n"
)
ALL = "all                 3"  # mutants


@pytest.fixture
def checkout(tmp_path):
    """A checkout whose one function has a test that hardly looks: x * 2, x / 3 and LARGEST = 8 pass."""
    (tmp_path / ".ci").mkdir()
    for name in ("mutants.py", "mutation.py", "covering.py"):
        shutil.copy(TOOL / name, tmp_path / ".ci")
    (tmp_path / ".ci" / "numba.py").touch()  # what the tool imports beforehand, without the seconds
    (tmp_path / ".ci" / "torch.py").write_text("def set_num_threads(count):\n    pass\n")
    for room in ROOMS:
        for part in ("workbench", "tests"):
            (tmp_path / part / room).mkdir(parents=True)
        (tmp_path / "workbench" / room / "__init__.py").touch()
    (tmp_path / "workbench" / "__init__.py").touch()
    (tmp_path / "workbench" / "neurons" / "half.py").write_text(HALF)
    (tmp_path / "tests" / "neurons" / "test_half.py").write_text(BLIND)
    (tmp_path / "tests" / "test_defaults.py").write_text("def test_nothing():\n    pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow\n    browser\n")
    return tmp_path


def mutants(checkout):
    """What the tool prints and says on the way, and its exit status."""
    command = [sys.executable, ".ci/mutants.py", "--count", "9", "--workers", "1", "--rooms", "neurons"]
    variables = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=checkout, env=variables, capture_output=True, text=True)
    return done.stdout, done.stderr, done.returncode


def test_survivors_are_listed_explained_and_tried_again(checkout):
    found, told, _ = mutants(checkout)
    assert ALL in found, told
    assert "3 of 3 survived unexplained (100.0%, allowed 5%)" in found
    assert "survived workbench/neurons/half.py:2\n    return x / 2\n    return x * 2\n" in found

    (checkout / "tests" / "neurons" / "test_half.py").write_text(SEES_HALF)
    found, told, _ = mutants(checkout)
    assert told.count("killed") == 2, told
    assert "1 of 3 survived unexplained" in found
    assert "survived workbench/neurons/half.py:5\n    LARGEST = 7\n    LARGEST = 8\n" in found

    (checkout / ".ci" / "mutants.toml").write_text('"workbench/neurons/half.py: LARGEST = 7 -> LARGEST = 8" = "unused"')
    found, told, _ = mutants(checkout)
    assert "0 of 3 survived unexplained" in found
    assert told == ""  # nothing was tried again

    (checkout / ".ci" / "mutants.toml").unlink()
    (checkout / "tests" / "neurons" / "test_half.py").write_text(SEES_ALL)
    found, told, _ = mutants(checkout)
    assert "0 of 3 survived unexplained" in found
    assert told.count("killed") == 1  # only the survivor was tried again


def test_a_count_that_cannot_be_reached_is_no_success_of_fewer(checkout):
    (checkout / "tests" / "neurons" / "test_half.py").write_text(SEES_ALL.replace("== 3", "== 4"))
    found, told, status = mutants(checkout)
    assert status == 1
    assert found == ""
    assert "test_half.py fails without any change" in told + (checkout / "test-results" / "mutants.log").read_text()
