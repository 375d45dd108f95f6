"""The pictures of the app in the README and the documentation: `make pictures` takes them anew from the running app."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from bench.browser import Side, chromium, served
from workbench.data.delivery import written_whole

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
APP = Side("from widgets.app import build_app\nbuild_app()")
COLOURS = 200  # of a picture; more are not to be told from these
SETTLE = """() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"""


class View(NamedTuple):
    """One picture: its name, the link that it shows, and the window that it is taken in."""

    name: str
    link: str
    width: int = 1280
    height: int = 720


VIEWS = (
    View("start", "theme=light"),
    View("timing", "tab=stdp&theme=light"),
    View("timing-dark", "tab=stdp&theme=dark"),
    View("timing-phone", "tab=stdp&theme=light", 390, 844),
    View("locality", "tab=locality&theme=light"),
    View("step", "tab=step&theme=light"),
    View("playground", "tab=playground&theme=light"),
    View("forgetting", "tab=matrix&theme=light"),
    View("results", "tab=results&theme=light"),
)


def take(views: Iterable[View] = VIEWS, folder: Path = FOLDER) -> list[Path]:
    """Open each view in a browser and write its picture as a PNG of few colours; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    with served(APP, ours=True) as url, chromium() as browser:
        return [_take(browser, url, view, folder) for view in views]


def _take(browser: Any, url: str, view: View, folder: Path) -> Path:
    page = browser.new_page(viewport={"width": view.width, "height": view.height})
    page.goto(f"{url}/?{view.link}")
    there = ".workbench-start, .workbench-figure .main-svg, .workbench-raster canvas"
    page.locator(there).filter(visible=True).first.wait_for()
    page.wait_for_load_state("networkidle")
    page.evaluate(SETTLE)
    picture, file = page.screenshot(), folder / f"{view.name}.png"
    page.close()
    with written_whole(file) as part:
        Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS).save(part, format="png", optimize=True)
    return file


if __name__ == "__main__":
    for file in take():
        print(file.name, file.stat().st_size, "bytes")
