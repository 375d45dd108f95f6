"""Every lesson: its presets can be set, its challenges are open at the start and solved by their answers."""

import pytest

from widgets.app import PANELS


@pytest.fixture(params=PANELS, ids=lambda later: later.name, scope="module")
def panel(request):
    return request.param()


def test_its_words_are_there(panel):
    lesson = panel.lesson
    assert lesson.question.endswith("?")
    assert min(len(words) for words in (lesson.first, lesson.see, lesson.why)) > 10
    assert 1 <= len(lesson.main) <= 3
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
