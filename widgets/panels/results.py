"""`PaperResults`: what the papers report beside what was trained here, and what accuracy costs."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from widgets.drawing.rule_look import rule_label
from widgets.frame.controls import choice, switch
from widgets.frame.panel import Panel
from widgets.lessons.results import RESULTS
from widgets.panels.results_pictures import (
    HOURS,
    POINTS,
    RATIO,
    ShownRow,
    claims_figure,
    draw_claims,
    draw_frontier,
    frontier_figure,
)
from workbench.language import say
from workbench.shipped import results_folder
from workbench.sweeps.frontier import Point, frontier
from workbench.sweeps.pages import Picture, Results, picture_named, points_of, read_results
from workbench.sweeps.papers import MISSED, NOT_RUN, REPRODUCED, Answer, Paper, answer
from workbench.sweeps.statistics import summary

KINDS = {"mean": POINTS, "gap": POINTS, "times less": RATIO, "share": RATIO}  # of a row, by what it asks for
AXES = {"kept": "kept while learning (MB)", "macs": "products per sample and update (millions)"}
FIRST = "S-TLLR"
_UNITS = re.compile(r"\b(?:points|million|pixels|of it)\b")  # in what `answer` says of a number


class Found(NamedTuple):
    """The answers to a paper, those rows of it that are shown, and the cost frontier of its rules.

    hours: what the rows that were not run would take; longest: whether no other paper's would take as long.
    """

    answers: list[Answer]
    rows: list[ShownRow]
    points: list[Point]
    front: list[Point]
    hours: float
    longest: bool


class PaperResults(Panel):
    """Each claim of a paper with the paper's number and ours, seed by seed; accuracy against bytes or products.

    All numbers come from the files in `results/`. Controls: paper, measure, seeds, cost.
    """

    name = "results"
    title = "Results"
    lesson = RESULTS

    def __init__(self, **state: Any) -> None:
        results = shipped()
        self.claims, self.frontier = claims_figure(), frontier_figure(max(len(p.rows) for p in results.pictures))
        super().__init__(_controls(results), [self.claims, self.frontier], state)

    def compute(self, paper: str, measure: str, seeds: bool, cost: str) -> Found:
        results = shipped()
        answers = answers_to(paper)
        points = points_of(picture_of(paper), results.cells, cost)
        hours = {each.key: _hours(answers_to(each.key)) for each in results.papers}
        longest = hours[paper] >= max(hours.values())
        labels = {line.rule: line.label for line in picture_of(paper).rows}
        return Found(answers, shown_rows(answers, measure, labels), points, frontier(points), hours[paper], longest)

    def draw(self, numbers: Found) -> None:
        values = self.values
        draw_claims(self.claims, numbers.rows, values["measure"], values["seeds"])
        rules = {line.label: line.rule for line in picture_of(values["paper"]).rows}
        drawn = [rules[point.label] for point in numbers.points]
        draw_frontier(self.frontier, numbers.points, drawn, numbers.front, AXES[values["cost"]])

    def describe(self, numbers: Found) -> str:
        paper = self.controls["paper"].label
        counts = [sum(each.verdict == verdict for each in numbers.answers) for verdict in (REPRODUCED, MISSED, NOT_RUN)]
        told = say(
            "{paper}: of {rows} rows {reproduced} reproduced on smaller data, {missed} missed, {left} not run "
            "({hours:g} hours).",
            paper=paper,
            rows=len(numbers.answers),
            reproduced=counts[0],
            missed=counts[1],
            left=counts[2],
            hours=numbers.hours,
        )
        if not numbers.rows:
            return f"{told} {say('It has no row of this kind.')}"
        if self.values["measure"] == HOURS:
            row = max(numbers.rows, key=lambda each: each.mean)
            longest = say("The longest: {claim}, {hours:g} hours.", claim=row.claim, hours=row.mean)
            return f"{told} {longest}"
        row = min(numbers.rows, key=lambda each: (each.verdict != MISSED, -abs(each.mean)))
        return f"{told} {row.claim[:1].upper()}{row.claim[1:]}: {row.told}."

    def source(self, paper: str, measure: str, seeds: bool, cost: str) -> str:
        return f"""
            from workbench.sweeps import answer, frontier, picture_named, points_of, read_results, results_folder

            results = read_results(results_folder())
            paper = next(paper for paper in results.papers if paper.key == "{paper}")
            answers = [answer(row, results.cells) for row in paper.rows]
            for each in answers:
                print(each.verdict, "|", each.row.what, "|", each.row.says, "|", each.number, "|", dict(each.values))
            points = points_of(picture_named(paper.frontier, results.pictures), results.cells, "{cost}")
            front = frontier(points)
        """


@cache
def shipped() -> Results:
    """What lies in `results/`, read once."""
    return read_results(results_folder())


@cache
def answers_to(key: str) -> list[Answer]:
    """The answers to all rows of a paper."""
    results = shipped()
    return [answer(row, results.cells) for row in paper_of(key).rows]


def paper_of(key: str) -> Paper:
    """The paper of that key."""
    return next(paper for paper in shipped().papers if paper.key == key)


def picture_of(key: str) -> Picture:
    """The cost frontier that belongs to a paper."""
    return picture_named(paper_of(key).frontier or "", shipped().pictures)


def shown_rows(answers: Sequence[Answer], kind: str, labels: Mapping[str, str]) -> list[ShownRow]:
    """The answers of a kind as rows: differences in points, ratios, or the hours of what was not run.

    labels: what people call rules that are none of `workbench.rules`.
    """
    if kind == HOURS:
        missing = [each for each in answers if each.verdict == NOT_RUN and each.row.hours]
        return [_missing_row(each) for each in missing]
    return [
        _run_row(each, labels)
        for each in answers
        if each.values and each.row.ours is not None and KINDS[each.row.ours.value] == kind
    ]


def _missing_row(each: Answer) -> ShownRow:
    hours = float(each.row.hours or 0.0)
    row, what = each.row, say(each.row.what)
    why = [say("about {hours:g} h on one H100", hours=hours)] if hours else []
    why += [say(row.needs)] if row.needs else []
    told = f"{what}: {say(row.says)}; {'; '.join(why) or say('no cells yet')}"
    return ShownRow(what, "", each.verdict, (), hours, 0.0, (), None, None, told, say(row.source))


def _run_row(each: Answer, labels: Mapping[str, str]) -> ShownRow:
    ours = each.row.ours
    assert ours is not None
    mean, deviation, runs = summary(list(each.values.values()))
    names = [say(labels.get(rule, rule_label(rule))) for rule in (ours.rule, ours.against) if rule is not None]
    told = say("{number}, 1 seed; the paper: {says}") if runs == 1 else say("{number}, {runs} seeds; the paper: {says}")
    number = _UNITS.sub(lambda unit: say(unit[0]), each.number)
    short = max(each.row.reported, default=0.0) / mean if KINDS[ours.value] == RATIO else 0.0
    return ShownRow(
        say(each.row.what),
        ours.rule,
        each.verdict,
        tuple(each.values.values()),
        mean,
        deviation or 0.0,
        each.row.reported,
        ours.least,
        ours.most,
        told.format(number=number, runs=runs, says=say(each.row.says)),
        say("{rules} on {data}", rules=say(" and ").join(names), data=say(ours.on)),
        short,
    )


def _hours(answers: Sequence[Answer]) -> float:
    return sum(each.row.hours or 0.0 for each in answers if each.verdict == NOT_RUN)


def _controls(results: Results) -> dict:
    papers = {paper.name: paper.key for paper in results.papers}
    measures = {
        "accuracy, points": POINTS,
        "cost and error, ratio": RATIO,
        "not run, hours": HOURS,
    }
    return {
        "paper": choice("paper", papers, "whose claims and numbers", FIRST),
        "measure": choice("measure", measures, "which of its rows: accuracies, costs, or what was not run here"),
        "seeds": switch("single seeds", False, "a mark for each run beside mean and deviation"),
        "cost": choice("cost", {"bytes kept": "kept", "products": "macs"}, "what accuracy is set against"),
    }
