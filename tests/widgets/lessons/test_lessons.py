"""Every panel as a lesson: presets can be set, challenges are open at the start and solved by their answers, symbols
are explained, and a panel that trains has a recorded run."""

import re
from importlib import import_module
from importlib.resources import files

import pytest
import torch

from widgets.app import PANELS
from widgets.drawing.figure import Fig
from widgets.drawing.theme import BLUE, VERMILLION, more_and_less
from widgets.frame.race_panel import RacePanel
from widgets.frame.recorded import recorded
from widgets.page.glossary import GLOSSARY
from workbench.rules import RULES

DRAWING = import_module("workbench.networks.seeded")  # the face gives the function of this name
CLOUDS = {"A", "B"}  # names, no symbols
SYMBOL = re.compile(r"(?<![\w₊₋₁₂⁺])(?:[A-Za-z]|[A-Za-zλαγΨψτκδηφεσΘ][₊₋₁₂⁺]?(?:_[a-z]+)?)(?![\w₊₋₁₂⁺-])")


@pytest.fixture(params=PANELS, ids=lambda later: later.name, scope="module")
def panel(request):
    return request.param()


def test_its_words_are_there(panel):
    lesson = panel.lesson
    assert lesson.question.endswith("?")
    assert min(len(words) for words in (lesson.first, lesson.see, lesson.why)) > 10
    shown = sum(name != "view" and panel.controls[name].layout.display != "none" for name in lesson.main)
    assert 1 <= shown <= (4 if panel.name == "playground" else 3)  # there are four questions
    assert set(lesson.main) <= set(panel.state)
    assert len(lesson.challenges) >= 1
    assert len(lesson.presets) >= 3


def test_each_preset_can_be_set_and_differs_from_the_others(panel):
    states = []
    for preset in panel.lesson.presets:
        panel.preset(preset)
        states.append(panel.state)
        assert "cannot be drawn" not in panel.text
    panel.reset()
    assert all(states.count(state) == 1 for state in states)


def test_what_it_computes_draws_nothing_that_others_draw(panel):
    """Torch has one generator for all threads: a training that begins meanwhile would get other first weights."""

    def state():
        with DRAWING._DRAWING:
            return torch.get_rng_state()

    before = state()
    for preset in panel.lesson.presets:
        panel.preset(preset)
    panel.reset()
    assert torch.equal(state(), before)


def test_each_challenge_is_open_at_the_start_and_solved_by_its_answer(panel):
    for number, challenge in enumerate(panel.lesson.challenges):
        assert not challenge.solved(panel.defaults, panel.numbers), challenge.task
        panel.show_answer()
        assert (number in panel.solved) is not challenge.runs, challenge.task
        panel.reset()
        panel.next_challenge()


def test_each_symbol_of_its_labels_is_explained(panel):
    labels = [control.description for control in panel.controls.values()]
    used = {symbol for label in labels for symbol in SYMBOL.findall(label) if symbol not in {"a"} | CLOUDS}
    assert used <= GLOSSARY.keys()


def test_one_that_trains_has_a_recorded_run_of_its_figures(panel):
    run = recorded(panel.name)
    assert (run is not None) == isinstance(panel, RacePanel)
    if run is not None:
        assert run["traces"].keys() == panel.named_figures.keys()
        assert any(run["traces"].values())
        assert len((files("widgets") / "recorded" / f"{panel.name}.json").read_bytes()) < 100_000


HYPHEN = re.compile(r"(?<![\w.)-])-(?=\.?\d)")
NAMES = "|".join(rule.name for rule in RULES if rule.name != rule.label)
CODE = re.compile(rf"(?<![\w+])(?:hidden\.\d|layer\d\.\d|{NAMES})(?![\w+-])")  # a mix such as traces+tess is called so


def words_of(panel):
    """All that stands on the screen: the sentence, labels, the lesson, and the words in pictures in view."""
    lesson = panel.lesson
    yield from (panel.text, lesson.question, lesson.first, lesson.see, lesson.why, *lesson.presets)
    yield from (text for challenge in lesson.challenges for text in (challenge.task, challenge.told))
    for control in panel.controls.values():
        yield from (control.description, control.tooltip or "", *map(str, getattr(control, "_options_labels", ())))
    for figure in panel.in_view:
        if isinstance(figure, Fig):
            yield from re.findall(r'"(?:text|name)": ?"([^"]*)"', figure.to_json())


def test_numbers_have_a_minus_and_rules_their_names(panel):
    for preset in panel.lesson.presets:
        panel.preset(preset)
        for words in words_of(panel):
            assert not HYPHEN.search(words), words
            assert not CODE.search(words), words
    panel.reset()


def test_signs_mean_the_same_everywhere(panel):
    """Blue is more, vermillion less, in every map of numbers of both signs."""
    scale = more_and_less()
    assert (scale[0][1], scale[-1][1]) == (VERMILLION, BLUE)
    for figure in panel.pictures:
        for trace in figure.data if isinstance(figure, Fig) else ():
            if trace.type == "heatmap" and (trace.zmid == 0 or (trace.zmin is not None and trace.zmin < 0)):
                assert [list(part) for part in trace.colorscale] == scale, figure
