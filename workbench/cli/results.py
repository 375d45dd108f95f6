"""`workbench results`: what the cells of sweeps say, beside each other and beside the papers."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from workbench.cli.completion import completed, experiment_names
from workbench.cli.parser import add_command, add_json
from workbench.cli.train import RUNS

CHECKOUT = Path(__file__).resolve().parents[2]


def add(commands: Any) -> None:
    """Its options."""
    text = "compare what sweeps found, with each other and with the papers"
    examples = (
        "",
        "runs/cells --against bptt",
        "--experiment sound flow --markdown",
        "--papers",
        "--readme",
    )
    parser = add_command(commands, "results", results, text, examples)
    parser.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="where cells lie (default: those of this project)"
    )
    chosen = parser.add_argument("--experiment", nargs="+", metavar="NAME", help="only these (default: all)")
    completed(chosen, experiment_names)
    parser.add_argument("--against", metavar="RULE", help="compare with this rule (default: each experiment's first)")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--csv", action="store_true", help="a line for each rule, as CSV")
    group.add_argument("--markdown", action="store_true", help="a table in Markdown")
    group.add_argument("--papers", action="store_true", help="what the papers say: reproduced, missed or not run")
    group.add_argument("--readme", action="store_true", help="write the tables of README.md and docs/results anew")
    group.add_argument("--check", action="store_true", help="fail unless --readme would change nothing")
    add_json(parser)


def results(arguments: argparse.Namespace) -> int | None:
    """Print a table, or write the pages that are made of results."""
    if arguments.readme or arguments.check:
        return write_pages(CHECKOUT, arguments.check)
    if arguments.papers:
        return print_papers(own_results(), arguments.json)
    from workbench.sweeps.cell import read_cells
    from workbench.sweeps.table import as_csv, as_markdown, compared, pairs_of, rows_of

    folder = arguments.folder or own_cells()
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; name one with cells, or sweep first")
    cells = [cell for cell in read_cells(folder) if fits(cell, arguments.experiment)]
    if not cells:
        raise ValueError(f"{folder} holds no cell of {', '.join(arguments.experiment or ['any experiment'])}")
    rows = rows_of(cells)
    if arguments.json:
        pairs = [
            {"experiment": a.experiment, "settings": a.settings, "rule": a.rule, "against": b.rule, **found._asdict()}
            for a, b, found in pairs_of(rows, arguments.against)
        ]
        print(json.dumps({"rows": [row._asdict() for row in rows], "pairs": pairs}))
    elif arguments.csv:
        print(as_csv(rows), end="")
    else:
        print(as_markdown(rows) if arguments.markdown else compared(rows, arguments.against))
    return None


def own_results() -> Path:
    """The results of the checkout, or else those that were installed."""
    from workbench.shipped import results_folder

    kept = CHECKOUT / "results"
    return kept if kept.is_dir() else results_folder()


def own_cells() -> Path:
    """The cells of the checkout, or else those of one's own sweeps, or else those that were installed."""
    for folder in (CHECKOUT / "results" / "cells", RUNS / "cells"):
        if folder.is_dir():
            return folder
    return own_results() / "cells"


def fits(cell: dict[str, Any], experiments: list[str] | None) -> bool:
    """Whether a cell is of one of these experiments."""
    return experiments is None or cell["cell"]["experiment"] in experiments


def print_papers(folder: Path, as_json: bool) -> None:
    """A line for each row of each paper."""
    from workbench.sweeps.pages import read_results
    from workbench.sweeps.papers import answer

    found = read_results(folder)
    answers = [(paper, answer(row, found.cells)) for paper in found.papers for row in paper.rows]
    if as_json:
        rows = [
            {
                "paper": paper.name,
                "source": each.row.source,
                "what": each.row.what,
                "says": each.row.says,
                "verdict": each.verdict,
                "reported": list(each.row.reported),
                "ours": each.number,
                "seeds": each.seeds,
                "values": each.values,
            }
            for paper, each in answers
        ]
        print(json.dumps({"rows": rows}))
        return
    for paper, each in answers:
        print(f"{paper.name:8} {each.verdict:10} {each.row.what}: {each.row.says} | {each.number}")


def write_pages(root: Path, only_check: bool) -> int:
    """Write what is made of results, or say what differs; 1 where it does."""
    from workbench.data.delivery.storage import written_unlocked
    from workbench.sweeps.pages import read_results, written_pages

    stale = []
    for path, text in written_pages(root, read_results(root / "results")):
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale.append(path.relative_to(root).as_posix())
        if not only_check:
            path.parent.mkdir(parents=True, exist_ok=True)
            with written_unlocked(path) as part:
                part.write_text(text, encoding="utf-8")
    if stale and only_check:
        print(f"{', '.join(stale)} differ from results/; type: workbench results --readme", file=sys.stderr)
        return 1
    print(f"wrote {', '.join(stale)}" if stale else "everything is as results/ say")
    return 0
