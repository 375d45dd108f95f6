"""Where a notebook can be opened without installing anything, all made from one address: that of the repository.

The address stands in pyproject.toml as `Repository` of `[project.urls]`, and nowhere else. `make launch ADDRESS=…`
writes it there and the links into README.md; while it is not known, there are none. Binder opens the repository itself.
Colab and Kaggle open the copies that lie in `launch/` of the book, on the branch on which the book is published: their
first cell installs what is missing.
"""

import argparse
import re
import tomllib
from pathlib import Path
from urllib.parse import quote

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = "gh-pages"  # the branch that holds the built book
FIRST = "notebooks/00_start_here.ipynb"
ADDRESS = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")
BLOCK = re.compile(r"(<!-- launch -->\n).*?(<!-- end of launch -->)", re.S)
NAME = "local-learning-workbench"
CELL = """\
# Installs the workbench where it is missing (Colab, Kaggle), and lets Colab show its widgets.
from importlib.util import find_spec

if find_spec("workbench") is None:
    %pip install --quiet {wanted}
if find_spec("google") and find_spec("google.colab"):
    from google.colab import output

    output.enable_custom_widget_manager()"""


def repository(pyproject: str) -> str:
    """The address of the repository in the text of a pyproject.toml; "" where there is none yet."""
    return tomllib.loads(pyproject)["project"].get("urls", {}).get("Repository", "")


def check_address(address: str) -> tuple[str, str]:
    """Owner and name of a repository; ValueError for what is no address of one on GitHub.

    >>> check_address("https://github.com/someone/learning")
    ('someone', 'learning')
    """
    found = ADDRESS.fullmatch(address)
    if not found:
        raise ValueError(f"expected an address such as https://github.com/OWNER/NAME, got {address!r}")
    return found[1], found[2]


def links(address: str, notebook: str) -> dict[str, str]:
    """Where a notebook, named from the root of the checkout, opens: name of the place to address.

    >>> links("https://github.com/someone/learning", "notebooks/09_tess.ipynb")["Binder"]
    'https://mybinder.org/v2/gh/someone/learning/HEAD?labpath=notebooks%2F09_tess.ipynb'
    """
    owner, name = check_address(address)
    copy = f"{owner}/{name}/blob/{PUBLISHED}/launch/{Path(notebook).name}"
    return {
        "Binder": f"https://mybinder.org/v2/gh/{owner}/{name}/HEAD?labpath={quote(notebook, safe='')}",
        "Colab": f"https://colab.research.google.com/github/{copy}",
        "Kaggle": f"https://kaggle.com/kernels/welcome?src=https://github.com/{copy}",
    }


def badges(address: str, notebook: str) -> str:
    """The links as a line of Markdown, with pictures of none of these places; "" without an address."""
    if not address:
        return ""
    return "Open in " + " · ".join(f"[{name}]({target})" for name, target in links(address, notebook).items())


def for_anywhere(lesson: NotebookNode, address: str = "") -> NotebookNode:
    """A lesson that installs what it needs, from the repository or, without an address, from the package index."""
    wanted = f'"{NAME} @ git+{address}"' if address else NAME
    cell = new_code_cell(CELL.format(wanted=wanted), metadata={"tags": ["launch"]})
    cell["id"] = "launch"
    lesson.cells = [lesson.cells[0], cell, *lesson.cells[1:]]
    return lesson


def write_copies(to: Path, address: str = "") -> list[Path]:
    """Write the lessons that run anywhere into a folder."""
    to.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        nbformat.write(for_anywhere(nbformat.read(path, as_version=4), address), to / path.name)
        written.append(to / path.name)
    return written


def with_links(readme: str, address: str) -> str:
    """README.md with the links of this address between its marks; ValueError where it has no marks."""
    if not BLOCK.search(readme):
        raise ValueError("README.md has no line <!-- launch --> with a line <!-- end of launch --> behind it")
    line = f"{badges(address, FIRST)}, without installing anything.\n" if address else ""
    return BLOCK.sub(lambda found: found[1] + line + found[2], readme)


def with_address(pyproject: str, address: str) -> str:
    """pyproject.toml with this address."""
    table = f'[project.urls]\nRepository = "{address}"\n\n'
    if "[project.urls]" in pyproject:
        return re.sub(r"\[project\.urls\]\nRepository = .*\n\n", lambda _: table, pyproject)
    return pyproject.replace("[project.optional-dependencies]", f"{table}[project.optional-dependencies]", 1)


def main() -> None:
    """Write an address into pyproject.toml, and its links into README.md."""
    parser = argparse.ArgumentParser(description="Write the address of the repository where it is needed.")
    parser.add_argument("address", help="of the repository: https://github.com/OWNER/NAME")
    address = parser.parse_args().address.rstrip("/").removesuffix(".git")
    try:
        check_address(address)
    except ValueError as error:
        parser.error(str(error))
    for name, change in (("pyproject.toml", with_address), ("README.md", with_links)):
        path = ROOT / name
        path.write_text(change(path.read_text("utf-8"), address), "utf-8")
        print(f"{name} has the address {address}")


if __name__ == "__main__":
    main()
