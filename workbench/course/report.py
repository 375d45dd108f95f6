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
from workbench.course.exercises.proved import Proved
from workbench.course.exercises.question import MUST_BE, Question
from workbench.course.exercises.usual import TURNED
from workbench.course.exercises.verdict import NO_CHOICE, NO_SETTINGS, NOT_YET
from workbench.course.exercises.written import Written
from workbench.language import LANGUAGES, catalogue

_CALL = re.compile(r"\bcheck\(\s*[\"'](\w+)[\"']")
UNNAMED, NOT_RUN = "made a mistake without a name", "did not run the check"
# Sentences that any function may get, and the mistake of each.
_ANY = (
    *((words, mistake) for mistake, words, _ in TURNED),
    ("the sign is wrong: every number has the opposite sign.", "got the sign wrong"),
    ("every number is {factor:.4g} times what it should be.", "was wrong by a constant factor"),
    ("all your numbers are 0: is something multiplied by 0, or never added up?", "gave zeros only"),
    ("there is {what} among your numbers: look for a division by zero.", "got nan or infinity"),
    ("you give back what came in, unchanged.", "gave back the input"),
    (
        "something is kept from one call to the next: begin anew in each call.",
        "kept something between two calls",
    ),
    ("it does not come to an end: look at the condition of your loop.", "did not come to an end"),
    ("it stops with {error}", "stopped with an error"),
    (
        "your function prints its result and returns nothing: write return instead of print.",
        "printed instead of returning",
    ),
    ("your function returns nothing.", "returned nothing"),
    ("your function gives {what}, expected numbers.", "returned no numbers"),
    ("your function must take {names}; put the arguments back as they were.", "changed the arguments"),
    ("give the check your function itself, without calling it; this is {it}.", "did not give a function"),
    ("the shape should be {due}, yours is {yours}.", "gave another shape"),
)

# What checks may begin with: right, open, wrong, a right answer with a wrong reason.
_RIGHT = ("Right.", "Right: {numbers}.")
_OPEN = (NOT_YET, NO_SETTINGS, NO_CHOICE)
_WRONG, _REASON = "Not yet: {words}", "the answer is right, the reason is not."
_SETTINGS = (
    ("the settings are {names}, yours are {yours}.", "gave other settings"),
    ("give the settings as a dict with {names}, got {got}.", "gave no settings"),
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
    begins = "|".join(map(_begins, (*_RIGHT, *_OPEN, _WRONG)))
    found = re.search(rf"^({begins}).*", "\n".join(texts), re.M | re.S)
    return found[0] if found else "\n".join(texts)


def mistake_of(name: str, words: str, run: bool = True) -> str:
    """The mistake that a check meant by its words, in whatever language it spoke; "" where they say right."""
    if any(re.match(_begins(text), words) for text in _RIGHT) or (run and not words):
        return ""  # a strict check says nothing where all is right
    if any(re.match(_begins(text), words) for text in _OPEN):
        return "did not answer"
    if not words:
        return NOT_RUN
    words = re.sub(f"^({_begins(_WRONG)})", "", words)
    words = re.sub(f"^({_begins(_REASON)}) ", "", words)
    return next((mistake for begins, mistake in _sentences(name) if re.match(_begins(begins), words)), UNNAMED)


def _begins(text: str) -> str:
    """A pattern for sentences made from this text, in every language; up to its colon where nothing was answered."""
    if text in _OPEN:
        return "|".join(re.escape(catalogue(code).get(text, text).partition(":")[0]) for code in LANGUAGES)
    return "|".join(re.sub(r"\\\{.*?\\\}", ".*?", re.escape(catalogue(code).get(text, text))) for code in LANGUAGES)


def _sentences(name: str) -> Iterator[tuple[str, str]]:
    """The English sentences of an exercise, with braces for what stands in them, and the mistake of each."""
    found = exercise(name)
    if isinstance(found, Written):
        known = [*filter(None, [found.broken]), *found.mistakes]
        yield from ((each.words, each.name) for each in known)
        if found.kept:
            yield found.kept.words, found.kept.mistake
        yield from _ANY
    elif isinstance(found, Proved):
        yield from ((each.words, each.mistake) for each in found.laws)
        yield from _ANY
    elif isinstance(found, Design):
        yield from ((goal.words, goal.mistake) for goal in found.goals)
        yield from _SETTINGS
        yield from ((f"{key} ", f"chose {key} out of bounds") for key in found.settings)  # … must be
    elif isinstance(found, Question):
        yield from ((each.against, f'answered "{each.text}"') for each in found.answers if each.against)
        yield from ((each.against, f'gave the reason "{each.text}"') for each in found.reasons if each.against)
        yield from ((text, f"chose no {what} that there is") for what, text in MUST_BE.items())


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
