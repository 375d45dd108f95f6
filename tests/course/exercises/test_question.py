"""Predictions: a letter, a number, and what speaks against each."""

import pytest

from workbench.course.exercises.question import Option, Question

ASKED = Question(
    name="q",
    notebook=1,
    title="Which?",
    text="Which one?",
    answers=(Option("this", "not this."), Option("that")),
    reasons=(Option("so"), Option("otherwise", "no, not so.")),
    hints=("a", "b", "c"),
    afterwards="Well done.",
)


@pytest.mark.parametrize(
    ("answer", "because", "words"),
    [
        ("b", 1, "Right. Well done."),
        ("B)", "1.", "Right."),
        (" b ", 1.0, "Right."),
        ("a", 1, "Not yet: not this."),
        ("a", 2, "Not yet: not this."),
        ("b", 2, "Not yet: the answer is right, the reason is not. no, not so."),
        ("c", 1, "Not yet: the answer must be one of a, b, got 'c'."),
        ("b", 3, "Not yet: the reason must be one of 1, 2, got 3."),
        ("b", True, "Not yet: the reason must be one of 1, 2, got True."),
        ("b", [1], "Not yet: the reason must be one of 1, 2, got [1]."),
        (1, "b", "Not yet: the answer must be one of a, b, got 1."),
        ("b", ..., "Not answered yet: choose a letter and the number of a reason."),
        (None, None, "Not answered yet"),
    ],
)
def test_the_sentence_for_a_choice(answer, because, words):
    verdict = ASKED.judge(answer, because)
    assert verdict.words.startswith(words)
    assert verdict.right == words.startswith("Right")


def test_mistakes_name_what_was_chosen():
    assert ASKED.judge("a", 1).mistake == 'answered "this"'
    assert ASKED.judge("b", 2).mistake == 'gave the reason "otherwise"'


def test_it_is_shown_as_text_and_as_markdown():
    assert "  a)  this" in str(ASKED)
    assert "  2.  otherwise" in str(ASKED)
    assert "- **a)** this" in ASKED._repr_markdown_()
    assert "not this" not in ASKED._repr_markdown_()
