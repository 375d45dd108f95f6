"""The built book: its links, what it loads, how it looks to a reader without eyes or with a phone."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from barriers import barriers

from workbench.serving import book_server

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
RULES = ("s_tllr", "lls", "tess", "code_cl", "lance")
LOOKED_AT = ("index", "rules/s_tllr", "notebooks/10_is_it_local", "docs/results/lls", "api/workbench.meters")
LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "audio": "src"}


class Page(HTMLParser):
    """A page as it lies on disk: its links, what it loads, the places that a link can lead to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.pictures: list[dict[str, str]] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") not in ("index", "search", "next", "prev", "canonical"):
            self.loads.append(given["href"])
        if tag in LOADED and LOADED[tag] in given:
            self.loads.append(given[LOADED[tag]])
        if tag == "img":
            self.pictures.append(given)


class Book(NamedTuple):
    """Where the built book lies, and its pages by their names."""

    folder: Path
    pages: dict[str, Page]


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Book:
    """The book, built anew with warnings as errors."""
    folder = tmp_path_factory.mktemp("book")
    command = [sys.executable, "docs/book/build.py", "--to", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    html = folder / "html"
    names = [path.relative_to(html).as_posix() for path in html.rglob("*.html")]
    return Book(html, {name: Page(html / name) for name in names})


@pytest.fixture(scope="module")
def address(book) -> Iterator[str]:
    """The book as `workbench book` hands it out."""
    with book_server(book.folder, 8870) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_every_lesson_is_there_with_its_pictures(book):
    assert len(LESSONS) >= 16
    for path in LESSONS:
        outputs = [o for cell in nbformat.read(path, as_version=4).cells for o in cell.get("outputs", [])]
        pictures = [o for o in outputs if any(kind.startswith("image/") for kind in o.get("data", {}))]
        shown = [each for each in book.pages[f"notebooks/{path.stem}.html"].pictures if "_images/" in each["src"]]
        assert len(shown) == len(pictures), path.stem
        assert all(len(each["alt"]) > 10 for each in shown), path.stem


def test_every_page_of_the_docs_and_every_rule_is_there(book):
    docs = [path for path in (ROOT / "docs").rglob("*.md") if "book" not in path.parts]
    wanted = [path.relative_to(ROOT).with_suffix(".html").as_posix() for path in docs]
    assert set(wanted) | {f"rules/{name}.html" for name in RULES} <= set(book.pages)


def test_every_link_leads_somewhere(book):
    lost, followed = [], 0
    for name, page in book.pages.items():
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            followed += 1
            path = (book.folder / name).parent / unquote(parts.path) if parts.path else book.folder / name
            target = path.resolve()
            if not target.is_file():
                lost.append(f"{name}: {link}")
                continue
            there = book.pages.get(target.relative_to(book.folder.resolve()).as_posix())
            if parts.fragment and there and unquote(parts.fragment) not in there.places:
                lost.append(f"{name}: {link}")
    assert followed > 1000
    assert not lost, "\n".join(lost[:20])


def test_nothing_is_loaded_from_another_machine(book):
    foreign = [f"{name}: {link}" for name, page in book.pages.items() for link in page.loads if "//" in link]
    for path in book.folder.rglob("*.css"):
        urls = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]+)", path.read_text("utf-8"))
        foreign += [f"{path.name}: {url}" for url in urls if re.match(r"(https?:)?//", url)]
    assert not foreign


def test_lessons_for_anywhere_lie_beside_it(book):
    for path in LESSONS:
        copy = nbformat.read(book.folder / "launch" / path.name, as_version=4)
        assert "%pip install" in copy.cells[1].source


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", LOOKED_AT)
def test_nobody_is_shut_out(address, open_page, name, dark):
    page = open_page(f"{address}/{name}.html", dark=dark)
    assert barriers(page) == []


@pytest.mark.parametrize("name", LOOKED_AT)
def test_it_fits_on_a_phone(address, open_page, name):
    page = open_page(f"{address}/{name}.html", width=390)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390


def test_a_symbol_tells_its_meaning(address, open_page):
    page = open_page(f"{address}/rules/s_tllr.html")
    page.locator("pre.equations .symbol", has_text="λ_pre").first.hover()
    assert page.locator(".workbench-meaning").inner_text() == "decays of the traces"
    page.keyboard.press("Escape")
    assert page.locator(".workbench-meaning").count() == 0


def test_a_figure_is_computed_by_the_page(address, open_page):
    page = open_page(f"{address}/rules/s_tllr.html")
    figure = page.locator(".live")
    curve = figure.locator(".live-curve").first
    before = curve.get_attribute("d")
    assert "0.33 where pre came first, −0.16 where post came first" in figure.inner_text()
    figure.get_by_role("slider", name="α_post").press("Home")
    assert "−0.33 where post came first" in figure.inner_text()
    assert curve.get_attribute("d") != before


def test_an_update_is_walked_through_by_its_buttons(address, open_page):
    page = open_page(f"{address}/rules/lance.html")
    update = page.locator(".one-update")
    stage = update.locator("li:not([hidden])")
    first = stage.inner_text()
    assert update.locator("mark").filter(visible=True).count() >= 1
    update.get_by_role("button", name="Next").click()
    assert stage.count() == 1
    assert stage.inner_text() != first
    assert update.get_by_role("slider").input_value() == "2"
    update.get_by_role("button", name="Back").click()
    assert stage.inner_text() == first
