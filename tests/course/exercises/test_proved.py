"""How a function of one's own is judged: by the first law that it breaks."""

import pytest

from workbench.course.exercises.proved import Law, Proved, kept
from workbench.course.exercises.verdict import NOT_YET


def right(x):
    return x + 1


EXERCISE = Proved(
    name="larger",
    notebook=1,
    title="A larger number",
    right=right,
    laws=(
        Law("gave no number", "give a number.", lambda answer: isinstance(answer(1), int)),
        Law("did not grow", "give a larger one.", lambda answer: answer(3) > 3),
        Law("grew by chance", "give the same again.", lambda answer: answer(4) == answer(4)),
    ),
    hints=("a", "b", "c"),
    told="It grows.",
)


def waits(x):
    while True:
        x = x


def stops(x):
    return x / 0


def leaves(x):
    raise NotImplementedError


def test_the_right_answer_keeps_all_laws():
    assert kept(EXERCISE) == [law.mistake for law in EXERCISE.laws]
    assert kept(EXERCISE._replace(right=lambda x: x - 1)) == ["gave no number", "grew by chance"]


@pytest.mark.parametrize("answer", [right, lambda x: 2 * x, lambda number: number**2 + 1])
def test_whatever_keeps_the_laws_is_right(answer):
    assert EXERCISE.judge(answer) == (True, "Right. It grows.", "")


@pytest.mark.parametrize(
    ("answer", "mistake", "words"),
    [
        (lambda x: "a", "gave no number", "Not yet: give a number."),
        (lambda x: x - 1, "did not grow", "Not yet: give a larger one."),
        (stops, "stopped with an error", "Not yet: it stops with ZeroDivisionError: division by zero"),
        (waits, "did not come to an end", "Not yet: it does not come to an end: look at the condition of your loop."),
        (leaves, "did not answer", NOT_YET),
        (..., "did not answer", NOT_YET),
        (3, "did not give a function", "Not yet: give the check your function itself, without calling it; this is 3."),
        (
            lambda: 3,
            "changed the arguments",
            "Not yet: your function must take x; put the arguments back as they were.",
        ),
    ],
)
def test_the_first_law_that_is_broken_is_named(answer, mistake, words):
    assert EXERCISE.judge(answer) == (False, words, mistake)


def test_only_the_first_law_lets_a_function_print(capsys):
    def loud(x):
        print(x)
        return x + 1

    assert EXERCISE.judge(loud).right
    assert capsys.readouterr().out == "1\n"
    assert EXERCISE.kind == "write it"
