"""Tables of README and the pages of the papers, written from cells: nothing in them is typed by hand.

A block of README stands between two comments; what is between them is written anew:

    <!-- results: NAME -->
    …
    <!-- end of results -->

`results/tables.toml` says what a table is made of: rows (a rule and its label) and columns (a metric of an experiment;
`at` after so many epochs, `against` less another rule). The block "papers" counts the verdicts, see `sweeps.papers`;
the block "benchmarks" is made of runs that were kept, see `sweeps.benchmarks`. The same file names the pictures of cost
frontiers.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workbench.experiments.named import experiment
from workbench.names import unknown
from workbench.sweeps.benchmarks import benchmarks_text, read_benchmarks
from workbench.sweeps.cell import read_cells
from workbench.sweeps.frontier import Point, picture, points
from workbench.sweeps.papers import MISSED, NOT_RUN, REPRODUCED, Answer, Paper, answer, read_papers, wanted
from workbench.sweeps.statistics import paired
from workbench.sweeps.table import device_of
from workbench.sweeps.values import Asked, metric_of, signed, told, values_of

BLOCK = re.compile(r"(<!-- results: (?P<name>[^>]+?) -->\n).*?(<!-- end of results -->)", re.DOTALL)
PAPERS = "papers"  # the block that counts verdicts
BENCHMARKS = "benchmarks"  # and that of the runs of benchmarks
PAGES = "docs/results"
COSTS = {"kept": "kept while learning, MB", "macs": "products per sample and update, millions"}  # and their axes

Cells = Sequence[Mapping[str, Any]]


class Column(NamedTuple):
    """A metric of an experiment; None for the table's own experiment and epochs."""

    head: str
    metric: str = "score"
    experiment: str | None = None
    epochs: int | None = None
    at: int | None = None
    against: str | None = None


class Line(NamedTuple):
    """A row: a rule, and what it is called."""

    rule: str
    label: str


class Table(NamedTuple):
    """A table of README, see above."""

    name: str
    head: str
    rows: tuple[Line, ...]
    columns: tuple[Column, ...]
    experiment: str | None = None
    epochs: int | None = None


class Picture(NamedTuple):
    """A cost frontier, see `sweeps.frontier`, written to `docs/NAME.svg`."""

    name: str
    title: str
    experiment: str
    epochs: int
    rows: tuple[Line, ...]


class Results(NamedTuple):
    """All that pages are made of."""

    cells: Cells
    tables: dict[str, Table]
    papers: list[Paper]
    pictures: tuple[Picture, ...] = ()
    benchmarks: str = ""  # their table


def read_results(folder: Path) -> Results:
    """Cells, tables and papers of a folder; ValueError or FileNotFoundError that says what is wrong."""
    if not (folder / "tables.toml").is_file():
        raise FileNotFoundError(
            f"there is no {folder / 'tables.toml'}; results lie in the folder results of a checkout"
        )
    cells, tables = list(read_cells(folder / "cells")), folder / "tables.toml"
    papers, pictures = read_papers(folder / "papers"), read_pictures(tables)
    for paper in papers:
        if paper.frontier is not None:
            picture_named(paper.frontier, pictures)
    rows = folder / "benchmarks.toml"
    runs = benchmarks_text(read_benchmarks(rows), folder / "bench") if rows.is_file() else ""
    return Results(cells, read_tables(tables), papers, pictures, runs)


