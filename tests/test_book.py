"""The sources of the book before they are built, and the files that launch a notebook elsewhere."""

import doctest
import importlib
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = "https://github.com/someone/learning"
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
MODULES = ("docstrings", "glossary", "launch", "mathml", "one_update", "staging")


@pytest.fixture(scope="module")
def house():
    """The modules of docs/book by their names."""
    sys.path.insert(0, str(ROOT / "docs" / "book"))
    yield {name: importlib.import_module(name) for name in MODULES}
    sys.path.remove(str(ROOT / "docs" / "book"))


@pytest.mark.parametrize("name", MODULES)
def test_its_examples_hold(house, name):
    assert not doctest.testmod(house[name]).failed


def test_every_page_has_a_place_and_one_only(house):
    contents = house["staging"].contents
    pages = ["use", "notebooks/01_lif", "docs/teaching", "docs/new_page", "api/index", "api/workbench.rules"]
    written = contents(pages)
    assert re.findall(r"^/(.+)$", written, re.M) == [
        "use",
        "notebooks/01_lif",
        "docs/teaching",
        "api/index",
        "docs/new_page",
    ]
    with pytest.raises(ValueError, match="no place for lost"):
        contents([*pages, "lost"])


def test_what_is_for_the_machine_is_left_out_of_a_lesson(house):
    lesson = nbformat.read(ROOT / "notebooks/01_lif_and_traces.ipynb", as_version=4)
    before = len(lesson.cells)
    shown = house["staging"].prepared(lesson, "Open in [Binder](address)")
    assert len(shown.cells) < before
    assert shown.cells[0].source.splitlines()[2] == "Open in [Binder](address)"
    for cell in shown.cells:
        assert "walk" not in cell.metadata.get("tags", [])
        for output in cell.get("outputs", []):
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
    panels = [cell for cell in shown.cells if "panel" in cell.metadata.get("tags", [])]
    assert len(panels) == 3
    assert all(cell.metadata["mystnb"]["image"]["alt"].endswith("?") for cell in panels)


def test_a_section_that_readme_lost_is_named(house):
    staging = house["staging"]
    readme = staging.sections((ROOT / "README.md").read_text("utf-8"))
    for title, wanted in staging.SECTIONS.values():
        assert staging.from_readme(readme, title, wanted).startswith(f"# {title}\n")
    with pytest.raises(ValueError, match=r"no section Two commands: change SECTIONS"):
        staging.from_readme({}, "Use", ["Two commands"])


def test_a_page_of_a_rule_has_its_equations_with_meanings_and_all_stages(house):
    staging = house["staging"]
    notation = (ROOT / "NOTATION.md").read_text("utf-8")
    for rule in staging.RULES.values():
        text = staging.rule_page(rule, notation)
        assert '<pre class="equations"' in text
        assert text.count('class="symbol" data-means=') > 10, rule.title
        assert text.count("<li>") == 24
        assert text.count("<mark>") >= 24
        assert "| in code |" in text


def test_docstrings_become_fields_equations_and_links(house):
    docstrings = house["docstrings"]
    text = """Steps of *x*.

            q = λ q + x

            r = q

        decay, rate: in `[0, 1]`,
            see `traces.run`
        x: input

        >>> 1 + 1
        2"""
    found = list(docstrings.blocks(text, ["decay", "rate", "x"]))
    assert [block.kind for block in found] == ["text", "literal", "field", "field", "example"]
    assert found[1].text == "q = λ q + x\n\nr = q"
    rst = docstrings.as_rst(found)
    assert r"Steps of \*x\*." in rst
    assert ":param decay, rate: in ``[0, 1]``," in rst
    assert ":py:obj:`traces.run`" in rst
    assert ".. code-block:: pycon\n\n    >>> 1 + 1\n    2" in rst


# ---- launching elsewhere ---------------------------------------------------------------------------------------------


def test_one_address_is_all_that_publication_changes(house):
    launch = house["launch"]
    changed = launch.with_address(PYPROJECT, ADDRESS)
    assert launch.repository(changed) == ADDRESS
    assert launch.with_address(changed, ADDRESS) == changed
    assert launch.repository(launch.with_address(changed, "https://github.com/a/b")) == "https://github.com/a/b"
    assert tomllib.loads(changed)["project"]["dependencies"] == tomllib.loads(PYPROJECT)["project"]["dependencies"]


def test_readme_has_the_links_of_the_address_there_is(house):
    launch = house["launch"]
    readme = (ROOT / "README.md").read_text("utf-8")
    assert launch.with_links(readme, launch.repository(PYPROJECT)) == readme
    linked = launch.with_links(readme, ADDRESS)
    for place in ("mybinder.org", "colab.research.google.com", "kaggle.com"):
        assert linked.count(place) == 1
    assert launch.with_links(linked, "") == launch.with_links(readme, "")
    with pytest.raises(ValueError, match="has no line <!-- launch -->"):
        launch.with_links("# Another", ADDRESS)


