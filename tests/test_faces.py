"""Each room has a face: names that exist and are explained, cheap to import, and used by whoever stands outside."""

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

from widgets.app import PANELS

ROOT = Path(__file__).resolve().parents[1]
FACES = sorted(
    ".".join(path.parent.relative_to(ROOT).parts)
    for package in ("workbench", "widgets")
    for path in (ROOT / package).rglob("__init__.py")
)
each_face = pytest.mark.parametrize("face", FACES)


def home(face: str, name: str) -> str:
    """The module in which a name of a face is defined."""
    module = import_module(face)._homes[name]
    if module in FACES and module != face:
        return home(module, name)
    return f"{face}.{name}" if module == face else module


def is_explained(module: ModuleType, name: str) -> bool:
    """Whether the definition of a constant or alias carries an annotation, or a comment on its line or above it."""
    source = inspect.getsource(module)
    lines = ["", *source.splitlines()]
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign | ast.Assign):
            targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            if any(isinstance(each, ast.Name) and each.id == name for target in targets for each in ast.walk(target)):
                above, own = lines[node.lineno - 1], lines[node.lineno : (node.end_lineno or node.lineno) + 1]
                return isinstance(node, ast.AnnAssign) or above.startswith("#") or any("  # " in line for line in own)
    return False


@each_face
def test_every_name_exists_and_is_explained(face):
    for name in import_module(face).__all__:
        value = getattr(import_module(face), name)
        module = import_module(home(face, name))
        if inspect.isclass(value) or inspect.ismodule(value) or inspect.isfunction(inspect.unwrap(value)):
            generated = getattr(value, "_fields", None) and (value.__doc__ or "").startswith(f"{name}(")
            assert value.__doc__, f"{module.__name__}.{name} has no docstring; write one"
            assert not generated, f"{module.__name__}.{name} has only the docstring of every NamedTuple; write one"
        elif not getattr(value, "summary", ""):  # experiments say in words what they are
            assert is_explained(module, name), f"{name} in {module.__name__} needs a comment or an annotation"


@each_face
def test_names_are_sorted_and_each_has_its_import(face):
    """Constants, then classes, then the rest; `ruff check --fix` puts them in this order."""

    def order(name: str) -> tuple:
        parts = re.split(r"(\d+)", name)
        return not name.isupper(), not name[0].isupper(), [int(p) if p.isdigit() else p for p in parts]

    module = import_module(face)
    path = f"{face.replace('.', '/')}/__init__.py"
    assert module.__all__ == sorted(module.__all__, key=order), f"run `ruff check --fix {path}`"
    imported = set(module._homes) - {"TYPE_CHECKING", "lazy"}
    assert set(module.__all__) == imported, f"`__all__` and the imports of {path} must hold the same names"


def test_a_function_is_not_hidden_by_the_module_of_its_name():
    assert inspect.ismodule(import_module("workbench.audit.audit"))
    from workbench.audit import audit
    from workbench.rules import stllr

    assert inspect.isfunction(audit)
    assert inspect.ismodule(stllr)


def test_a_wrong_name_is_answered_with_what_to_do():
    with pytest.raises(AttributeError, match=r"workbench\.neurons has no 'runlif'; dir\(workbench\.neurons\) lists"):
        import_module("workbench.neurons").runlif  # noqa: B018
    assert {"Neuron", "run_lif"} <= set(dir(import_module("workbench.neurons")))


@pytest.mark.parametrize(
    ("imports", "absent"),
    [
        (f"import {', '.join(FACES)}", {"torch", "numpy", "plotly", "ipywidgets", "ast"}),
        ("from widgets import PANELS, App, build_app", {"torch"}),  # the page is painted before torch is loaded
        ("from workbench.data import fashion_mnist_small", {"torch"}),
        ("from workbench.neurons import Neuron", {"numba", "plotly"}),
        ("from workbench.rules import stllr", {"numba", "plotly", "PIL"}),
    ],
)
def test_a_face_loads_nothing_that_is_not_asked_for(imports, absent):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{imports}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert not absent & set(done.stdout.split())


def imports(source: str) -> list[tuple[str, list[str]]]:
    """Modules of ours that a piece of code imports, with the names it takes from them."""
    code = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
    found: list[tuple[str, list[str]]] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, [alias.name for alias in node.names]))
        elif isinstance(node, ast.Import):
            found += [(alias.name, []) for alias in node.names]
    return [(module, names) for module, names in found if module.split(".")[0] in ("workbench", "widgets")]


def past_a_face(source: str) -> list[str]:
    """What to change, for each import that does not use a face, or uses a name that the face does not hand on."""
    advice = []
    for module, names in imports(source):
        face = module if module in FACES else module.rpartition(".")[0]
        if module in ("workbench.rule", "workbench.doctor"):
            continue  # doors without a room
        if module != face:
            advice.append(f"`from {module} import {', '.join(names)}` goes past a face: `from {face} import …`")
        path = f"{face.replace('.', '/')}/__init__.py"
        for name in names:
            if name not in import_module(face).__all__:
                advice.append(
                    f'add to {path}, under TYPE_CHECKING: `from {module} import {name}`, to `__all__`: "{name}"'
                )
    return advice


def blocks(text: str) -> list[str]:
    """The Python blocks of a page of Markdown."""
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


def strings(source: str) -> list[str]:
    """Import statements that stand in strings: examples in docstrings, and the cells of "Show the code"."""
    texts = [n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    found = r"^[ >]*((?:from (?:workbench|widgets)[\w.]* )?import \w[\w, .]*\w)(?=[ ,]*$)"
    return [line for text in texts for line in re.findall(found, text, re.M)]


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_enter_through_the_face(path):
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert not [advice for cell in cells for advice in past_a_face(cell)]


@pytest.mark.parametrize("path", [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))], ids=lambda p: p.stem)
def test_pages_enter_through_the_face(path):
    assert not [advice for block in blocks(path.read_text()) for advice in past_a_face(block)]


@pytest.mark.parametrize("path", sorted((ROOT / "bench").glob("*.py")), ids=lambda path: path.stem)
def test_benchmarks_enter_through_the_face(path):
    assert not past_a_face(path.read_text())


@pytest.mark.parametrize(
    "path",
    sorted(path for package in ("workbench", "widgets") for path in (ROOT / package).rglob("*.py")),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_examples_enter_through_the_face(path):
    assert not [advice for line in strings(path.read_text()) for advice in past_a_face(line)]


@pytest.mark.parametrize("later", PANELS, ids=lambda later: later.name)
def test_show_the_code_enters_through_the_face(later):
    assert not past_a_face(later().code())
