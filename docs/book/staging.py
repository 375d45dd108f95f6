"""The sources of the book, gathered into one folder with the layout of the checkout, so that links hold as they are.

Nothing is written twice: the notebooks are copied with the results they keep; pages about rules come from the
docstrings of their modules, the glossary from NOTATION.md, the reference from the faces of the rooms, the pages about
use and results from README.md. Only what stands in `pages/` was written for the book.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from importlib import import_module
from inspect import getdoc, isclass, isroutine
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import glossary
import nbformat
from docstrings import as_markdown, blocks
from launch import badges
from nbformat import NotebookNode
from one_update import one_update

from widgets import panels
from workbench.cli.main import COMMANDS
from workbench.cli.parser import Parser
from workbench.faces import Face

ROOT = Path(__file__).resolve().parents[2]
PAGES = Path(__file__).resolve().parent / "pages"
WALK = "walk"  # tag of a cell that turns every control, for the machine


class RulePage(NamedTuple):
    """A page about one rule: the modules whose docstrings it tells, its panel "Step by step", what goes with it."""

    title: str
    modules: tuple[str, ...]
    update: str
    notation: tuple[str, ...]
    notebooks: tuple[str, ...]
    results: str


LIVE = {"stllr": "timing"}  # rules with a figure of static/live.js
TIME, SPACE = "Neurons and traces", "Learning signals in space"
RULES: Mapping[str, RulePage] = {
    "s_tllr": RulePage("S-TLLR", ("workbench.rules.stllr",), "stllr", (TIME,), ("02", "03", "04", "05", "06"), "stllr"),
    "lls": RulePage("LLS", ("workbench.rules.lls",), "lls", (SPACE,), ("07", "08"), "lls"),
    "tess": RulePage("TESS", ("workbench.rules.tess",), "tess", (TIME, SPACE), ("09",), "tess"),
    "code_cl": RulePage(
        "CODE-CL", ("workbench.continual.methods.code_cl",), "code-cl", ("Continual learning",), ("11", "12"), "code_cl"
    ),
    "lance": RulePage(
        "LANCE",
        ("workbench.compression.lance", "workbench.continual.methods.lance"),
        "lance",
        ("Low-rank activations",),
        ("13", "14"),
        "lance",
    ),
}
# Captions of the table of contents, and the pages below them by pattern; a page goes to the first that fits it.
CONTENTS: Mapping[str, Sequence[str]] = {
    "Begin": ("use", "library", "mixing"),
    "Course": ("notebooks/*",),
    "Rules": ("rules/*",),
    "How to": ("docs/your_own_*", "docs/mixes", "docs/sweeps", "docs/serving"),
    "Teaching": ("docs/teaching", "docs/teaching/*"),
    "Results": ("proved", "measured", "docs/measured", "docs/results/*"),
    "Reference": ("limits", "glossary", "NOTATION", "command_line", "api/index", "CONTRIBUTING", "CHANGELOG"),
    "More": ("docs/*",),
}
SECTIONS: Mapping[str, tuple[str, Sequence[str]]] = {  # pages of which README.md has the text, by its titles
    "use": ("Install and open", ("Two commands", "The app")),
    "library": ("The library in ten lines", ("The library in ten lines",)),
    "mixing": ("Four questions, any answers", ("Four questions, any answers",)),
    "proved": ("What is proved", ("What is proved",)),
    "measured": ("What is measured", ("Measured", "Rules and papers")),
}
KEPT_OUT = ("docs/book/*", "docs/serving/*")


def stage(to: Path, address: str = "") -> list[str]:
    """Write all sources into a folder; files that are the same stay untouched, others vanish. Gives the pages' names.

    address: of the repository, for the badges that open a notebook elsewhere; "" for none.
    """
    made = dict(_sources(address))
    pages = [Path(name).with_suffix("").as_posix() for name in made if name.endswith((".md", ".ipynb", ".rst"))]
    made["index.md"] = (PAGES / "index.md").read_bytes() + contents(pages).encode()
    for name, content in made.items():
        path = to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)
    for path in [path for path in to.rglob("*") if path.is_file()]:
        if path.relative_to(to).as_posix() not in made:
            path.unlink()
    return sorted({*pages, "index"})


def _sources(address: str) -> Iterator[tuple[str, bytes]]:
    """Every file by its name from the root of the book; index.md comes last, from the names of the others."""
    for name in ("NOTATION.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        yield name, (ROOT / name).read_bytes()
    for path in sorted((ROOT / "docs").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in (".md", ".png", ".svg") and not any(fnmatch(name, pattern) for pattern in KEPT_OUT):
            yield name, path.read_bytes()
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        download = f'<a href="../launch/{path.name}" download>Download</a>'  # there once the book is built
        links = " · ".join(filter(None, [badges(address, f"notebooks/{path.name}"), download]))
        lesson = prepared(nbformat.read(path, as_version=4), links)
        yield f"notebooks/{path.name}", nbformat.writes(lesson).encode()
    readme = sections((ROOT / "README.md").read_text("utf-8"))
    for name, (title, wanted) in SECTIONS.items():
        yield f"{name}.md", from_readme(readme, title, wanted).encode()
    notation = (ROOT / "NOTATION.md").read_text("utf-8")
    yield "glossary.md", glossary.page(notation).encode()
    yield "command_line.md", command_line().encode()
    for name, rule in RULES.items():
        yield f"rules/{name}.md", rule_page(rule, notation).encode()
    for name, text in reference():
        yield f"api/{name}", text.encode()
    for path in sorted(PAGES.glob("*.md")):
        if path.name != "index.md":
            yield path.name, path.read_bytes()


def contents(pages: Sequence[str]) -> str:
    """The table of contents: every page once, below the first caption that fits it."""
    left, written = [page for page in pages if not page.startswith("api/") or page == "api/index"], []
    for caption, patterns in CONTENTS.items():
        found = [page for pattern in patterns for page in sorted(left) if fnmatch(page, pattern)]
        found = list(dict.fromkeys(found))
        left = [page for page in left if page not in found]
        if found:
            listed = "\n".join(f"/{page}" for page in found)
            written.append(f"\n:::{{toctree}}\n:caption: {caption}\n:hidden:\n:maxdepth: 1\n\n{listed}\n:::\n")
    if left:
        raise ValueError(f"the book has no place for {', '.join(left)}: name one in CONTENTS of docs/book/staging.py")
    return "\n" + "".join(written)


# ---- notebooks -------------------------------------------------------------------------------------------------------


def prepared(lesson: NotebookNode, links: str = "") -> NotebookNode:
    """A lesson for a page: without what is for the machine, pictures described, links to elsewhere below the title."""
    lesson.cells = [cell for cell in lesson.cells if WALK not in cell.metadata.get("tags", [])]
    if links:
        title, _, text = lesson.cells[0].source.partition("\n")
        lesson.cells[0].source = f"{title}\n\n{links}\n{text}"
    heading = ""
    for cell in lesson.cells:
        if cell.cell_type == "markdown":
            found = re.findall(r"^#+ +(?:\d+\. +)?(.+)$", cell.source, re.M)
            heading = found[-1] if found else heading
            continue
        for output in cell.outputs:
            data = output.get("data", {})
            if data.pop("application/vnd.jupyter.widget-view+json", None) is not None:
                cell.metadata.setdefault("tags", []).append("panel")
            if any(kind.startswith("image/") for kind in data):
                told = described(data.get("text/plain", ""), heading)
                cell.metadata["mystnb"] = {"image": {"alt": told}}
    return lesson


def described(shown: str, heading: str) -> str:
    """What a picture says to those who do not see it: the question of its panel, or what it stands under."""
    panel = getattr(panels, shown.partition("(")[0], None) if shown.endswith("()") else None
    return f"{panel.title}: {panel.lesson.question}" if panel and panel.lesson else f"Picture: {heading}"


# ---- from README.md --------------------------------------------------------------------------------------------------


def sections(readme: str) -> dict[str, str]:
    """The text below each `## ` title."""
    return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in readme.split("\n## ")[1:]}


def from_readme(readme: Mapping[str, str], title: str, wanted: Sequence[str]) -> str:
    """A page of some sections; ValueError for one that README.md does not have."""
    if missing := [name for name in wanted if name not in readme]:
        raise ValueError(f"README.md has no section {', '.join(missing)}: change SECTIONS of docs/book/staging.py")
    texts = [readme[name] if name == title else f"## {name}\n\n{readme[name]}" for name in wanted]
    return f"# {title}\n\n" + outward("\n\n".join(texts)) + "\n"


def outward(text: str) -> str:
    """Links to files that are no page of the book as their names."""

    def link(found: re.Match[str]) -> str:
        words, target = found[1], found[2].partition("#")[0]
        page = target.endswith((".md", ".ipynb", ".png", ".svg")) and not target.startswith("data_cache")
        return found[0] if page or "://" in target else words

    return re.sub(r"(?<!!)\[([^\]]+)\]\(([^)]+)\)", link, text)


# ---- rules -----------------------------------------------------------------------------------------------------------


def rule_page(rule: RulePage, notation: str) -> str:
    """What the docstrings of a rule say, one of its updates step by step, its symbols, and where to go on."""
    found = {title: rows for title, rows in glossary.sections(notation).items() if title.startswith(rule.notation)}
    meanings = glossary.symbols([row for rows in found.values() for row in rows])

    def equations(text: str) -> str:
        return f'<pre class="equations" tabindex="0">{glossary.marked(glossary.squeezed(text), meanings)}</pre>'

    told = []
    for module in rule.modules:
        first, *rest = blocks(getdoc(import_module(module)) or "")
        title = first.text.partition(": ")[2] or first.text
        told.append(f"## {title[0].upper()}{title[1:].rstrip('.')}\n\n{as_markdown(rest, equations)}")
    tables = [f"### {title}\n\n{table_of(notation, title)}" for title in found]
    onward = [f"[Notebook {number}](../{_notebook(number)})" for number in rule.notebooks]
    onward += [f"[the paper's numbers and ours](../docs/results/{rule.results}.md)"]
    onward += [f"{{py:mod}}`{module}`" for module in rule.modules]
    live = f'## Try it\n\n<div class="live" data-live="{LIVE[rule.update]}"></div>' if rule.update in LIVE else ""
    return "\n\n".join(
        [
            f"# {rule.title}",
            *told,
            live,
            "## One update, stage by stage",
            one_update(rule.update),
            "## Symbols",
            *tables,
            "## Go on",
            "\n".join(f"* {link}" for link in onward),
            "",
        ]
    )


def table_of(notation: str, title: str) -> str:
    """The table of NOTATION.md below a title."""
    text = notation.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


def _notebook(number: str) -> str:
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    return path.relative_to(ROOT).as_posix()


# ---- reference -------------------------------------------------------------------------------------------------------


def command_line() -> str:
    """The help of every command, as it is printed."""
    columns, os.environ["COLUMNS"] = os.environ.get("COLUMNS"), "100"
    try:
        commands = Parser(prog="workbench").add_subparsers(parser_class=Parser)
        for command in COMMANDS:
            command.add(commands)
        helps = {name: parser.format_help().strip() for name, parser in commands.choices.items()}
    finally:
        os.environ.pop("COLUMNS") if columns is None else os.environ.update(COLUMNS=columns)
    texts = [f"## {name}\n\n```text\n{text}\n```" for name, text in helps.items()]
    return "# The command line\n\n`workbench COMMAND --help` prints the same.\n\n" + "\n\n".join(texts) + "\n"


def faces() -> list[str]:
    """Every room that has a face, and hands on something else than rooms."""
    found = []
    for path in sorted([*(ROOT / "workbench").rglob("__init__.py"), *(ROOT / "widgets").rglob("__init__.py")]):
        name = path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        if isinstance(import_module(name), Face) and name not in (
            "workbench",
            "widgets",
            "widgets.lessons",
            "workbench.cli",
        ):
            found.append(name)
    return found


def reference() -> Iterator[tuple[str, str]]:
    """A page for every room, with what its face hands on, and their list."""
    names, told = faces(), {}
    for name in names:
        yield f"{name}.rst", room(name, told)
    lines = [f"* {{doc}}`{name} <{name}>`: {_first_line(import_module(name))}" for name in names]
    listed = "\n".join(names)
    tree = f":::{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{listed}\n:::\n"
    yield "index.md", "# The library\n\nEvery room and what it hands on.\n\n" + "\n".join(lines) + f"\n\n{tree}"


def _first_line(module: ModuleType) -> str:
    return (getdoc(module) or "").partition("\n")[0]


def room(name: str, told: dict[int, str]) -> str:
    """The page of one room: functions and classes of its face, then its modules that are handed on whole.

    told: what earlier pages have, by `id`: its full name there. A room within a room names it and no more.
    """
    face = import_module(name)
    parts = [f"{name}\n{'=' * len(name)}", f".. automodule:: {name}\n   :no-members:"]
    modules = []
    for each in face.__all__:
        thing = getattr(face, each)
        if id(thing) in told and not isinstance(thing, ModuleType | int | float | str):
            parts.append(f"* :py:obj:`{told[id(thing)]}`")
            continue
        told[id(thing)] = f"{name}.{each}"
        if isinstance(thing, ModuleType):
            if not isinstance(thing, Face):
                modules.append(thing.__name__)
        elif isclass(thing):
            methods = [key for key, value in vars(thing).items() if key[0] != "_" and callable(value) and value.__doc__]
            parts.append(f".. autoclass:: {name}.{each}" + f"\n   :members: {', '.join(methods)}" * bool(methods))
        elif isroutine(thing):
            parts.append(f".. autofunction:: {name}.{each}")
        else:
            kind = type(thing)
            place = "" if kind.__module__ == "builtins" else f"~{kind.__module__}."
            parts.append(f".. py:data:: {each}\n   :module: {name}\n   :type: {place}{kind.__qualname__}")
    for module in modules:
        own = module.rpartition(".")[2]
        parts.append(f"{own}\n{'-' * len(own)}\n\n.. automodule:: {module}\n   :members:")
    return "\n\n".join(parts) + "\n"
