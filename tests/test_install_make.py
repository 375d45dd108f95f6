"""`make` from a folder with a space and an umlaut, and what it says when it cannot go on."""

import itertools
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from urllib.request import urlopen

import pytest
from checkout import FOLDERS, ROOT, copied
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from workbench.serving.process import free_port, running

MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


@pytest.fixture
def checkout(tmp_path) -> Path:
    """With an installation that takes its packages from the environment of the tests."""
    checkout = copied(tmp_path)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=checkout, check=True)
    (site,) = checkout.glob(".venv/lib/python*/site-packages")
    (site / "installed.pth").write_text(f"{checkout}\n{sysconfig.get_path('purelib')}\n", "utf-8")
    (checkout / ".venv" / "share").symlink_to(Path(sys.prefix) / "share")  # the page templates of Voila
    for stamp in (".installed", ".installed-dev"):
        (checkout / ".venv" / stamp).write_text(f"{checkout.resolve()}\n", "utf-8")
    return checkout


def environment(**variables: str) -> dict[str, str]:
    """Without what a `make` that runs this test, or the checkout that is tested, hands on."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTHON", "STAGES"))}
    return {**kept, **variables}


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(**variables), capture_output=True, text=True, timeout=300
    )


def python_of_version(folder: Path, version: str) -> Path:
    """A program in a folder with a space that answers as a Python of this version would."""
    path = folder / "other pythons" / f"python{version}"
    path.parent.mkdir(exist_ok=True)
    code = f"import sys; sys.version_info = ({', '.join(version.split('.'))}); exec(sys.argv[1])"
    path.write_text(f"""#!/bin/sh
if test "$1" = -c; then exec "{sys.executable}" -c "{code}" "$2"; fi
echo "Python {version}"
""")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("target", ["app", "lab"])
def test_servers_start_in_a_folder_with_a_space_and_an_umlaut(checkout, target):
    done = make(checkout, target, "ARGS=--help")
    assert done.returncode == 0, done.stderr
    assert f"usage: workbench {target}" in done.stdout


@pytest.mark.slow
def test_the_app_answers_from_there(checkout, tmp_path):
    port = free_port()
    command = ["make", "--directory", str(checkout), "app", f"ARGS=--no-browser --port {port}"]
    url = f"http://127.0.0.1:{port}"
    with running(command, f"{url}/api", tmp_path / "log"), urlopen(url, timeout=120) as page:
        assert b"<title>Local Learning Workbench</title>\n" in itertools.islice(page, 10)


def test_the_test_command_starts_there(checkout):
    for folder in FOLDERS:  # whether these are well written is another test's business
        shutil.rmtree(checkout / folder)
    done = make(checkout, "test", "STAGES=format lint")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"^(\d/2 \w+) … \d+ s ok$", done.stdout, re.M) == ["1/2 format", "2/2 lint"]


def test_nothing_is_installed_twice(checkout):
    assert "pip" not in make(checkout, "--dry-run", "app", "test").stdout


def test_a_moved_or_changed_checkout_is_installed_again(checkout, tmp_path):
    moved = checkout.rename(tmp_path / "anderswo")
    assert "pip install" in make(moved, "--dry-run", "app").stdout
    (moved / ".venv" / ".installed").write_text(f"{moved.resolve()}\n", "utf-8")
    assert "pip install" not in make(moved, "--dry-run", "app").stdout
    later = (moved / ".venv" / ".installed").stat().st_mtime + 10
    os.utime(moved / "constraints.txt", (later, later))
    assert "pip install" in make(moved, "--dry-run", "app").stdout


@pytest.mark.parametrize("version", ["3.9.2", "3.10.14", "3.14.1", "3.15.2"])
def test_a_python_that_does_not_fit_is_named_with_those_that_do(tmp_path, version):
    python = python_of_version(tmp_path, version)
    done = make(copied(tmp_path), "app", PYTHON=str(python))
    assert done.returncode != 0
    assert "needs Python 3.11 to 3.14, but not 3.14.1" in done.stderr
    assert f"Here {python} is Python {version}." in done.stderr
    assert "make app PYTHON=python3.12" in done.stderr


def test_a_python_that_is_not_there_is_said(tmp_path):
    done = make(copied(tmp_path), "app", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "needs Python 3.11 to 3.14" in done.stderr
    assert "not found" in done.stderr


def test_a_named_python_must_be_the_installed_one(checkout, tmp_path):
    other = python_of_version(tmp_path, "3.13.7" if sys.version_info[:2] != (3, 13) else "3.12.7")
    done = make(checkout, "app", "ARGS=--help", PYTHON=str(other))
    assert done.returncode != 0
    assert f"not {other}. Type 'make clean' first." in done.stderr
    assert make(checkout, "app", "ARGS=--help", PYTHON=sys.executable).returncode == 0


def test_make_and_the_project_name_the_same_pythons(monkeypatch):
    allowed = SpecifierSet(re.search(r'^requires-python = "(.*?)"', (ROOT / "pyproject.toml").read_text(), re.M)[1])
    fits = re.search(r"^FITS := (.*)$", MAKEFILE, re.M)[1]
    for minor, micro in itertools.product(range(9, 17), range(20)):
        monkeypatch.setattr(sys, "version_info", (3, minor, micro, "final", 0))
        with pytest.raises(SystemExit) as end:
            exec(fits)
        assert (not end.value.code) == (Version(f"3.{minor}.{micro}") in allowed)
