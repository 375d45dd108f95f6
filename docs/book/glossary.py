"""NOTATION.md read: its sections, what each symbol means, the page of the glossary, and what is shown on hover."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from docutils import nodes  # pyright: ignore[reportMissingImports]

SYMBOL = re.compile(r"[^\s=(]{1,8}")  # the longest name of one quantity: α_post
LETTER = r"[\w₊₋₁₂⁺̂]"  # a symbol ends where none of these follows
BARE = re.compile(r"\s*[=(].*|^its value ")
BELONGS = re.compile(r"(of|a|one|with|those|its|their|both|positive|and) ")  # begins what is said of the part before
MOST_WORDS = 7  # of a term


class Row(NamedTuple):
    """A line of a table of NOTATION.md: what the quantity is, how it is written, what it is called in code."""

    meaning: str
    here: str
    code: str


def sections(notation: str) -> dict[str, list[Row]]:
    """The tables of NOTATION.md by the title above them.

    >>> sections("## Neurons\\n\\n| concept | here | in code |\\n|---|---|---|\\n| threshold | v_th | `threshold` |")
    {'Neurons': [Row(meaning='threshold', here='v_th', code='`threshold`')]}
    """
    found: dict[str, list[Row]] = {}
    for part in notation.split("\n## ")[1:] if not notation.startswith("## ") else notation[3:].split("\n## "):
        title, _, text = part.partition("\n")
        table = [_cells(line) for line in text.splitlines() if line.startswith("|")]
        if table:
            found[title.strip()] = [*_rows(table[0], table[2:])]
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def _rows(head: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[Row]:
    for line in lines:
        row = dict(zip(head, line, strict=False))
        yield Row(row.get("concept") or row.get("meaning", ""), row["here"], row.get("in code", ""))


def entries(row: Row) -> list[Row]:
    """The quantities of a row one by one, where it names as many meanings as symbols; else the row.

    >>> [(each.meaning, each.here) for each in entries(Row("temperature, label smoothing", "τ, ε", ""))]
    [('temperature', 'τ'), ('label smoothing', 'ε')]
    """
    written, codes = _parts(row.here, ","), _parts(row.code, ",")
    told = _parts(row.meaning, ";" if ";" in row.meaning else ",")
    if len(told) != len(written) or any(BELONGS.match(part) for part in told):
        return [row]
    codes = codes if len(codes) == len(written) else [row.code] * len(written)
    return [Row(*each) for each in zip(told, written, codes, strict=True)]


def _parts(text: str, sign: str) -> list[str]:
    """A text cut at a sign outside of brackets."""
    return [part.strip() for part in re.split(rf"{sign}\s+(?![^(]*\))(?![^\[]*\])", text)]


def symbols(rows: Sequence[Row]) -> dict[str, str]:
    """Symbol to meaning; a row may name several.

    >>> symbols([Row("decays of the traces", "λ_pre, λ_post", ""), Row("eligibility", "e_ij = α_pre ψ_i q_j", "")])
    {'λ_pre': 'decays of the traces', 'λ_post': 'decays of the traces', 'e_ij': 'eligibility'}
    """
    found: dict[str, str] = {}
    for row in rows:
        for each in entries(row):
            for written in _parts(each.here, ","):
                symbol = BARE.sub("", written.strip("` "))
                if SYMBOL.fullmatch(symbol):
                    found.setdefault(symbol, plain(each.meaning))
    return found


def plain(text: str) -> str:
    """A cell of a table without its marks."""
    return text.replace("`", "").replace("\\", "")


def marked(text: str, meanings: Mapping[str, str]) -> str:
    """Text as HTML in which each symbol that has a meaning shows it on hover.

    >>> marked("q[t] < λ_pre", {"q": "trace"})
    '<span class="symbol" data-means="trace">q</span>[t] &lt; λ_pre'
    """
    if not meanings:
        return html.escape(text, quote=False)
    names = "|".join(re.escape(name) for name in sorted(meanings, key=len, reverse=True))
    parts = re.split(rf"(?<!{LETTER})({names})(?:_(i|j|ij|l))?(?!{LETTER})", text)
    written = []
    for place in range(0, len(parts), 3):
        written.append(html.escape(parts[place], quote=False))
        if place + 1 < len(parts):
            name, index = parts[place + 1], parts[place + 2]
            shown = html.escape(f"{name}_{index}" if index else name, quote=False)
            written.append(f'<span class="symbol" data-means="{html.escape(meanings[name])}">{shown}</span>')
    return "".join(written)


def squeezed(text: str, gap: int = 3) -> str:
    """Lines whose columns stand closer: of spaces that all lines have at the same place, `gap` are left.

    >>> print(squeezed("q = x      eq. 5\\nh = λ h    eq. 7"))
    q = x     eq. 5
    h = λ h   eq. 7
    """
    lines = text.splitlines()
    width = max(map(len, lines), default=0)
    blank = [all(line[place : place + 1] in ("", " ") for line in lines) for place in range(width)]
    kept = [place for place in range(width) if not (blank[place] and place >= gap and all(blank[place - gap : place]))]
    return "\n".join("".join(line[place : place + 1] for place in kept).rstrip() for line in lines)


def terms(notation: str) -> dict[str, str]:
    """Every quantity by its words: how it is written, what it is called in code, and the part of the notation."""
    found: dict[str, str] = {}
    for title, rows in sections(notation).items():
        for meaning, here, code in (each for row in rows for each in entries(row)):
            term = re.split(r" ?[(`]|[,;:] ", meaning)[0].strip()
            if not re.search(r"\w{4}", term) or term in found or len(term.split()) > MOST_WORDS:
                continue
            more = "" if plain(meaning) == term else f"{plain(meaning)}; "
            named = f"; in code {code}" if code not in ("", "–") else ""
            found[term] = f"{more}{here}{named} ({title.partition(' (')[0].lower()})"
    return found


def page(notation: str) -> str:
    """The page of the glossary."""
    found = sorted(terms(notation).items(), key=lambda each: each[0].lower())
    listed = "\n\n".join(f"{term}\n    {said}" for term, said in found).replace("*", r"\*")
    return (
        "# Glossary\n\nEvery quantity by its words: how it is written, and what it is called in code. The tables with "
        f"the letters of the papers are in [Notation](NOTATION.md).\n\n:::{{glossary}}\n{listed}\n:::\n"
    )


def explain(app: Any, document: nodes.document, name: str) -> None:
    """A link to a term shows the term's text on hover."""
    if not hasattr(app.env, "workbench_terms"):
        path = app.srcdir / "NOTATION.md"
        app.env.workbench_terms = terms(path.read_text("utf-8")) if path.is_file() else {}
    said = {f"term-{nodes.make_id(term)}": text for term, text in app.env.workbench_terms.items()}
    for link in document.findall(nodes.reference):
        anchor = link.get("refuri", "").partition("#")[2] or link.get("refid", "")
        if anchor in said:
            link["reftitle"] = plain(said[anchor])


def setup(app: Any) -> dict[str, bool]:
    """For Sphinx."""
    app.connect("doctree-resolved", explain)
    return {"parallel_read_safe": True}
