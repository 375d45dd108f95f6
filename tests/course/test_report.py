"""What a class got wrong is counted from what its checks said, without running anything and without names."""

from xml.etree import ElementTree

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from student_answers import DESIGNS, FUNCTIONS, WRITTEN, function

from workbench.course.exercises import check, exercises
from workbench.course.report import NOT_RUN, UNNAMED, Count, count_mistakes, mistake_of, picture, said, table


def handed_in(path, words, name="trace", error=False):
    cell = new_code_cell(f'print(check("{name}", answer))', execution_count=1)
    output = new_output("error", ename="AssertionError", evalue=words) if error else None
    cell.outputs = [output or new_output("stream", text=f"printed before\n{words}\n")] if words else []
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=[cell]), path)


@pytest.mark.parametrize("each", WRITTEN, ids=lambda each: each.name)
def test_the_words_for_a_function_lead_back_to_its_mistake(each):
    for mistake, body in FUNCTIONS[each.name][:6]:
        assert mistake_of(each.name, check(each.name, function(each, body)).words) == (mistake or UNNAMED)


def test_the_words_for_a_rule_of_ones_own_lead_back_to_the_law_that_it_breaks():
    for law in exercises()["own_rule"].laws:
        assert mistake_of("own_rule", f"Not yet: {law.words}") == law.mistake


@pytest.mark.parametrize("name", DESIGNS)
def test_the_words_for_a_design_lead_back_to_its_mistake(name):
    for mistake, settings in DESIGNS[name]:
        assert mistake_of(name, check(name, settings).words) == mistake


@pytest.mark.parametrize("each", [each for each in exercises().values() if each.kind == "predict and explain"])
def test_the_words_for_a_prediction_lead_back_to_its_mistake(each):
    for answer in each.lettered:
        for because in each.numbered:
            verdict = check(each.name, answer, because)
            assert mistake_of(each.name, verdict.words) == verdict.mistake


def test_what_says_nothing():
    assert mistake_of("trace", "", run=False) == NOT_RUN
    assert mistake_of("trace", "") == ""  # a strict check is silent where all is right
    assert mistake_of("trace", "Not yet: something new.") == UNNAMED
    assert said(new_code_cell("", outputs=[new_output("stream", text="a\nRight.\n")])) == "Right.\n"


def test_a_class_is_counted(tmp_path):
    forgot, late = (check("trace", answer).words for answer in (lambda x, decay: x.cumsum(0), lambda x, decay: x))
    for number in range(17):
        handed_in(tmp_path / f"ada{number}" / "01.ipynb", forgot)
    for number in range(9):
        handed_in(tmp_path / f"bob{number}" / "01.ipynb", "Right.")
    handed_in(tmp_path / "eve" / "01.ipynb", late, error=True)
    handed_in(tmp_path / "eve" / ".ipynb_checkpoints" / "01.ipynb", forgot)
    (count,) = count_mistakes(tmp_path)
    assert count == Count("trace", 27, 9, {"forgot to forget": 17, "gave back the input": 1})
    assert "17 of 27 forgot to forget" in table([count])
    drawn = picture([count])
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    assert "17 of 27" in drawn
    assert not any(name in drawn + table([count]) for name in ("ada", "bob", "eve"))


def test_graded_notebooks_count_once(tmp_path):
    handed_in(tmp_path / "submitted" / "ada" / "ps" / "01.ipynb", "Right.")
    handed_in(tmp_path / "autograded" / "ada" / "ps" / "01.ipynb", "Not answered yet: …", error=True)
    assert count_mistakes(tmp_path) == [Count("trace", 1, 0, {"did not answer": 1})]


def test_a_folder_without_exercises_is_refused(tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell('check("nothing", 1)')]), tmp_path / "a.ipynb")
    with pytest.raises(ValueError, match="holds an exercise of this course"):
        count_mistakes(tmp_path)
