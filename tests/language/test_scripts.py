"""The words that a module of the page says are found in its text."""

import pytest

from widgets.frame.bar import Bar
from widgets.page.nav import Nav
from widgets.tour import Coach
from workbench.language import speak, words_of


@pytest.fixture(autouse=True)
def spanish():
    speak("es")
    yield
    speak(None)


def test_what_is_said_is_found():
    source = """const a = say("Undo"); b(say("Try {number} of {of}: ", x), speaker(model)("Panels"), essay("Reset"))"""
    assert words_of(source) == {
        "Undo": "Deshacer",
        "Try {number} of {of}: ": "Prueba {number} de {of}: ",
        "Panels": "Paneles",
    }
    assert words_of("", "Classical STDP", "no preset") == {"Classical STDP": "STDP clásica"}


def test_in_english_nothing_is_sent():
    speak("en")
    assert words_of(Bar._esm, "Classical STDP") == {}


def test_each_module_gets_its_own():
    assert Bar("head", lambda *_: None).words["Undo"] == "Deshacer"
    for widget, text in ((Nav(), "Lecture mode"), (Coach(), "Finish")):
        widget.learn()
        assert text in widget.words
