"""Formulas as MathML, which every browser draws by itself: no script, no font and no network when a page is read.

An inline formula that stands in its page's table of symbols carries its meaning, which shows where the pointer is.
"""

import html
from typing import Any

from docutils import nodes  # pyright: ignore[reportMissingImports]
from latex2mathml.converter import convert  # pyright: ignore[reportMissingImports]


def meanings(document: nodes.document) -> dict[str, str]:
    """Formula to meaning, from the tables `| symbol | meaning |` of a page."""
    found: dict[str, str] = {}
    for table in document.findall(nodes.table):
        first, *rows = table.findall(nodes.row)
        if [entry.astext() for entry in first.children] == ["symbol", "meaning"]:
            for row in rows:
                symbols, meaning = row.children
                found |= {math.astext(): meaning.astext() for math in symbols.findall(nodes.math)}
    return found


def explain(app: Any, document: nodes.document) -> None:
    """Every inline formula that is a symbol of its page knows its meaning."""
    known = meanings(document)
    for math in document.findall(nodes.math):
        if math.astext() in known:
            math["means"] = known[math.astext()]


def inline(writer: Any, node: nodes.math) -> None:
    """A formula within a line."""
    means = node.get("means")
    attributes = f' class="symbol" data-means="{html.escape(means)}"' if means else ' class="math"'
    writer.body.append(f"<span{attributes}>{convert(node.astext())}</span>")
    raise nodes.SkipNode


def block(writer: Any, node: nodes.math_block) -> None:
    """A formula on a line of its own, which scrolls where it is wider than the page."""
    writer.body.append(f'<div class="math-block">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """For Sphinx."""
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    app.connect("doctree-read", explain)
    return {"parallel_read_safe": True}
