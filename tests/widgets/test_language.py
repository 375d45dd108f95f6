"""Nothing that a visitor reads stays English: in a language of marks every text is marked, and Spanish has each."""

import ast
import io
import json
import tokenize
from functools import partial
from importlib import import_module
from pathlib import Path

import ipywidgets
import pytest
from marked import Marks, is_english
from matplotlib.figure import Figure
from matplotlib.text import Text

import widgets
import workbench
from widgets.app import PANELS, build_app
from widgets.drawing import Arrow, reveal, sketch, sketch_boxes, sketch_cube, sketch_network, still_picture
from widgets.drawing.figure import Fig
from widgets.drawing.sketch import TEACHERS
from widgets.drawing.spoken import TEXTS
from widgets.frame.bar import Bar
from widgets.frame.try_all import ends
from widgets.page.glossary import GLOSSARY, glossary
from widgets.panels.basis import _examined
from widgets.start import GROUPS, start_page
from widgets.tour import STATIONS
from workbench.language import catalogue, language, say, speak
from workbench.rules import rule_named

catalogues = import_module("workbench.language.catalogue")
DEAR = {"locality", "memory", "compression"}
# what a widget tells the page besides what a person reads
UNREAD = {"layout", "style", "icon", "children", "value", "box_style", "button_style", "readout_format"}
UNREAD |= {"orientation", "behavior", "tabbable"}


pytestmark = pytest.mark.usefixtures("unchecked", "english")


@pytest.fixture(autouse=True)
def nothing_said_before():
    """What the panel of bases keeps was said in the language of another test."""
    _examined.cache_clear()
    yield
    _examined.cache_clear()


class Noted:
    """Spanish, and the texts that it lacks."""

    def __init__(self):
        self.there, self.lacking = catalogue("es"), set()

    def get(self, text, default):
        if text not in self.there:
            self.lacking.add(text)
        return self.there.get(text, default)


