"""What the papers report, beside what the cells say: reproduced, missed, or not run and how long it would take.

A paper is a file of `results/papers/` in TOML: its name and place, and rows. A row says what the paper says; under
`ours` stands what answers it here:

    value = "mean"         a metric of a rule, such as its accuracy
            "gap"          that of a rule less that of another, `against`, seed by seed
            "times less"   how many times less the rule takes than the other
            "share"        the rule's number divided by the other's
    least, most            what the number has to be, in the metric's unit, to count as reproduced
    surely = true          and the paired t test has to tell it from 0 (p below 0.05)

`reported` holds the paper's own numbers in the unit of the answer, such as the points between the two accuracies that
it prints; none where it says the claim in words only. A row without `ours` was not run: `hours` says how long that
would take on one H100 (an estimate), `needs` what is missing here, `command` what runs it where that is there.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workbench.names import unknown
from workbench.sweeps.statistics import Paired, paired, summary
from workbench.sweeps.values import Asked, Metric, metric_of, signed, told, values_of

REPRODUCED, MISSED, NOT_RUN = "reproduced", "missed", "not run"
VALUES = ("mean", "gap", "times less", "share")
SURE = 0.05  # of a test that counts as sure


class Ours(NamedTuple):
    """What answers a row, see above. on: which data stand here for the paper's."""

    experiment: str
    rule: str
    epochs: int
    value: str = "gap"
    against: str | None = None
    metric: str = "score"
    least: float | None = None
    most: float | None = None
    surely: bool = False
    on: str = ""


class PaperRow(NamedTuple):
    """One line of a paper's table, or one of its claims."""

    source: str
    what: str
    says: str
    ours: Ours | None = None
    hours: float | None = None
    needs: str = ""
    command: str = ""
    note: str = ""
    reported: tuple[float, ...] = ()


class Paper(NamedTuple):
    """A paper and its rows; `standing` says in words where we stand, `frontier` names the picture of its costs."""

    key: str
    name: str
    where: str
    standing: str
    rows: tuple[PaperRow, ...]
    frontier: str | None = None


class Answer(NamedTuple):
    """A row and what came out: the verdict, our number in words, how many seeds it has, and the number of each seed in
    the unit of the row."""

    row: PaperRow
    verdict: str
    number: str
    seeds: int
    values: Mapping[int, float] = {}


def read_papers(folder: Path) -> list[Paper]:
    """All papers of a folder, in the order of their files; ValueError, with the file, for what cannot be read."""
    return [read_paper(path) for path in sorted(folder.glob("*.toml"))]


def read_paper(path: Path) -> Paper:
    """One paper."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        rows = tuple(_row(row) for row in content.pop("row"))
        return _filled(Paper, content | {"key": path.stem, "rows": rows})
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None


def _row(table: Mapping[str, Any]) -> PaperRow:
    ours = table.get("ours")
    reported = tuple(float(number) for number in table.get("reported", ()))
    found = _filled(PaperRow, {**table, "ours": None if ours is None else _filled(Ours, ours), "reported": reported})
    if found.ours is None and found.hours is None and not found.needs:
        raise ValueError(f"'{found.what}' was not run; say what it needs, or its hours")
    if found.ours is not None:
        _check(found.ours, found.what)
    return found


def _check(ours: Ours, what: str) -> None:
    if ours.value not in VALUES:
        raise unknown("'{what}' asks for a", ours.value, VALUES, what=what)
    if (ours.value != "mean") != (ours.against is not None):
        raise ValueError(f"'{what}': a mean is of one rule, all else is `against` another, got {ours!r}")
    if ours.least is None and ours.most is None:
        raise ValueError(f"'{what}' says neither least nor most, so nothing could be missed")


def _filled(kind: type, table: Mapping[str, Any]) -> Any:
    for name in table:
        if name not in kind._fields:  # pyright: ignore[reportAttributeAccessIssue]
            fields: tuple[str, ...] = kind._fields  # pyright: ignore[reportAttributeAccessIssue]
            raise unknown("a {kind} has no", name, fields, kind=kind.__name__)
    return kind(**table)


def answer(row: PaperRow, cells: Sequence[Mapping[str, Any]]) -> Answer:
    """What the cells say to a row."""
    ours = row.ours
    if ours is None:
        return Answer(row, NOT_RUN, _why(row), 0)
    asked = Asked(ours.experiment, ours.rule, ours.epochs, ours.metric)
    metric, first = metric_of(asked), values_of(cells, asked)
    if ours.against is None:
        return Answer(row, NOT_RUN, _why(row), 0) if not first else _judged(row, first, metric)
    second = values_of(cells, asked._replace(rule=ours.against))
    if not first.keys() & second.keys():
        return Answer(row, NOT_RUN, _why(row), 0)
    if ours.value == "gap":
        gaps = {seed: first[seed] - second[seed] for seed in sorted(first) if seed in second}
        return _gap(row, paired(first, second), metric)._replace(values=gaps)
    over, under = (first, second) if ours.value == "share" else (second, first)
    ratios = {seed: over[seed] / under[seed] for seed in sorted(first) if seed in second}
    return _judged(
        row, ratios, Metric(lambda _: None, ours.value, "", digits=2 if ours.value == "share" else 1, exact=True)
    )


def _judged(row: PaperRow, values: Mapping[int, float], metric: Metric) -> Answer:
    assert row.ours is not None
    number = f"{told(values, metric)} {metric.unit}" if metric.unit != "share" else f"{told(values, metric)} of it"
    return Answer(row, _verdict(row.ours, summary(list(values.values())).mean), number, len(values), values)


def _gap(row: PaperRow, found: Paired, metric: Metric) -> Answer:
    assert row.ours is not None
    verdict = _verdict(row.ours, found.difference)
    if row.ours.surely and (found.p is None or found.p >= SURE):
        verdict = MISSED
    spread = "" if found.deviation is None else f" ± {found.deviation:.{metric.digits}f}"
    test = "" if found.p is None else f", p {'< 0.001' if found.p < 0.001 else format(found.p, '.3f')}"
    number = f"{signed(found.difference, metric.digits, plus=True)}{spread} {metric.difference}{test}"
    return Answer(row, verdict, number, found.pairs)


def _verdict(ours: Ours, value: float) -> str:
    low = ours.least is None or value >= ours.least
    high = ours.most is None or value <= ours.most
    return REPRODUCED if low and high else MISSED


def _why(row: PaperRow) -> str:
    hours = "" if row.hours is None else f"about {row.hours:g} h on one H100"
    return "; ".join(part for part in (hours, row.needs) if part) or "no cells yet"


def wanted(ours: Ours) -> str:
    """What counts as reproduced, in words.

    >>> wanted(Ours("sound", "stllr", 15, against="bptt", least=0.0, surely=True))
    'at least 0, p below 0.05'
    """
    ends = [
        f"{word} {signed(end, 2).rstrip('0').rstrip('.')}"
        for word, end in (("at least", ours.least), ("at most", ours.most))
        if end is not None
    ]
    return ", ".join([" and ".join(ends), *([f"p below {SURE:g}"] if ours.surely else [])])
