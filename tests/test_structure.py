"""The house holds together: direction of imports, names that mirror each other, one list of dependencies."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DRAWING = {"plotly", "ipywidgets", "anywidget", "matplotlib", "widgets", "IPython"}
CONDA_NAMES = {"matplotlib": "matplotlib-base", "torch": "pytorch"}


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports, wherever the import stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", sorted(ROOT.glob("workbench/**/*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_what_computes_does_not_draw(path):
    assert not imported(path) & DRAWING


@pytest.mark.parametrize("folder", ["workbench", "widgets"])
def test_no_drawer_for_odds_and_ends(folder):
    names = {path.stem for path in ROOT.glob(f"{folder}/**/*.py")}
    assert not names & {"utils", "helpers", "common", "misc"}


def requirements(lines: list[str]) -> dict[str, str]:
    """Name to version range."""
    found = {}
    for line in lines:
        name, versions = re.match(r"([A-Za-z0-9_.-]+)(.*)", line).groups()
        found[name] = versions.strip()
    return found


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_conda_environment_lists_the_same_dependencies():
    """With the extras that are meant for users: all but `dev` and `book`."""
    lines = re.findall(r"^ +- (.+)$", (ROOT / "environment.yml").read_text(), re.M)
    lines = [line for line in lines if line not in ("conda-forge", "pip", "pip:", "--editable .")]
    extras = [each for name, each in project()["optional-dependencies"].items() if name not in ("dev", "book")]
    wanted = requirements(sum(extras, project()["dependencies"]))
    expected = {CONDA_NAMES.get(name, name): versions for name, versions in wanted.items()}
    expected["python"] = project()["requires-python"]
    assert requirements(lines) == expected


def test_every_dependency_has_a_tested_version():
    pinned = requirements((ROOT / "constraints.txt").read_text().splitlines())
    extras = [line for lines in project()["optional-dependencies"].values() for line in lines]
    for name in requirements(project()["dependencies"] + extras):
        assert pinned[name].startswith("=="), name
    assert pinned["torch"] == "==2.13.0"


def test_every_dependency_is_argued_for():
    text = (ROOT / "pyproject.toml").read_text()
    for line in re.findall(r'^  "[a-z][A-Za-z0-9_.-]*[><=].*$', text, re.M):
        assert re.search(r"# \w+.{10,}", line), line
