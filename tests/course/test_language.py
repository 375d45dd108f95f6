"""Exercises in another language: every sentence has its translation, and a class is counted as if it were English."""

import pytest
from student_answers import DESIGNS, FUNCTIONS, QUESTIONS, WRITTEN, function

from workbench.course.exercises import Design, Proved, Question, Written, ask, check, exercises, hint
from workbench.course.exercises.usual import TURNED
from workbench.course.report import UNNAMED, mistake_of
from workbench.language import catalogue, speak

by_name = {"ids": lambda each: each.name}


@pytest.fixture
def spanish():
    speak("es")
    yield
    speak(None)


def sentences(each):
    """All that an exercise may say to a student."""
    yield each.title
    yield from each.hints
    if isinstance(each, Written):
        yield from (mistake.words for mistake in (*filter(None, [each.broken]), *each.mistakes))
        yield from [each.kept.words] if each.kept else []
    elif isinstance(each, Proved):
        yield from (each.told, *(law.words for law in each.laws))
    elif isinstance(each, Design):
        yield from (goal.words for goal in each.goals)
    elif isinstance(each, Question):
        yield from (each.text, each.afterwards)
        yield from (text for option in (*each.answers, *each.reasons) for text in option)


@pytest.mark.parametrize("each", exercises().values(), **by_name)
def test_spanish_has_all_that_an_exercise_says(each):
    assert [text for text in sentences(each) if text and text not in catalogue("es")] == []


def test_spanish_has_the_usual_mistakes():
    assert [words for _, words, _ in TURNED if words not in catalogue("es")] == []


@pytest.mark.parametrize("each", WRITTEN, **by_name)
def test_the_words_for_a_function_lead_back_to_its_mistake(each, spanish):
    for mistake, body in FUNCTIONS[each.name][:8]:
        verdict = check(each.name, function(each, body))
        assert verdict.mistake == mistake
        assert verdict.words.startswith("Todavía no: ")
        assert mistake_of(each.name, verdict.words) == (mistake or UNNAMED)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_words_for_a_design_lead_back_to_its_mistake(name, spanish):
    for mistake, settings in DESIGNS[name]:
        assert mistake_of(name, check(name, settings).words) == mistake


@pytest.mark.parametrize("each", QUESTIONS, **by_name)
def test_the_words_for_a_prediction_lead_back_to_its_mistake(each, spanish):
    for answer in each.lettered:
        for because in each.numbered:
            verdict = check(each.name, answer, because)
            assert mistake_of(each.name, verdict.words) == verdict.mistake


def test_what_a_student_reads_in_spanish(spanish):
    assert check("trace", ...).words == (
        "Sin responder todavía: sustituye los puntos por tu código y ejecuta la celda de nuevo."
    )
    assert check("trace", exercises()["trace"].right).words == "Correcto."
    assert check("trace", lambda x, decay: x.cumsum(0)).words.splitlines()[0] == (
        "Todavía no: no olvida: q[t−1] debe multiplicarse por λ."
    )
    assert hint("trace") == ("Guarda un número q, que empieza en 0, y recorre x paso a paso. (Más: hint('trace', 2).)")
    assert "¿Cuándo dispara?" in ask("below_threshold")._repr_markdown_()
    assert "porque" in str(ask("below_threshold"))
