"""`Formula`: equations as HTML, in which the term that acts is lit up. Needs no network and no library.

A line is HTML with <i>, <sub> and <small>; a term that can act stands in it as `[[name|html]]`.
"""

import html
import re
from collections.abc import Sequence
from importlib.resources import files

import anywidget
import traitlets

from workbench.language import say

_STATIC = files("widgets") / "static"
_TERM = re.compile(r"\[\[([^|\]]+)\|(.*?)\]\]")


def lit(line: str, term: str | None) -> str:
    """A line as HTML, with all that is called `term` marked.

    >>> lit("Δ<i>w</i> = − [[δ|<i>δ</i>]] [[q|<i>q</i>]]", "q")
    'Δ<i>w</i> = − <i>δ</i> <mark><i>q</i></mark>'
    """
    return _TERM.sub(lambda found: f"<mark>{found[2]}</mark>" if found[1] == term else found[2], line)


def plain(line: str) -> str:
    """A line without its marks, for a reader of text.

    >>> plain("[[q|<i>q</i><sub>j</sub>]] &lt; 1")
    'q_j < 1'
    """
    without = re.sub(r"<sub>(.*?)</sub>", r"_\1", lit(line, None)).replace("<sup>T</sup>", "ᵀ")
    without = re.sub(r"<sup>(.*?)</sup>", r"^(\1)", without)
    return html.unescape(re.sub(r"<[^>]+>", "", without))


class Formula(anywidget.AnyWidget):
    """Equations under one another. `alt` names them, in English, for a screen reader in the language of the page.

    >>> formula = Formula(alt="The trace of an input")
    >>> formula.show(["[[q|<i>q</i>]] = λ <i>q</i> + [[x|<i>x</i>]]"], acting="x")
    """

    _esm = (_STATIC / "formula.js").read_text("utf-8")
    _css = (_STATIC / "formula.css").read_text("utf-8")
    lines = traitlets.List(traitlets.Unicode()).tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)

    def __init__(self, alt: str) -> None:
        super().__init__(alt=say(alt))
        self.plain: list[str] = []

    def show(self, lines: Sequence[str], acting: str | None = None) -> None:
        """Show these lines, and light up what is called `acting` in them."""
        self.plain = [plain(line) for line in lines]
        self.lines = [lit(line, acting) for line in lines]

    def __repr__(self) -> str:
        return f"Formula({self.alt!r})"
