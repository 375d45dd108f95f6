"""A student goes through the exercises of a lesson in JupyterLab: answers wrongly, is told why, answers rightly."""

import pytest

from workbench.course import build
from workbench.shipped import notebooks_folder

LESSON = "03_s_tllr_events"
READY = "() => window.jupyterapp?.shell.currentWidget?.context?.sessionContext.session?.kernel?.status === 'idle'"
GO_TO = """async (text) => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  const place = notebook.widgets.findIndex((cell) => cell.model.sharedModel.getSource().includes(text));
  notebook.activeCellIndex = place;
  await notebook.scrollToItem(place);
  notebook.mode = "edit";
}"""
WRONG = """def readout_signal(logits, labels):
    y = torch.nn.functional.one_hot(labels, logits.shape[1])
    return (y - logits.softmax(1)) / len(logits)


print(check("readout_signal", readout_signal))"""
RIGHT = WRONG.replace("(y - logits.softmax(1))", "(logits.softmax(1) - y)")
CHOICE = 'answer, because = {}\nprint(check("memory_growth", answer, because))'


@pytest.fixture
def student(lab, open_page, tmp_path):
    """The page of a student's copy of the lesson."""
    from playwright.sync_api import expect

    build("student", notebooks_folder(), tmp_path / "course")
    page = open_page(lab(notebook=tmp_path / "course" / f"{LESSON}.ipynb"))
    page.wait_for_function(READY)

    class Student:
        def run(self, text, answer=None):
            """Go to the cell that holds a text, write an answer in its place, and run it with the keyboard."""
            page.evaluate(GO_TO, text)
            page.wait_for_selector(".jp-Cell.jp-mod-active .cm-editor.cm-focused")
            if answer is not None:
                page.keyboard.press("Control+A")
                page.keyboard.insert_text(answer)
            page.keyboard.press("Control+Enter")

        def reads(self, words):
            """Wait until these words stand below the cell."""
            expect(page.locator(".jp-Cell.jp-mod-active .jp-OutputArea")).to_contain_text(words)

    return Student()


def test_a_student_answers_wrongly_is_told_why_and_answers_rightly(student):
    student.run("import torch")
    student.run("from workbench.course.exercises import")
    student.reads("One sample first")  # the first hint
    student.run('check("readout_signal"')
    student.reads("Not answered yet: replace the dots by your code and run the cell again.")
    student.run('check("readout_signal"', WRONG)
    student.reads("Not yet: the sign is wrong: ∂L/∂o is p − y, not y − p.")
    student.run('check("readout_signal"', RIGHT)
    student.reads("Right.")

    student.run('ask("memory_growth")')
    student.reads("Recordings become twice as long")
    student.run('check("memory_growth"', CHOICE.format('"a", 2'))
    student.reads("Not yet: that is BPTT, which keeps every step until the end.")
    student.run('check("memory_growth"', CHOICE.format('"c", 1'))
    student.reads("Right. Notebook 3 measures it.")