@pytest.mark.parametrize("wrong", ["", "github.com/a/b", "https://github.com/a", "https://example.org/a/b"])
def test_what_is_no_address_is_refused(house, wrong):
    with pytest.raises(ValueError, match=r"expected an address such as https://github\.com/OWNER/NAME"):
        house["launch"].check_address(wrong)


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_a_lesson_for_anywhere_installs_what_is_missing(house, address):
    lesson = nbformat.read(ROOT / "notebooks/00_start_here.ipynb", as_version=4)
    changed = house["launch"].for_anywhere(lesson, address)
    nbformat.validate(changed)
    cell = changed.cells[1]
    assert cell.source.count(f"git+{ADDRESS}") == bool(address)
    wanted, code = [], TransformerManager().transform_cell(cell.source)
    names = {"get_ipython": lambda: type("Shell", (), {"run_line_magic": lambda self, *line: wanted.append(line)})()}
    exec(code, names)
    assert not wanted, "the workbench is installed here"
    exec(code.replace('find_spec("workbench")', "None"), names)
    ((magic, line),) = wanted
    assert (magic, shlex.split(line)[:2]) == ("pip", ["install", "--quiet"])
    assert shlex.split(line)[2].startswith("local-learning-workbench")


def test_a_notebook_needs_no_server_of_its_own():
    """The library comes without JupyterLab and Voila: Colab has a Jupyter, and a minute to install what it lacks."""
    project = tomllib.loads(PYPROJECT)["project"]
    names = {re.match(r"[\w.-]+", line)[0] for line in project["dependencies"]}
    assert not names & {"jupyterlab", "voila", "notebook", "jupyter", "numba"}
    assert {re.match(r"[\w.-]+", line)[0] for line in project["optional-dependencies"]["app"]} == {
        "jupyterlab",
        "voila",
    }


def instructions() -> list[list[str]]:
    """The Dockerfile's instructions as words, continued lines joined."""
    text = (ROOT / "docs/serving/Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return [shlex.split(line, comments=True) for line in text.splitlines() if line.strip() and line[0] != "#"]


def test_the_container_copies_what_there_is_and_pins_what_it_installs():
    kinds = [words[0] for words in instructions()]
    assert kinds[0] == "FROM"
    copied = set()
    for words in instructions():
        if words[0] == "COPY":
            assert all((ROOT / source).exists() for source in words[1:-1]), words
            copied |= {source.rstrip("/") for source in words[1:-1]}
        if words[0] == "RUN" and "pip" in words:
            assert "constraints.txt" in copied
            assert words[words.index("--constraint") + 1] == "constraints.txt"
            assert "--index-url" not in words, "no other index has all the versions that are pinned"
    wheel = tomllib.loads(PYPROJECT)["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert {name for name in wheel if not name.startswith("build/")} | {"README.md", "LICENSE"} <= copied


def test_the_container_serves_strangers_and_not_as_root():
    from workbench.cli import build_parser

    words = instructions()
    (user,) = [each[1] for each in words if each[0] == "USER"]
    assert user not in ("root", "0")
    (entry,) = [each[1:] for each in words if each[0] == "ENTRYPOINT"]
    program, *arguments = [word.strip("[],") for word in entry]
    assert program == "workbench"
    given = build_parser().parse_args(arguments)
    assert (given.public, given.no_browser, given.address, given.port) == (True, True, "0.0.0.0", 8866)
    assert ["EXPOSE", "8866"] in words
    version = re.fullmatch(r"python:(3\.\d+)-slim", words[0][1])[1]
    assert f"Programming Language :: Python :: {version}" in PYPROJECT


BINDER = ROOT / ".binder" / "requirements.txt"


def test_pip_reads_the_file_of_binder_as_it_is_started_there():
    """From the root of the repository; nothing is fetched and nothing installed."""
    nothing = ["--dry-run", "--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--report", "-"]
    command = [sys.executable, "-m", "pip", "install", *nothing, "-r", BINDER.relative_to(ROOT)]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wanted,) = json.loads(done.stdout)["install"]
    assert wanted["metadata"]["name"] == "local-learning-workbench"
    extras = ["app", "fast"]
    assert wanted.get("requested_extras", extras) == extras  # pip tells them from 23.1 on


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "serving").iterdir()), ids=lambda path: path.name)
def test_every_extra_that_a_server_is_installed_with_is_there(path):
    extras = set(tomllib.loads(PYPROJECT)["project"]["optional-dependencies"])
    for named in re.findall(r"(?:workbench|\.)\[([a-z,]+)\]", path.read_text("utf-8")):
        assert set(named.split(",")) <= extras


def test_binder_installs_the_app_in_tested_versions():
    text = BINDER.read_text("utf-8")
    (constraints,) = re.findall(r"^--constraint (.+)$", text, re.M)
    assert (BINDER.parent / constraints).resolve() == ROOT / "constraints.txt", "pip looks for it beside the file"
    (wanted,) = re.findall(r"^\.\[(.+)\]$", text, re.M)
    assert wanted.split(",") == ["app", "fast"]
    version = (ROOT / ".binder/runtime.txt").read_text("utf-8").strip().removeprefix("python-")
    assert f"Programming Language :: Python :: {version}" in PYPROJECT
