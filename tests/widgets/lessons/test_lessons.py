"""Every panel as a lesson: presets can be set, challenges are open at the start and solved by their answers, symbols
are explained, and a panel that trains has a recorded run."""

import re
from importlib.resources import files

import pytest

from widgets.app import PANELS
from widgets.frame.race_panel import RacePanel
from widgets.frame.recorded import recorded
from widgets.page.glossary import GLOSSARY

CLOUDS = {"A", "B"}  # names, no symbols
SYMBOL = re.compile(r"(?<![\w₊₋₁₂⁺])(?:[A-Za-z]|[A-Za-zλαγΨψτκδηφεσΘ][₊₋₁₂⁺]?(?:_[a-z]+)?)(?![\w₊₋₁₂⁺-])")


@pytest.fixture(params=PANELS, ids=lambda later: later.name, scope="module")
def panel(request):
    return request.param()


def test_its_words_are_there(panel):
    lesson = panel.lesson
    assert lesson.question.endswith("?")
    assert min(len(words) for words in (lesson.first, lesson.see, lesson.why)) > 10
    assert 1 <= len(lesson.main) <= (4 if panel.name == "playground" else 3)  # there are four questions
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
