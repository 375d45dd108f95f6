"""The catalogues: chosen by the page or the environment; numbers, symbols and places are the same on both sides."""

import re
import string

import pytest

from workbench.language import LANGUAGES, VARIABLE, catalogue, language, say, speak

pytestmark = pytest.mark.usefixtures("english")
SPANISH = list(catalogue("es").items())
SYMBOL = re.compile(
    r"[Α-Ωα-ω][₊₋₁₂⁺]?(?:_[a-z]+)?|\d+(?:\.\d+)?|[−→²≥≤·×∂Σ]|S-TLLR|TESS|BPTT|LANCE|CODE-CL|GPM|HOSVD|OTTT"
)


def test_english_is_said_as_it_stands():
    assert say("Undo") == "Undo"
    assert say("{number} of {of}. ", number=2, of=5) == "2 of 5. "
    assert say("a brace { alone") == "a brace { alone"


def test_a_page_chooses():
    speak("es")
    assert say("Undo") == "Deshacer"
    assert say("More settings ({count})", count=3) == "Más ajustes (3)"
    assert say("nobody has translated this") == "nobody has translated this"
    speak("en")
    assert say("Undo") == "Undo"


@pytest.mark.parametrize("value", ["es", "ES", "es_ES.UTF-8", "es-MX"])
def test_the_environment_chooses_when_something_is_said(monkeypatch, value):
    monkeypatch.setenv(VARIABLE, value)
    assert (language(), say("Undo")) == ("es", "Deshacer")
    speak("en")  # a page goes before
    assert say("Undo") == "Undo"


def test_a_language_that_there_is_not_is_named(monkeypatch):
    with pytest.raises(ValueError, match="the language must be one of en, es, got 'tlh'"):
        speak("tlh")
    monkeypatch.setenv(VARIABLE, "xx")
    with pytest.raises(ValueError, match="WORKBENCH_LANG must be one of en, es, got 'xx'"):
        say("Undo")


def test_every_language_but_english_has_a_catalogue():
    assert [code for code in LANGUAGES if not catalogue(code)] == ["en"]


def places(text):
    """What stands in braces, with its format."""
    try:
        return sorted((name, form) for _, name, form, _ in string.Formatter().parse(text) if name is not None)
    except ValueError:  # a brace that is none
        return []


def unlike(english, spanish):
    """What differs between a text and its translation that must not."""
    plain = [re.sub(r"(?<=\d),(?=\d{3})", "", text) for text in (english, spanish)]
    ends = [text.rstrip()[-1] in ".?:;," for text in (english, spanish)]
    return {
        "places": places(english) != places(spanish),
        "symbols": sorted(SYMBOL.findall(plain[0])) != sorted(SYMBOL.findall(plain[1])),
        "beginning": len(english) - len(english.lstrip()) != len(spanish) - len(spanish.lstrip()),
        "end": len(english) - len(english.rstrip()) != len(spanish) - len(spanish.rstrip()) or ends[0] != ends[1],
        "question": not english.count("?") == spanish.count("?") == spanish.count("¿"),
    }


@pytest.mark.parametrize("what", ["places", "symbols", "beginning", "end", "question"])
def test_both_sides_hold_the_same(what):
    """Sentences are put together of parts: spaces at their ends, and full stops, must stay."""
    assert [english for english, spanish in SPANISH if unlike(english, spanish)[what]] == []


def test_a_translation_that_lost_something_is_found():
    assert unlike("at step {n}: 0.5 λ. ", "en el paso {m}: 0.5 λ. ")["places"]
    assert unlike("at step {n:.1f}", "en el paso {n:.2f}")["places"]
    assert unlike("0.5 λ of 1,000", "0.6 λ de 1000")["symbols"]
    assert unlike("0.5 λ", "0.5 γ")["symbols"]
    assert unlike(" and ", " y")["end"]
    assert unlike("Done.", "Hecho")["end"]
    assert unlike("Why?", "Por qué?")["question"]
    assert not any(unlike("Why 1,000 λ, {n}? ", "¿Por qué 1000 λ, {n}? ").values())
