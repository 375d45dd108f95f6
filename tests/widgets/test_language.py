"""Nothing that a visitor reads stays English: in a language of marks every text is marked, and Spanish has each."""

import re
from importlib import import_module

import pytest

from widgets.app import PANELS, build_app
from widgets.page.glossary import GLOSSARY, glossary
from widgets.start import GROUPS, start_page
from widgets.tour import STATIONS
from workbench.language import catalogue, language, say, speak

catalogues = import_module("workbench.language.catalogue")
WORD = re.compile(r"[a-zà-ÿ]{3,}")
NAMES = {"arctan", "Fashion-MNIST", "Español", "English"}  # the same in every language


pytestmark = pytest.mark.usefixtures("unchecked", "english")


class Marks:
    """A language in which every text stands between marks."""

    def get(self, text, default):
        return f"⟦{text}⟧"


class Noted:
    """Spanish, and the texts that it lacks."""

    def __init__(self):
        self.there, self.lacking = catalogue("es"), set()

    def get(self, text, default):
        if text not in self.there:
            self.lacking.add(text)
        return self.there.get(text, default)


def is_english(text):
    """Whether a text holds words that are no names, beyond what is marked."""
    rest = re.sub(r"⟦[^⟦⟧]*⟧|<[^>]*>|&\w+;", "", text)
    for name in NAMES:
        rest = rest.replace(name, "")
    return bool(WORD.search(rest))


def shown(panel):
    """All texts of a panel's frame."""
    for control in panel.controls.values():
        yield from (control.description, control.tooltip or "", *map(str, getattr(control, "_options_labels", ())))
    head, foot = panel._parts.head, panel._parts.foot
    yield from (head.facts["question"], *head.words.values(), *foot.words.values())
    yield from (foot.facts[name] for name in ("first", "see", "why"))
    yield from (foot.facts["challenge"]["task"], foot.facts["challenge"]["told"])
    yield from (panel._parts.show_code.description, panel._parts.show_code.tooltip)


@pytest.mark.parametrize("later", PANELS, ids=lambda later: later.name)
def test_all_that_a_panel_says_goes_through_the_catalogue(later, monkeypatch):
    monkeypatch.setattr(catalogues, "catalogue", lambda code: Marks())
    panel = later()
    assert [text for text in shown(panel) if is_english(text)] == []


@pytest.mark.parametrize("later", PANELS, ids=lambda later: later.name)
def test_spanish_has_all_that_a_panel_says(later, monkeypatch):
    noted = Noted()
    monkeypatch.setattr(catalogues, "catalogue", lambda code: noted)
    speak("es")
    panel = later()
    for preset in panel.lesson.presets:
        panel.preset(preset)
    for _ in panel.lesson.challenges:
        panel.show_answer()
        panel.next_challenge()
    assert sorted(text for text in noted.lacking if is_english(text)) == []


def test_the_page_around_the_panels_is_whole(monkeypatch):
    titles = {later.name: later.title for later in PANELS}
    noted = Noted()
    monkeypatch.setattr(catalogues, "catalogue", lambda code: noted)
    speak("es")
    assert "¿Cómo puede aprender una sinapsis" in start_page(GROUPS, titles)
    for station in STATIONS:
        say(station.do), say(station.told)
    assert set(glossary()) == set(GLOSSARY)
    build_app()
    assert noted.lacking == set()
    monkeypatch.setattr(catalogues, "catalogue", lambda code: Marks())
    assert not is_english(start_page(GROUPS, titles))


def test_a_state_is_the_same_in_every_language():
    """Links go from one language to another: what stands in them is English."""
    for later in PANELS[:5]:
        english = later()
        speak("es")
        spanish = later()
        assert spanish.state == english.state
        for preset in english.lesson.presets:
            english.preset(preset)
            spanish.preset(preset)
            assert spanish.state == english.state
        speak(None)


class TestALink:
    def test_it_chooses_the_language_of_its_page(self, monkeypatch):
        monkeypatch.setenv("QUERY_STRING", "tab=lif&lang=es&lif.decay=0.8")
        app = build_app()
        assert (language(), app.link.lang) == ("es", "es")
        assert app.panel("lif").controls["threshold"].description == "umbral v_th"
        assert [tab["title"] for tab in app.nav.groups[1]["tabs"]][:2] == ["Neurona", "Traza"]
        assert app.link.shown == "tab=lif&lif.decay=0.8"  # the page keeps `lang` itself

    def test_a_page_that_a_kernel_waited_for_is_said_anew(self):
        """It was built before anyone had asked; what had been set stays."""
        app = build_app()
        app.show("lif")
        app.panel("lif").state = {"decay": 0.8}
        before = app.panel("lif")
        app.link.opened = "?tab=lif&lang=es&lif.threshold=0.7"
        assert app.link.lang == "es"
        assert app.panel("lif") is not before
        assert (app.panel("lif").state["decay"], app.panel("lif").state["threshold"]) == (0.8, 0.7)
        assert app.panel("lif").view in app._places["lif"].children
        assert "¿Cómo puede" in app._places["start"].value
        app.link.opened = "?tab=lif"
        assert app.link.lang == "en"

    def test_a_tab_is_found_by_its_word_in_either_language(self):
        app = build_app()
        app.open("?lang=es&tab=Ventana")
        assert app.selected == "stdp"
        app.open("?lang=es&tab=Timing")
        assert (app.selected, app.words) == ("stdp", "")

    def test_a_language_that_there_is_not_is_named(self):
        app = build_app()
        app.open("?lang=tlh")
        assert app.words == (
            "This link could not be followed in full: there is no language 'tlh'; there are English (en), Español (es)."
        )