def read_tables(path: Path) -> dict[str, Table]:
    """The tables of a file by name; ValueError that names the file."""
    try:
        tables = [
            Table(
                **table
                | {
                    "rows": tuple(Line(**row) for row in table["rows"]),
                    "columns": tuple(Column(**column) for column in table["columns"]),
                }
            )
            for table in tomllib.loads(path.read_text("utf-8"))["table"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None
    return {table.name: table for table in tables}


def read_pictures(path: Path) -> tuple[Picture, ...]:
    """The pictures of the same file."""
    try:
        pictures = tomllib.loads(path.read_text("utf-8")).get("picture", [])
        return tuple(Picture(**each | {"rows": tuple(Line(**row) for row in each["rows"])}) for each in pictures)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None


def picture_named(name: str, pictures: Sequence[Picture]) -> Picture:
    """The picture of that name; ValueError that lists the names."""
    found = {each.name: each for each in pictures}
    if name not in found:
        raise unknown("there is no picture", name, found)
    return found[name]


def points_of(wanted: Picture, cells: Cells, cost: str) -> list[Point]:
    """The rules of a picture that were run, with `cost` one of `COSTS`."""
    labels = {row.rule: row.label for row in wanted.rows}
    return points(cells, wanted.experiment, wanted.epochs, labels, cost)


def drawn(wanted: Picture, cells: Cells) -> str:
    """The SVG of a picture."""
    panels = {axis: points_of(wanted, cells, cost) for cost, axis in COSTS.items()}
    return picture(panels, experiment(wanted.experiment).score, wanted.title)


def table_text(table: Table, cells: Cells) -> str:
    """A table in Markdown, and below it what made it."""
    used: list[Mapping[str, Any]] = []
    lines = [_line([table.head, *(column.head for column in table.columns)]), _line(["---"] * (len(table.columns) + 1))]
    for row in table.rows:
        found = [_entry(table, column, row.rule, cells) for column in table.columns]
        if any(text != "–" for text in found):
            lines.append(_line([row.label, *found]))
    for column in table.columns:
        asked = _asked(table, column, "")
        rules = {row.rule for row in table.rows}
        used += [
            cell
            for cell in cells
            if (cell["cell"]["experiment"], cell["cell"]["epochs"]) == (asked.experiment, asked.epochs)
            and cell["cell"]["rule"] in rules
        ]
    return "\n".join([*lines, "", made_line(used)])


def made_line(cells: Cells) -> str:
    """What made these cells and how many seeds there are, in a line."""
    if not cells:
        return "No cells yet."
    seeds = sorted({cell["cell"]["seed"] for cell in cells})
    devices = dict.fromkeys(device_of(cell["made"]) for cell in cells)
    which = f"Seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"Seed {seeds[0]}"
    return f"{which}, mean ± standard deviation; made by {' and '.join(sorted(devices))}."


def _line(parts: Sequence[str]) -> str:
    return "|" + "|".join(parts) + "|" if parts[0] == "---" else "| " + " | ".join(parts) + " |"


def _asked(table: Table, column: Column, rule: str) -> Asked:
    experiment, epochs = column.experiment or table.experiment, column.epochs or table.epochs
    if experiment is None or epochs is None:
        raise ValueError(f"table '{table.name}', column '{column.head}': say its experiment and epochs")
    return Asked(experiment, rule, epochs, column.metric, column.at)


def _entry(table: Table, column: Column, rule: str, cells: Cells) -> str:
    asked = _asked(table, column, rule)
    metric, values = metric_of(asked), values_of(cells, asked)
    if column.against is None:
        return told(values, metric)
    others = values_of(cells, asked._replace(rule=column.against))
    if rule == column.against or not values.keys() & others.keys():
        return "–"
    found = paired(values, others)
    test = "" if found.p is None else f" (p {'< 0.001' if found.p < 0.001 else format(found.p, '.3f')})"
    return signed(found.difference, metric.digits, plus=True) + test


def papers_text(papers: Sequence[Paper], cells: Cells) -> str:
    """How many rows of each paper are reproduced, missed or not run, with the way to its page."""
    lines = ["| paper | reproduced | missed | not run | hours on one H100 (estimate) |", "|---|---|---|---|---|"]
    for paper in papers:
        answers = [answer(row, cells) for row in paper.rows]
        counts = [sum(each.verdict == verdict for each in answers) for verdict in (REPRODUCED, MISSED, NOT_RUN)]
        hours = sum(each.row.hours or 0 for each in answers if each.verdict == NOT_RUN)
        lines.append(
            f"| [{paper.name}]({PAGES}/{paper.key}.md) | {counts[0]} | {counts[1]} | {counts[2]} | {hours:g} |"
        )
    return "\n".join(lines)


def page_text(paper: Paper, cells: Cells) -> str:
    """The page of a paper: where we stand, every row with its verdict, and what was not run."""
    answers = [answer(row, cells) for row in paper.rows]
    run, left = [a for a in answers if a.verdict != NOT_RUN], [a for a in answers if a.verdict == NOT_RUN]
    counts = ", ".join(
        f"{sum(a.verdict == verdict for a in answers)} {verdict}" for verdict in (REPRODUCED, MISSED, NOT_RUN)
    )
    parts = [
        f"# {paper.name}: where we stand",
        f"{paper.where}. Written by `workbench results --readme` from `results/`; do not edit.",
        f"Of {len(answers)} rows: {counts}. A claim counts as reproduced on the data that stand beside it. They are "
        "smaller than the paper's, whose own numbers are not reproduced by that.",
        " ".join(paper.standing.split()),
        "## Run here",
        _run_table(run) if run else "Nothing yet.",
        "## Not run",
        _left_table(left) if left else "Everything was run.",
    ]
    if paper.frontier is not None:
        parts += ["## What accuracy costs", f"![Accuracy against bytes and products](../{paper.frontier}.svg)"]
    return "\n\n".join(parts) + "\n"


def _run_table(answers: Sequence[Answer]) -> str:
    lines = ["| claim | paper | ours | seeds | wanted | on | verdict |", "|---|---|---|---|---|---|---|"]
    for row, verdict, number, seeds, _ in answers:
        assert row.ours is not None
        versus = f"`{row.ours.rule}`" + (f" and `{row.ours.against}`" if row.ours.against else "")
        on = "; ".join(part for part in (row.ours.on, row.note, versus) if part)
        parts = [f"{row.what} ({row.source})", row.says, number, str(seeds), wanted(row.ours), on, f"**{verdict}**"]
        lines.append(_line(parts))
    return "\n".join(lines)


def _left_table(answers: Sequence[Answer]) -> str:
    lines = ["| row | paper | what it takes | command |", "|---|---|---|---|"]
    for row, _, takes, *_ in answers:
        lines.append(_line([f"{row.what} ({row.source})", row.says, takes, f"`{row.command}`" if row.command else "–"]))
    return "\n".join(lines)


def block(name: str, results: Results) -> str:
    """What stands between the marks of a name; ValueError that lists the names."""
    if name == PAPERS:
        return papers_text(results.papers, results.cells)
    if name == BENCHMARKS:
        return results.benchmarks
    if name not in results.tables:
        raise unknown("there is no table", name, [PAPERS, BENCHMARKS, *results.tables])
    return table_text(results.tables[name], results.cells)


def filled(text: str, results: Results) -> str:
    """A page with all its blocks written anew; what stands outside of marks is left as it is."""
    return BLOCK.sub(lambda found: f"{found[1]}{block(found['name'], results)}\n{found[3]}", text)


def written_pages(root: Path, results: Results) -> Iterator[tuple[Path, str]]:
    """Every file that is made of results, and its text: README, a page for each paper, and pictures."""
    readme = root / "README.md"
    yield readme, filled(readme.read_text("utf-8"), results)
    for paper in results.papers:
        yield root / PAGES / f"{paper.key}.md", page_text(paper, results.cells)
    for each in results.pictures:
        yield root / "docs" / f"{each.name}.svg", drawn(each, results.cells)
