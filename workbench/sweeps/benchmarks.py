"""Runs of benchmarks that were kept, and the table that is made of them.

`workbench bench NAME --keep` adds a run to `results/bench/NAME.json`, with the processor that made it, and
`results/benchmarks.toml` says what the table tells of it: its `what` may name numbers of the report ("{growth:.0%}").
A ratio depends on the processor, so each processor has an entry of its own, from the least to the largest of its runs.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workbench.data.delivery.storage import written_unlocked
from workbench.sweeps.machine import made_by

FORMAT = 1
KEPT = 5  # the latest runs of each processor

Report = Mapping[str, Any]  # what a benchmark returns, and `made`: what made it


class Bench(NamedTuple):
    """A row: the benchmark, `what` it measures, and its `peer`; `ratio` is the number of the report that is told."""

    name: str
    what: str
    peer: str
    ratio: str = "ratio"


def keep(folder: Path, report: Report) -> Path:
    """Add a run to the file of its benchmark, which is written whole; returns the file."""
    path = folder / f"{report['name']}.json"
    run = {**report, "made": made_by()}
    runs = read_runs(path)
    same = [each for each in runs if each["made"]["processor"] == run["made"]["processor"]]
    others = [each for each in runs if each not in same]
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format": FORMAT, "runs": [*others, *same[1 - KEPT :], run]}, indent=1)
    with written_unlocked(path) as part:
        part.write_text(text + "\n", encoding="utf-8")
    return path


def read_runs(path: Path) -> list[Report]:
    """The runs of one file, none where there is none; ValueError that names the file where it cannot be read."""
    if not path.is_file():
        return []
    try:
        kept = json.loads(path.read_text("utf-8"))
        if kept["format"] != FORMAT:
            raise ValueError(f"format {kept['format']!r}, this version reads {FORMAT}")
        return kept["runs"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no runs of a benchmark ({error}); measure again with --keep") from None


def read_benchmarks(path: Path) -> tuple[Bench, ...]:
    """The rows of the table; ValueError that names the file."""
    try:
        return tuple(Bench(**row) for row in tomllib.loads(path.read_text("utf-8"))["benchmark"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None


def benchmarks_text(rows: Sequence[Bench], folder: Path) -> str:
    """The table in Markdown, and below it what made it. Benchmarks without a run have no row."""
    lines, processors = ["| benchmark | what | peer | ratio |", "|---|---|---|---|"], []
    for row in rows:
        by_processor: dict[str, list[Report]] = {}
        for run in read_runs(folder / f"{row.name}.json"):
            by_processor.setdefault(run["made"]["processor"], []).append(run)
        for processor, runs in by_processor.items():
            if processor not in processors:
                processors.append(processor)
            mark = "abcdefgh"[processors.index(processor)]
            what = row.what.format_map(runs[-1])
            lines.append(
                f"| `{row.name}` | {what} | {row.peer} | {spread([run[row.ratio] for run in runs])} ({mark}) |"
            )
    made = [f"({'abcdefgh'[place]}) {processor}" for place, processor in enumerate(processors)]
    return "\n".join([*lines, "", f"Processors: {', '.join(made)}." if made else "No runs yet."])


def spread(ratios: Sequence[float]) -> str:
    """The least and the largest ratio, with two digits that count.

    >>> spread([6.21, 6.9]), spread([0.953]), spread([47.6, 48.4]), spread([1.02, 1.04])
    ('6.2 to 6.9', '0.95', '48', '1.0')
    """
    low, high = (f"{each:.{0 if each >= 9.95 else 1 if each >= 0.995 else 2}f}" for each in (min(ratios), max(ratios)))
    return low if low == high else f"{low} to {high}"