def texts_in(value):
    """All texts of what JSON can hold, but for the names that dicts give their values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)


def drawn_in(part):
    """All texts that plotly writes: what stands under the names for texts, as deep as it may be, and places by name."""
    if isinstance(part, dict):
        for key, value in part.items():
            written = key in TEXTS or (key in ("x", "y", "title") and not isinstance(value, dict))
            yield from texts_in(value) if written else drawn_in(value)
    elif isinstance(part, list | tuple):
        for each in part:
            yield from drawn_in(each)


def told_by(widget):
    """All texts that the page may show of a widget."""
    if isinstance(widget, Fig):
        yield from (widget.alt, widget.verdict, widget._asked.get("label", ""), *widget.words.values())
        yield from drawn_in(json.loads(widget.to_json()))
        return
    if isinstance(widget, Bar):
        facts = {name: fact for name, fact in widget.facts.items() if name not in ("title", "presets")}
        yield from texts_in(
            [facts, widget.words, [widget.words.get(preset, preset) for preset in widget.facts.get("presets", ())]]
        )
        return
    yield from getattr(widget, "_options_labels", ())
    if isinstance(widget, ipywidgets.HTML):
        yield widget.value
    for name in widget.keys:
        if not (name.startswith("_") or name in UNREAD):
            yield from texts_in(getattr(widget, name))


def shown(widget):
    """All texts of a widget and of those in it."""
    yield from told_by(widget)
    for child in getattr(widget, "children", ()):
        yield from shown(child)


def comments(code):
    """What a cell says to people beside its code."""
    words = tokenize.generate_tokens(io.StringIO(code).readline)
    return [word.string for word in words if word.type == tokenize.COMMENT]


def walk(panel):
    """Go through the presets, the challenges, and each choice of a panel, and stop at every one.

    The choices of some panels take seconds each and change numbers only.
    """
    yield
    for preset in panel.lesson.presets:
        panel.preset(preset)
        yield
    for _ in panel.lesson.challenges:
        panel.show_answer()
        yield
        panel.next_challenge()
    for name, control in panel.controls.items() if panel.name not in DEAR else ():
        panel.reset()
        for value in ends(control) if isinstance(control, ipywidgets.Dropdown | ipywidgets.Checkbox) else ():
            panel.state = {name: value}
            yield


@pytest.mark.parametrize("later", PANELS, ids=lambda later: later.name)
def test_all_that_a_panel_says_goes_through_the_catalogue_and_is_there_in_spanish(later, monkeypatch):
    marks = Marks()
    monkeypatch.setattr(catalogues, "catalogue", lambda code: marks)
    panel = later()
    unmarked = {text for _ in walk(panel) for text in (*shown(panel.view), *comments(panel.code())) if is_english(text)}
    assert unmarked == set()
    assert {text for text in marks.asked - catalogue("es").keys() if is_english(text)} == set()


SKETCHES = {
    **{
        f"a network taught {teacher or 'by nobody'}": partial(
            sketch_network, [("×", 9), ("×", 2), ("×", 2)], teacher, [1], word="error"
        )
        for teacher in TEACHERS
    },
    "boxes": lambda: sketch_boxes({"a": (0, 0), "b": (1, 0)}, [Arrow("a", "b", "×")]),
    "a cube": lambda: sketch_cube({"a": 4, "b": 4, "c": 4}, {"a": 2, "b": 2, "c": 2}),
    "rows": lambda: reveal({"a": [1.0, 2.0]}),
}


@pytest.mark.parametrize("name", SKETCHES)
def test_all_that_a_sketch_says_goes_through_the_catalogue_and_is_there_in_spanish(name, monkeypatch):
    marks, written = Marks(), []
    monkeypatch.setattr(catalogues, "catalogue", lambda code: marks)
    drawn = sketch._pixels

    def read(figure):
        written.extend(text.get_text() for text in figure.findobj(Text))
        return drawn(figure)

    monkeypatch.setattr(sketch, "_pixels", read)
    written.append(SKETCHES[name]().alt)
    assert any("⟦" in text for text in written)
    assert {text for text in written if is_english(text)} == set()
    assert marks.asked - catalogue("es").keys() == set()


def test_a_still_picture_of_nothing_says_so_in_the_language_of_the_page(monkeypatch):
    speak("es")
    written = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: written.extend(figure.findobj(Text)) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        still_picture([Fig([{"y": []}], {}, alt="")])
    assert "todavía no hay nada dibujado" in [text.get_text() for text in written]


def said(source):
    """The texts that a file hands to `say`, and to `unknown`, which says them, as they stand there."""
    for node in ast.walk(ast.parse(source)):
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if called in ("say", "unknown") and node.args:
            put_together = {
                part for whole in ast.walk(node) if isinstance(whole, ast.JoinedStr) for part in whole.values
            }
            for text in (node.args[0], *(node.args[3:] if called == "unknown" else ())):
                for part in ast.walk(text):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and part not in put_together:
                        yield part.value


def put_together(source):
    """The calls of `unknown` whose beginning is no text that a catalogue could have."""
    for node in ast.walk(ast.parse(source)):
        called = isinstance(node, ast.Call) and ast.unparse(node.func) == "unknown"
        if called and not isinstance(node.args[0], ast.Constant):
            yield ast.unparse(node)


def sources():
    return (path.read_text("utf-8") for room in (widgets, workbench) for path in Path(room.__path__[0]).rglob("*.py"))


def test_spanish_has_all_that_is_said_anywhere():
    """Also what only a long run, a mistake or a refusal brings to the page."""
    texts = {text for source in sources() for text in said(source)}
    assert {text for text in texts - catalogue("es").keys() if is_english(text)} == set()


def test_whoever_types_a_wrong_name_is_answered_in_the_language_of_the_page():
    assert [call for source in sources() for call in put_together(source)] == []
    assert list(put_together("unknown(f'{a} has no', b, c)")) == ["unknown(f'{a} has no', b, c)"]
    speak("es")
    with pytest.raises(ValueError, match=r"no existe la regla 'stlr'; ¿querías decir 'stllr'\? \(hay bptt, "):
        rule_named("stlr")


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

    def test_what_a_link_got_wrong_is_told_in_its_language(self):
        app = build_app()
        app.open("?lang=es&tab=lif&lif.decay=7&lif.reset=never&lif.speed=3")
        assert "“decaimiento γ”: decay debe estar entre 0.0 y 1.0, se recibió 7" in app.words
        assert "reset debe ser uno de 'soft: subtract v_th', 'hard: back to 0', se recibió 'never'" in app.words
        assert "LIFExplorer() no tiene el control 'speed'; tiene input, strength" in app.words

    def test_a_language_that_there_is_not_is_named(self):
        app = build_app()
        app.open("?lang=tlh")
        assert app.words == (
            "This link could not be followed in full: there is no language 'tlh'; there are English (en), Español (es)."
        )
