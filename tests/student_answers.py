"""Answers of students, right and wrong, kept as text; and functions made of them."""

import inspect
import math
import textwrap
import tomllib
from pathlib import Path

import torch
from torch.nn import functional as F

from workbench.course.exercises import Design, Proved, Question, Written, exercises
from workbench.credit import Ran, attach
from workbench.networks import advance

FOLDER = Path(__file__).parent / "course"
FUNCTIONS = tomllib.loads((FOLDER / "wrong_answers.toml").read_text("utf-8"))
DESIGNS = tomllib.loads((FOLDER / "wrong_designs.toml").read_text("utf-8"))
WRITTEN = [each for each in exercises().values() if isinstance(each, Written)]
PROVED = [each for each in exercises().values() if isinstance(each, Proved)]
QUESTIONS = [each for each in exercises().values() if isinstance(each, Question)]
DESIGNED = [each for each in exercises().values() if isinstance(each, Design)]


def run_trace(x, decay):
    """A trace as a student writes it."""
    q, values = 0.0, []
    for now in x:
        q = decay * q + now
        values.append(q)
    return torch.stack(values)


def later(x):
    """The same one step late, with zeros first."""
    return torch.cat([torch.zeros_like(x[:1]), x[:-1]])


def source(exercise: Written | Proved, body: str, name: str = "answer") -> str:
    """The text of a function with the arguments of an exercise; `body` is an expression, or lines that return."""
    lines = body if "\n" in body or body.startswith("return") else f"return {body}"
    arguments = ", ".join(inspect.signature(exercise.right).parameters)
    return f"def {name}({arguments}):\n{textwrap.indent(lines, '    ')}\n"


def function(exercise: Written | Proved, body: str):
    """The function itself."""
    names = {"torch": torch, "F": F, "math": math, "run_trace": run_trace, "later": later, "right": exercise.right}
    names |= {"Ran": Ran, "attach": attach, "advance": advance}
    exec(source(exercise, body), names)
    return names["answer"]
