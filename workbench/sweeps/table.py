"""Cells as rows: all seeds of one experiment, rule and setting together, and rules compared on the seeds they share."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from workbench.experiments.named import EXPERIMENTS
from workbench.sweeps.statistics import Paired, paired, summary
from workbench.training.score import ACCURACY, Score


class Row(NamedTuple):
    """All seeds of one experiment, rule and setting.

    settings: what differs from the experiment's own, in words. values: the score under each seed, in the experiment's
    own unit (accuracy: a share). seconds, state_bytes, saved_bytes, macs: means; macs per sample and update. devices:
    what made them.
    """

    experiment: str
    rule: str
    settings: str
    epochs: int
    score: str
    mean: float
    deviation: float | None
    runs: int
    values: dict[int, float]
    seconds: float
    state_bytes: int
    saved_bytes: int
    macs: int
    devices: tuple[str, ...]


class Compared(NamedTuple):
    """Two rows of the same experiment and settings."""

    first: Row
    second: Row
    found: Paired


def rows_of(cells: Iterable[dict[str, Any]]) -> list[Row]:
    """A row for each experiment, setting and rule, in the order in which they first come."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for cell in cells:
        asked = cell["cell"]
        groups.setdefault((asked["experiment"], cell["settings"], asked["rule"]), []).append(cell)
    return [_row(group) for group in groups.values()]


def _row(group: Sequence[dict[str, Any]]) -> Row:
    asked, score = group[0]["cell"], group[0]["score"]["name"]
    values = {
        cell["cell"]["seed"]: cell["score"]["value"] for cell in sorted(group, key=lambda cell: cell["cell"]["seed"])
    }
    mean, deviation, runs = summary(list(values.values()))
    average = {
        name: summary([cell["totals"].get(name, 0) for cell in group]).mean
        for name in ("seconds", "peak_state_bytes", "saved_bytes")
    }
    return Row(
        asked["experiment"],
        asked["rule"],
        settings_of(asked),
        asked["epochs"],
        score,
        mean,
        deviation,
        runs,
        values,
        average["seconds"],
        round(average["peak_state_bytes"]),
        round(average["saved_bytes"]),
        round(summary([cell["macs"] for cell in group]).mean),
        tuple(dict.fromkeys(device_of(cell["made"]) for cell in group)),
    )


def settings_of(asked: dict[str, Any]) -> str:
    """What a cell asks for beside experiment, rule and seed, in words.

    >>> settings_of({"epochs": 3, "tasks": None, "learning_rate": 0.01, "per_class": None})
    '3 epochs, learning rate 0.01'
    """
    words = {"tasks": "{:g} tasks", "learning_rate": "learning rate {:g}", "per_class": "{:g} per class"}
    said = [text.format(asked[name]) for name, text in words.items() if asked[name] is not None]
    return ", ".join([f"{asked['epochs']} epoch" + "s" * (asked["epochs"] != 1), *said])


def device_of(made: dict[str, Any]) -> str:
    """The accelerator, or else the processor, that made a cell."""
    return made["processor"] if made["device"] == "cpu" else made["device"]


def score_of(row: Row) -> Score:
    """How the row's experiment is judged; accuracy where there is no such experiment any more."""
    return EXPERIMENTS[row.experiment].score if row.experiment in EXPERIMENTS else ACCURACY


def shown(row: Row, value: float) -> str:
    """A value of the row's score without its unit: accuracies in %."""
    score = score_of(row)
    return f"{score.scale * value:.{score.digits}f}"


def mean_and_deviation(row: Row) -> str:
    """Such as 80.2 ± 1.1, or 80.2 of a single run."""
    return shown(row, row.mean) + ("" if row.deviation is None else f" ± {shown(row, row.deviation)}")


def pairs_of(rows: Sequence[Row], against: str | None = None) -> list[Compared]:
    """Each row beside the reference of the same experiment and settings: the rule `against`, or the first one."""
    found = []
    for key in dict.fromkeys((row.experiment, row.settings) for row in rows):
        group = [row for row in rows if (row.experiment, row.settings) == key]
        references = [row for row in group if row.rule == against] if against else group[:1]
        for reference in references:
            for row in group:
                if row is not reference and reference.values.keys() & row.values.keys():
                    found.append(Compared(row, reference, paired(row.values, reference.values)))
    return found


def compared(rows: Sequence[Row], against: str | None = None) -> str:
    """Rows and comparisons as text."""
    head = f"{'experiment':18} {'rule':28} {'mean ± deviation':>18} {'runs':>4} {'s':>8} {'kept, kB':>9} {'MACs':>9}"
    lines = [f"{head}  settings"]
    lines += [
        f"{row.experiment:18} {row.rule:28} {mean_and_deviation(row):>18} {row.runs:4} {row.seconds:8.1f} "
        f"{(row.state_bytes + row.saved_bytes) / 1e3:9.0f} {row.macs / 1e6:7.2f} M  {row.settings}"
        for row in rows
    ]
    pairs = pairs_of(rows, against)
    if pairs:
        head = f"{'experiment':18} {'rule':28} less {'rule':23} {'difference':>10} {'effect':>7}"
        lines += ["", f"{head} {'p (t)':>7} {'p (signs)':>9}  pairs"]
    for first, second, found in pairs:
        numbers = (_or_dash(found.effect, ".2f"), _or_dash(found.p, ".4f"), _or_dash(found.p_signs, ".4f"))
        lines.append(
            f"{first.experiment:18} {first.rule:28} less {second.rule:23} {_signed(first, found.difference):>10} "
            f"{numbers[0]:>7} {numbers[1]:>7} {numbers[2]:>9}  {found.pairs}"
        )
    return "\n".join(lines)


def _signed(row: Row, value: float) -> str:
    return ("+" if value >= 0 else "") + shown(row, value)


def _or_dash(value: float | None, digits: str) -> str:
    return "–" if value is None else format(value, digits)


def as_csv(rows: Sequence[Row]) -> str:
    """Rows as CSV, the values of all seeds with a space between them."""
    text = io.StringIO()
    fields = [name for name in Row._fields if name != "values"]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*fields, "values"])
    for row in rows:
        plain = [
            " | ".join(value) if isinstance(value, tuple) else value
            for value in (getattr(row, name) for name in fields)
        ]
        writer.writerow([*plain, " ".join(f"{seed}:{value:g}" for seed, value in row.values.items())])
    return text.getvalue()


def as_markdown(rows: Sequence[Row]) -> str:
    """Rows as a table in Markdown."""
    lines = [
        "| experiment | rule | settings | mean ± deviation | runs | seconds | kept | MACs | made by |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.experiment} | `{row.rule}` | {row.settings} | {mean_and_deviation(row)} | {row.runs} | "
        f"{row.seconds:.1f} | {(row.state_bytes + row.saved_bytes) / 1e3:.0f} kB | {row.macs / 1e6:.2f} M | "
        f"{', '.join(row.devices)} |"
        for row in rows
    ]
    return "\n".join(lines)
