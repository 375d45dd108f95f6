"""Docstrings as the house writes them, read into blocks and written as Markdown or as reStructuredText.

They are plain text: paragraphs, lists of `name: what it is` for parameters, four spaces before equations and tables,
`>>>` before examples, one backtick around code. As an extension of Sphinx this module hands them to autodoc.
"""

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from workbench.faces import in_short

LONGEST_DEFAULT = 60  # characters that are shown of it
FIELD = re.compile(r"(\*{0,2}\w+(?:, \w+)*): (?=\S)")
NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")


class Block(NamedTuple):
    """A piece of a docstring. kind: "text", "literal", "example" or "field"; name: of a field, the parameter."""

    kind: str
    text: str
    name: str = ""


def blocks(docstring: str, parameters: Collection[str] = ()) -> Iterator[Block]:
    """The pieces of a docstring in their order; only what is in `parameters` is a field.

    >>> list(blocks("Trace.\\n\\n    q = λ q + x\\n\\ndecay: λ", ["decay"]))
    [Block(kind='text', text='Trace.', name=''), Block(kind='literal', text='q = λ q + x', name=''), \
Block(kind='field', text='λ', name='decay')]
    """
    docstring = inspect.cleandoc(docstring)
    if parameters:  # several may stand in one line
        names = "|".join(map(re.escape, parameters))
        docstring = re.sub(rf"^((?:{names}): .*[.;]) ({names}): (?=\S)", r"\1\n\2: ", docstring, flags=re.M)
    for kind, lines in _grouped(docstring.splitlines(), parameters):
        text = "\n".join(lines).strip("\n")
        if kind == "literal":
            yield Block(kind, inspect.cleandoc("\n" + text))
        elif kind == "field":
            name, _, said = text.partition(": ")
            yield Block(kind, _joined(said), name)
        elif kind == "text" and not re.match(r"\s*(?:[-*]|\d+\.) ", text):
            yield Block(kind, _joined(text))
        else:
            yield Block(kind, text)


def _joined(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines())


def _grouped(lines: Sequence[str], parameters: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    """Runs of lines of one kind; blank lines within a run of indented ones belong to it."""
    marked: list[tuple[tuple[str, int], str]] = []
    kind, number, blank = "text", 0, True
    for line in lines:
        if not line.strip():
            blank = True
            if kind == "literal":
                marked.append(((kind, number), ""))
            continue
        indented = line.startswith("    ")
        opens = FIELD.match(line)
        before = marked[-1][1].rstrip() if marked else ""
        if indented and (kind == "literal" or blank or (kind == "text" and before.endswith(":"))):
            new = "literal"
        elif line.startswith(">>> ") or (kind == "example" and not blank):
            new = "example"
        elif opens and all(name.lstrip("*") in parameters for name in opens[1].split(", ")):
            new = "field"
        else:
            new = kind if kind == "field" and not blank else "text"
        starts = blank and kind != "literal"
        number += starts or new != kind or (new == "field" and opens is not None and not indented)
        kind, blank = new, False
        marked.append(((kind, number), line))
    for (kind, _), group in groupby(marked, key=lambda each: each[0]):
        yield kind, [line for _, line in group]


def as_markdown(found: Sequence[Block], literal: Callable[[str], str] | None = None) -> str:
    """Blocks as Markdown; `literal` writes an indented block in another way than as code."""

    def written(block: Block) -> str:
        if block.kind == "literal":
            return literal(block.text) if literal else f"```text\n{block.text}\n```"
        if block.kind == "example":
            return f"```pycon\n{block.text}\n```"
        return f"`{block.name}`: {block.text}" if block.kind == "field" else block.text

    return "\n\n".join(map(written, found))


def as_rst(found: Sequence[Block]) -> str:
    """Blocks as reStructuredText: fields become those of autodoc."""

    def indented(text: str) -> str:
        return "\n".join(f"    {line}".rstrip() for line in text.splitlines())

    parts = []
    for kind, group in groupby(found, key=lambda block: block.kind):
        group = list(group)
        if kind == "literal":
            parts += [f".. code-block:: text\n\n{indented(block.text)}" for block in group]
        elif kind == "example":
            parts += [f".. code-block:: pycon\n\n{indented(block.text)}" for block in group]
        elif kind == "field":
            parts.append("\n".join(f":param {b.name}: {indented(escaped(b.text)).lstrip()}" for b in group))
        else:
            parts += [escaped(block.text) for block in group]
    return "\n\n".join(parts)


def escaped(text: str) -> str:
    """A paragraph whose code is marked as reStructuredText does, and in which nothing else is markup.

    >>> escaped("*x* of `stllr.gradients` or `f(x)`")
    '\\\\*x\\\\* of :py:obj:`stllr.gradients` or ``f(x)``'
    """
    parts = re.split(r"(`[^`]+`)", text)
    for place in range(1, len(parts), 2):  # code must not touch a letter: `Record`s
        before, after = parts[place - 1][-1:].isalnum(), parts[place + 1][:1].isalnum()
        parts[place] = "\\ " * before + _code(parts[place][1:-1]) + "\\ " * after
    return "".join(part if place % 2 else _plain(part) for place, part in enumerate(parts))


def _code(text: str) -> str:
    text = " ".join(text.split())
    return f":py:obj:`{text}`" if NAME.fullmatch(text) else f"``{text}``"


def _plain(text: str) -> str:
    text = re.sub(r"([\\*|`])", r"\\\1", text)
    return re.sub(r"(?<=\w)_(?!\w)", r"\\_", text)


def parameters_of(thing: Any) -> tuple[str, ...]:
    """Names of the parameters of a function, or of the fields of a class."""
    names = tuple(getattr(thing, "_fields", ()))
    try:
        return (*names, *inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return names


def rewrite(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Autodoc's docstring, as it reads it."""
    lines[:] = as_rst(list(blocks("\n".join(lines), parameters_of(thing)))).splitlines()


def skip(app: Any, what: str, name: str, thing: Any, skipped: bool, options: Any) -> bool | None:
    """Fields of a NamedTuple stand in the docstring of their class."""
    return True if type(thing).__name__ == "_tuplegetter" else None


def signature(app: Any, what: str, name: str, thing: Any, options: Any, found: str, answer: str) -> Any:
    """The fields of a NamedTuple of parameters with their defaults, functions by their names."""
    if found and " for " in found:  # a default that is computed
        return re.sub(r"= \w+\([^()]* for [^()]*\)", "= ...", found), answer
    if what != "class" or not hasattr(thing, "_field_defaults"):
        return None
    defaults = thing._field_defaults
    fields = [f"{field}={_short(defaults[field])}" if field in defaults else field for field in thing._fields]
    return f"({', '.join(fields)})", None


def _short(value: Any) -> str:
    said = in_short(value)
    return said if len(said) <= LONGEST_DEFAULT and "<" not in said and " at 0x" not in said else "..."


def setup(app: Any) -> dict[str, bool]:
    """For Sphinx."""
    app.connect("autodoc-process-docstring", rewrite)
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True}
