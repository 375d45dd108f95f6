"""What the cells of a lesson are for, and how an exercise's cell is taken apart."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from workbench.course.cells import asked, strict, taken_apart
from workbench.course.exercises import exercises
from workbench.shipped import notebooks_folder

LESSONS = sorted(notebooks_folder().glob("[0-9][0-9]_*.ipynb"))
FOLDED = "<details><summary>Solution</summary>\n\n```python\nx = 1\n```\n\n</details>"


def lesson(source, folded=FOLDED):
    exercise = new_code_cell(source, metadata={"tags": ["exercise"]})
    return new_notebook(cells=[exercise, new_markdown_cell(folded, metadata={"tags": ["solution"]})])


def test_every_exercise_is_asked_once_in_its_notebook():
    found = {}
    for path in LESSONS:
        for each in asked(nbformat.read(path, as_version=4)):
            assert each.name not in found
            found[each.name] = int(path.name[:2])
    assert found == {each.name: each.notebook for each in exercises().values()}


def test_an_exercise_is_taken_apart():
    (each,) = asked(lesson('x = ...  # a number\n\n\nprint(check("trace", x))'))
    assert (each.name, each.start, each.check) == ("trace", "x = ...  # a number", 'print(check("trace", x))')
    assert each.solution == "x = 1"
    assert taken_apart("f(\n    1,\n)") == ("", "f(\n    1,\n)")
    assert strict('print(check("trace", x))') == 'check("trace", x, strict=True)'


@pytest.mark.parametrize(
    ("source", "folded", "words"),
    [
        ("x = ...", FOLDED, "'x = ...' has no check"),
        ('print(check("trace", x))', "no code", "no solution behind it"),
    ],
)
def test_what_is_built_otherwise_is_refused(source, folded, words):
    with pytest.raises(ValueError, match=words):
        list(asked(lesson(source, folded)))
    with pytest.raises(ValueError, match="ends with print"):
        strict('check("trace", x)')
