"""The wheel: built from a copy of the checkout in a folder with a space and an umlaut, installed, and used from there.

Nothing is fetched: pip is told so, and whatever the programs ask of the network fails at once.
"""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest
from checkout import EMBEDDED, FOLDERS, ROOT, copied

from workbench.serving.process import free_port, running

# What lies about in a checkout that somebody works in.
STRAY = (
    "notebooks/.ipynb_checkpoints/01-checkpoint.ipynb",
    "notebooks/runs/fashion-events-stllr-0.safetensors",
    "data_cache/shd/shd_train.h5",
    "data_cache/own_photographs.npz",
    "workbench/__pycache__/rule.cpython-311.pyc",
    "widgets/.ipynb_checkpoints/app-checkpoint.py",
    "build/lib/workbench/rule.py",
)
BOOK = ("index.html", "notebooks/01_one.html")  # as if it had been built
NO_NETWORK = {f"{kind}_proxy": "http://127.0.0.1:9" for kind in ("http", "https", "all")} | {"no_proxy": "127.0.0.1"}

pytestmark = [pytest.mark.wheel, pytest.mark.slow]


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    environment = {**os.environ, **NO_NETWORK, **variables}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Built in a copy of the checkout where stray files lie."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = copied(folder)
    for name in STRAY:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(b"stray")
    (copy / "build/book/html/notebooks").mkdir(parents=True)
    for name in BOOK:
        (copy / "build/book/html" / name).write_text("<h1>Built</h1>")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation"]
    run(*pip, "--wheel-dir", folder, ".", cwd=copy)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel) -> dict[str, str]:
    """The environment of a program that finds the installed wheel before any checkout."""
    place = wheel.parent / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", place]
    run(*pip, wheel, cwd=wheel.parent)
    found = run(sys.executable, "-c", "import workbench; print(workbench.__file__)", cwd=place.parent, PYTHONPATH=place)
    assert Path(found.strip()).parent == place / "workbench"
    return {"PYTHONPATH": str(place), "WORKBENCH_DATA": str(wheel.parent / "data")}


def files(folder: Path) -> set[str]:
    """What of a folder of the checkout ships, by its name in the wheel."""
    found = {path for path in folder.rglob("*") if path.is_file()}
    names = {path.relative_to(ROOT).as_posix() for path in found}
    return {name for name in names if not re.search(r"__pycache__|/\.|/runs/", name)}


def test_it_holds_the_sources_the_notebooks_and_the_embedded_data_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    expected = set.union(*(files(ROOT / folder) for folder in FOLDERS))
    expected = {re.sub("^(notebooks|results)/", r"workbench/\1/", name) for name in expected}
    expected |= {f"workbench/data/embedded/{name}" for name in EMBEDDED}
    expected |= {f"workbench/book/{name}" for name in BOOK}
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert {Path(name).suffix for name in expected} >= {".py", ".js", ".css", ".ipynb", ".json", ".j2", ".safetensors"}
    (about,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
    assert {f"{about}/licenses/LICENSE", f"{about}/licenses/data_cache/LICENSES.md"} <= set(names)


def test_its_program_lists_and_verifies(installed, tmp_path):
    def workbench(*arguments: str) -> str:
        return run(sys.executable, "-m", "workbench", *arguments, cwd=tmp_path, **installed)

    assert re.fullmatch(r"workbench \d+\.\d+\.\d+\n", workbench("--version"))
    assert "fashion-events" in workbench("list")
    assert re.search(r"voices +embedded", workbench("data", "list"))
    assert workbench("data", "verify", "voices", "fashion-mnist-small").count("good") >= 2
    assert "Everything is in place." in workbench("doctor")


def test_the_book_that_was_built_opens(installed, tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}/notebooks/01_one.html"
    command = [sys.executable, "-m", "workbench", "book", "--no-browser", "--port", str(port)]
    with running(command, url, tmp_path / "book.log", installed), urlopen(url) as page:
        assert page.read() == b"<h1>Built</h1>"


def test_every_panel_finds_its_data(installed, tmp_path):
    code = """
from widgets.app import PANELS
for panel in PANELS:
    assert panel().text, panel.name
    print(panel.name)
"""
    assert "compression" in run(sys.executable, "-c", code, cwd=tmp_path, **installed)


def test_its_app_opens(installed, open_page, tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "workbench", "app", "--no-browser", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}", tmp_path / "app.log", {**NO_NETWORK, **installed}):
        page = open_page(f"http://127.0.0.1:{port}/?tab=training")
        page.locator(".workbench-figure .main-svg").filter(visible=True).first.wait_for()
        assert len(page.locator(".workbench-status").filter(visible=True).inner_text()) > 20


def test_its_lab_works_on_copies(installed, tmp_path):
    own = Path(installed["PYTHONPATH"]) / "workbench" / "notebooks"
    before = {path.name: path.stat().st_mtime_ns for path in own.iterdir()}
    port = free_port()
    command = [sys.executable, "-m", "workbench", "lab", "--no-browser", "--allow-root", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}/lab", tmp_path / "lab.log", {**NO_NETWORK, **installed}):
        copies = {path.name for path in (tmp_path / "workbench-notebooks").glob("*.ipynb")}
    assert copies == {name for name in before if name.endswith(".ipynb")}
    assert {path.name: path.stat().st_mtime_ns for path in own.iterdir()} == before
