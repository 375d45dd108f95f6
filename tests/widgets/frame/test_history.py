"""`History`: one step back for each change, one for a drag."""

from widgets.frame.history import LONGEST, STROKE, History


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_drag_is_one_step_and_another_control_is_another():
    clock = Clock()
    history = History({"a": 0, "b": 0}, clock)
    for a in (1, 2, 3):
        history.note({"a": a, "b": 0})
        clock.now += STROKE / 2
    history.note({"a": 3, "b": 1})
    assert history.back() == {"a": 3, "b": 0}
    assert history.back() == {"a": 0, "b": 0}
    assert history.back() is None


def test_a_pause_ends_a_drag():
    clock = Clock()
    history = History({"a": 0}, clock)
    history.note({"a": 1})
    clock.now += STROKE
    history.note({"a": 2})
    assert [history.back(), history.back()] == [{"a": 1}, {"a": 0}]


def test_the_same_state_is_no_step_and_a_step_back_none_forward():
    history = History({"a": 0})
    history.note({"a": 0})
    assert len(history) == 0
    history.note({"a": 1})
    history.note(history.back() or {})
    assert len(history) == 0


def test_it_forgets_the_oldest():
    clock = Clock()
    history = History({"a": 0}, clock)
    for a in range(1, LONGEST + 20):
        clock.now += STROKE
        history.note({"a": a})
    assert len(history) == LONGEST
