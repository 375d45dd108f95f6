"""The house holds together: direction of imports, names that mirror each other, one list of dependencies."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

from workbench.faces import Face

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


def modules() -> dict[str, Path]:
    """All modules of both packages by name; a room by the name of its folder."""
    found = [path for package in ("workbench", "widgets") for path in ROOT.glob(f"{package}/**/*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in found}


def at_import(body: Iterable[ast.AST]) -> Iterator[tuple[str, str | None]]:
    """Module and name of what is imported while a file itself is: not in functions, nor for type checkers."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)
        yield from at_import(ast.iter_child_nodes(node))


def needed(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules that must be there before a file is."""
    found = set()
    for module, name in at_import(ast.parse(path.read_text(encoding="utf-8")).body):
        if module not in known:
            continue
        room = import_module(module) if known[module].name == "__init__.py" else None
        if f"{module}.{name}" in known:
            found.add(f"{module}.{name}")
        elif isinstance(room, Face) and name in room.__all__:
            found.add(room._homes[name])
        else:
            found.add(module)
    return found


def test_no_modules_import_each_other_in_a_circle():
    """Of two threads that import such modules one is given half a module. Circles of other packages are theirs."""
    known = modules()
    graph = {module: needed(path, known) for module, path in known.items()}
    assert sum(map(len, graph.values())) > len(graph) > 300
    assert not circle(graph)


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Names along a circle, the first again at the end; none where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import torch, widgets.app", {"widgets.app"}),
        ("from workbench.rules import stllr", {"workbench.rules.stllr"}),
        ("from workbench.rules import STLLR", {"workbench.rules.stllr"}),
        ("from workbench.kernels.plain import TORCH", {"workbench.kernels.plain"}),
        ("if TYPE_CHECKING:\n    import widgets.app", set()),
        ("def late():\n    import widgets.app", set()),
        ("try:\n    import widgets.app\nexcept ImportError:\n    pass", {"widgets.app"}),
    ],
)
def test_what_is_imported_at_once_is_seen(code, found, tmp_path):
    path = tmp_path / "module.py"
    path.write_text(code, encoding="utf-8")
    assert needed(path, modules()) == found


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
