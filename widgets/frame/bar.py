"""`Bar`: the line above a panel's picture and the one below it, drawn by the browser; what is clicked comes back.

Above: the question, presets, pin, undo, reset, share, export. Below: the challenge and where it stands, why it matters,
and the way to the next panel. Sharing and exporting happen in the browser and need neither kernel nor network.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from widgets.page.click import read_click
from workbench.language import words_of

_STATIC = files("widgets") / "static"


class Bar(anywidget.AnyWidget):
    """One of the two lines: `part` is "head" or "foot", `facts` what it shows. `on_click` gets what was clicked."""

    _esm = (_STATIC / "element.js").read_text("utf-8") + (_STATIC / "bar.js").read_text("utf-8")
    part = traitlets.Unicode().tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)

    def __init__(self, part: str, on_click: Callable[[str, str], None]) -> None:
        super().__init__(part=part, words=words_of(self._esm))
        self.on_msg(lambda _, content, __: on_click(*read_click(content)))

    def learn(self, *texts: str) -> None:
        """Take the words of these texts, too, in the page's language."""
        self.words = words_of(self._esm, *texts)

    def show(self, **facts: Any) -> None:
        """Show these facts besides those that stand there; nothing is sent where nothing changes."""
        self.facts = {**self.facts, **facts}
