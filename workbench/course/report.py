"""What a class got wrong, counted from the notebooks that were handed in, without names.

Nothing is run: the sentences that checks printed into the notebooks, or raised for a grader, are read and turned back
into the names of mistakes.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from workbench.course.exercises.catalogue import exercise, exercises
from workbench.course.exercises.design import Design
from workbench.course.exercises.question import Question
from workbench.course.exercises.usual import TURNED
from workbench.course.exercises.written import Written

_CALL = re.compile(r"\bcheck\(\s*[\"'](\w+)[\"']")
UNNAMED, NOT_RUN = "made a mistake without a name", "did not run the check"
# Sentences that any function may get, and the mistake of each.
_ANY = (
    *((words, mistake) for mistake, words, _ in TURNED),
    ("the sign is wrong: every number", "got the sign wrong"),
    ("every number is ", "was wrong by a constant factor"),
    ("all your numbers are 0", "gave zeros only"),
    ("there is nan among", "got nan or infinity"),
    ("there is infinity among", "got nan or infinity"),
    ("you give back what came in", "gave back the input"),
    ("something is kept from one call", "kept something between two calls"),
    ("it does not come to an end", "did not come to an end"),
    ("it stops with ", "stopped with an error"),
    ("your function prints its result", "printed instead of returning"),
    ("your function returns nothing", "returned nothing"),
    ("your function gives ", "returned no numbers"),
    ("your function must take ", "changed the arguments"),
    ("give the check your function itself", "did not give a function"),
    ("the shape should be ", "gave another shape"),
)


class Count(NamedTuple):
    """An exercise in a class: how many handed it in, how many were right, and how many made which mistake."""

    name: str
    answers: int
    right: int
    mistakes: dict[str, int]


def count_mistakes(folder: Path) -> list[Count]:
    """Count the notebooks below a folder, in the order of the course; ValueError where none holds an exercise.

    A student who handed in several files of one name (nbgrader keeps submitted and autograded ones) counts once: the
    notebooks of `autograded` count where there are any.
    """
    paths = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    graded = [path for path in paths if "autograded" in path.relative_to(folder).parts]
    found: dict[str, Counter] = {}
    for path in graded or paths:
        for name, mistake in mistakes_in(nbformat.read(path, as_version=4)).items():
            found.setdefault(name, Counter())[mistake] += 1
    if not found:
        raise ValueError(f"no notebook below {folder} holds an exercise of this course")
    return [_count(name, found[name]) for name in exercises() if name in found]


def _count(name: str, found: Counter) -> Count:
    right = found.pop("", 0)
    return Count(name, found.total() + right, right, dict(found.most_common()))


def mistakes_in(notebook: NotebookNode) -> dict[str, str]:
    """The mistake in each exercise of a notebook; "" for what is right."""
    found: dict[str, str] = {}
    for cell in notebook.cells:
        call = _CALL.search(cell.source) if cell.cell_type == "code" else None
        if call and call[1] in exercises():
            found[call[1]] = mistake_of(call[1], said(cell), bool(cell.get("execution_count")))
    return found


def said(cell: NotebookNode) -> str:
    """What a check printed in a cell, or raised."""
    texts = [output.get("text") or output.get("evalue") or "" for output in cell.outputs]
    found = re.search(r"^(Right[.:]|Not yet: |Not answered yet).*", "\n".join(texts), re.M | re.S)
    return found[0] if found else "\n".join(texts)


def mistake_of(name: str, words: str, run: bool = True) -> str:
    """The mistake that a check meant by its words; "" where they say right."""
    if words.startswith("Right") or (run and not words):  # a strict check says nothing where all is right
        return ""
    if words.startswith("Not answered yet"):
        return "did not answer"
    if not words:
        return NOT_RUN
    words = words.removeprefix("Not yet: ").removeprefix("the answer is right, the reason is not. ")
    return next((mistake for begins, mistake in _sentences(name) if re.match(begins, words)), UNNAMED)


def _sentences(name: str) -> Iterator[tuple[str, str]]:
    """How the sentences of an exercise begin, as patterns, and the mistake of each."""
    found = exercise(name)
    if isinstance(found, Written):
        known = [*filter(None, [found.broken]), *found.mistakes]
        yield from ((re.escape(each.words), each.name) for each in known)
        if found.kept:
            yield re.escape(found.kept.words), found.kept.mistake
        yield from ((re.escape(words), mistake) for words, mistake in _ANY)
    elif isinstance(found, Design):
        for goal in found.goals:
            yield re.sub(r"\\\{.*?\\\}", ".*?", re.escape(goal.words)), goal.mistake
        yield from ((rf"{key} must be ", f"chose {key} out of bounds") for key in found.settings)
        yield from (("the settings are ", "gave other settings"), ("give the settings ", "gave no settings"))
    elif isinstance(found, Question):
        yield from ((re.escape(each.against), f'answered "{each.text}"') for each in found.answers if each.against)
        yield from (
            (re.escape(each.against), f'gave the reason "{each.text}"') for each in found.reasons if each.against
        )
        yield from ((f"the {what} must be ", f"chose no {what} that there is") for what in ("answer", "reason"))


def table(counts: Sequence[Count]) -> str:
    """The report as a table for people."""
    lines = []
    for count in counts:
        lines.append(f"{exercise(count.name).title}: {count.right} of {count.answers} right")
        lines += [f"  {number:3} of {count.answers} {mistake}" for mistake, number in count.mistakes.items()]
    return "\n".join(lines)


def picture(counts: Sequence[Count], most: int = 5) -> str:
    """The report as an SVG: a bar for what is right and for each of the `most` frequent mistakes of an exercise."""
    bars: list[tuple[str, int, int, str]] = []
    for count in counts:
        bars.append((exercise(count.name).title, -1, 0, ""))
        bars.append(("right", count.right, count.answers, "#0072b2"))
        bars += [(mistake, n, count.answers, "#d55e00") for mistake, n in list(count.mistakes.items())[:most]]
    height, rows = 24, []
    for place, (words, number, answers, colour) in enumerate(bars):
        rows.append(_row(place * height + 30, words, number, answers, colour))
    style = "<style>text{font:14px sans-serif;fill:#222}.t{font-weight:bold}</style>"
    size = f'width="900" height="{len(bars) * height + 30}"'
    background = '<rect width="100%" height="100%" fill="#ffffff"/>'
    label = "<title>Mistakes of a class</title>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>{label}{style}{background}{"".join(rows)}</svg>\n'
    )


def _row(y: int, words: str, number: int, answers: int, colour: str) -> str:
    short = html.escape(words if len(words) <= 52 else f"{words[:51]}…")
    if number < 0:
        return f'<text class="t" x="10" y="{y}">{short}</text>'
    width = round(430 * number / max(answers, 1))
    bar = f'<rect x="400" y="{y - 13}" width="{width}" height="16" fill="{colour}"/>'
    return f'<text x="20" y="{y}">{short}</text>{bar}<text x="{406 + width}" y="{y}">{number} of {answers}</text>'
