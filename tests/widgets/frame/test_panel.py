"""`Panel`: state, redraw, text, code and the still picture, without a browser."""

import base64
import threading

import numpy as np
import pytest
from wave_panel import Wave

from widgets.drawing.pinned import PALE
from widgets.frame.lesson import Challenge, Lesson, Place
from widgets.frame.panel import reason


def test_a_control_redraws_with_the_computed_numbers(wave):
    wave.controls["frequency"].value = 2.0
    expected = wave.compute(**wave.values)
    assert np.array_equal(wave.fig.data[0]["y"], expected.y)
    assert np.array_equal(wave.fig.data[1]["y"], expected.y / 2)
    assert wave.text == wave.describe(expected)
    assert wave._line.value == wave.text


def test_one_redraw_is_one_message(wave):
    sent = []
    wave.fig.observe(lambda change: sent.append(change["new"]), "_py2js_update")
    wave.controls["points"].value = 100
    assert len([message for message in sent if message is not None]) == 1


def test_state_goes_through_and_back(wave):
    state = {"frequency": 2.5, "points": 50, "shape": "cosine", "square": True}
    wave.state = state
    assert wave.state == state
    assert Wave(**state).state == state
    assert np.array_equal(Wave(**state).fig.data[0]["y"], wave.fig.data[0]["y"])


def test_state_is_one_redraw(wave):
    drawn = []
    wave.draw, draw = lambda numbers: (drawn.append(numbers), draw(numbers)), wave.draw
    wave.state = {"frequency": 2.5, "points": 50, "shape": "cosine"}
    assert len(drawn) == 1


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"frequency": 5.1}, r"frequency must lie from 0.0 to 5.0, got 5.1"),
        ({"frequency": "fast"}, r"frequency must be a number, got 'fast'"),
        ({"frequency": float("nan")}, r"frequency must be a number, got nan"),
        ({"points": 10.5}, r"points must be a whole number, got 10.5"),
        ({"points": True}, r"points must be a whole number, got True"),
        ({"shape": "tangent"}, r"shape must be one of 'sine', 'cosine', got 'tangent'"),
        ({"square": 1}, r"square must be true or false, got 1"),
        ({"colour": 1}, r"Wave\(\) has no control 'colour'; it has frequency, points, shape, square"),
    ],
)
def test_a_wrong_state_is_named_and_changes_nothing(wave, state, message):
    before = wave.state
    with pytest.raises(ValueError, match=message):
        wave.state = {"frequency": 3.0, **state}
    assert wave.state == before


def test_an_error_is_told_in_the_text_line_and_raised(wave):
    with pytest.raises(ValueError, match="thirteen"):
        wave.controls["points"].value = 13
    assert "thirteen points are one too many" in wave.text
    assert len(wave.fig.data[0]["x"]) == 200
    wave.controls["points"].value = 14
    assert wave.text.startswith("The wave has 14 points")
    assert len(wave.fig.data[0]["x"]) == 14


def test_a_change_during_a_redraw_leads_to_one_more(wave):
    compute = wave.compute

    def compute_and_move(**values):
        if values["points"] == 100:
            wave.controls["points"].value = 101
        return compute(**values)

    wave.compute = compute_and_move
    wave.controls["points"].value = 100
    assert len(wave.fig.data[0]["x"]) == 101


def test_redraws_from_many_threads_end_with_the_newest_values(wave):
    threads = [threading.Thread(target=lambda: [wave.redraw() for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    wave.controls["points"].value = 77
    for thread in threads:
        thread.join()
    assert len(wave.fig.data[0]["x"]) == 77
    assert not wave._drawing


def test_the_code_computes_the_picture(wave):
    wave.state = {"frequency": 2.5, "points": 60, "shape": "cosine", "square": True}
    namespace: dict = {}
    exec(wave.code(), namespace)
    assert np.array_equal(namespace["y"], wave.fig.data[0]["y"])


def test_the_code_is_shown_on_demand_and_follows(wave):
    button = wave._parts.show_code
    assert button.description == "Show the code"
    button.value = True
    wave.controls["points"].value = 61
    assert "linspace(0.0, 1.0, 61)" in wave._code.value
    button.value = False
    assert wave._code.layout.display == "none"


def test_its_bundle_has_a_live_view_a_still_picture_and_a_constant_text(wave):
    bundle = wave._repr_mimebundle_()
    assert bundle["text/plain"] == "Wave()"
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == wave.view.model_id
    png = base64.b64decode(bundle["image/png"])
    assert png.startswith(b"\x89PNG")
    assert len(png) < 100_000


def test_the_still_picture_shows_the_present_numbers(wave):
    before = wave.png()
    assert wave.png() == before
    wave.controls["frequency"].value = 3.0
    assert wave.png() != before


def test_a_slider_that_counts_steps_in_the_browser_changes_nothing(wave):
    drawn = []
    wave.on_change(lambda: drawn.append(1))
    wave.controls["frequency"].value = 0.9
    wave.controls["frequency"].set_state({"value": 0.9000000000000001})
    assert wave.state["frequency"] == 0.9
    assert len(drawn) == 1
    wave.controls["frequency"].value = 7.0
    assert wave.state["frequency"] == 5.0


def test_each_control_has_a_description_and_a_tooltip(wave):
    assert all(control.description and control.tooltip for control in wave.controls.values())


def test_a_want_of_memory_and_an_error_without_words_are_told_in_words():
    assert reason(MemoryError()) == "they need more memory than this computation has"
    assert reason(ValueError("no")) == "no"
    assert reason(ZeroDivisionError()) == "ZeroDivisionError"


class Lesser(Wave):
    """A wave with a lesson."""

    name = "lesser"
    lesson = Lesson(
        question="How high does a wave reach?",
        first="Move the frequency.",
        see="The height.",
        why="Waves are everywhere.",
        main=("frequency",),
        presets={"fast": {"frequency": 4.0}, "squared": {"square": True}},
        challenges=(
            Challenge(
                "make it flat", lambda state, numbers: float(abs(numbers.y).max()) == 0, {"frequency": 0.0}, "No turn."
            ),
            Challenge("make it fast", lambda state, numbers: state["frequency"] > 4, {"frequency": 5.0}, "Five turns."),
        ),
        place=Place(("a b",), (2.0, 1.0)),
    )


def press(panel, action: str, which: str = ""):
    panel._parts.head._handle_custom_msg({"action": action, "which": which}, [])


class TestLesson:
    """Presets, challenges, undo, reset and pins, as the two bars ask for them."""

    def test_a_preset_is_laid_over_the_start(self):
        panel = Lesser(points=50)
        press(panel, "preset", "squared")
        assert panel.state == {**panel.defaults, "square": True}
        press(panel, "preset", "no such one")
        assert panel.state["square"] is True

    def test_a_challenge_is_solved_by_hand_and_stays_solved(self):
        panel = Lesser()
        assert panel._parts.foot.facts["challenge"]["solved"] is False
        panel.controls["frequency"].value = 0.0
        panel.controls["frequency"].value = 1.0
        assert panel.solved == {0}
        assert panel._parts.foot.facts["challenge"]["solved"] is True
        press(panel, "challenge")
        assert panel._parts.foot.facts["challenge"]["task"] == "make it fast"
        assert panel._parts.foot.facts["challenge"]["solved"] is False
        press(panel, "answer")
        assert panel.solved == {0, 1}
        press(panel, "challenge")
        assert panel._parts.foot.facts["challenge"]["number"] == 1

    def test_undo_goes_back_change_by_change_and_ends_at_the_start(self):
        panel = Lesser()
        start = panel.state
        panel.controls["frequency"].value = 2.0
        panel.controls["points"].value = 60
        press(panel, "undo")
        assert panel.state == {**start, "frequency": 2.0}
        press(panel, "undo")
        press(panel, "undo")
        assert panel.state == start
        assert panel._parts.head.facts["undo"] is False

    def test_reset_goes_to_the_first_settings_and_can_be_undone(self):
        panel = Lesser(frequency=2.0)
        press(panel, "reset")
        assert panel.state == panel.defaults
        press(panel, "undo")
        assert panel.state["frequency"] == 2.0

    def test_a_pin_keeps_the_curves_and_is_taken_away(self):
        panel = Lesser()
        before = panel.fig.data[0].y.copy()
        press(panel, "pin")
        panel.controls["frequency"].value = 3.0
        own, pinned = panel.fig.data[0], panel.fig.data[3]
        assert np.array_equal(pinned.y, before)
        assert not np.array_equal(own.y, before)
        assert (pinned.opacity, pinned.showlegend) == (PALE, False)
        press(panel, "pin")
        assert len(panel.fig.data) == 3

    @pytest.mark.parametrize(
        "content", [None, "pin", {"action": 1}, {"action": "state"}, {"action": "pin", "which": []}]
    )
    def test_what_is_no_click_does_nothing(self, content):
        panel = Lesser()
        panel._parts.head._handle_custom_msg(content, [])
        assert (panel.state, panel.fig.pinned) == (panel.defaults, False)

    def test_the_main_controls_stand_first_and_the_others_behind_a_switch(self):
        panel = Lesser()
        side = panel.view.children[2].children[0]
        near, more, far, _ = side.children
        assert near.children == (panel.controls["frequency"],)
        assert far.children == tuple(panel.controls[name] for name in ("points", "shape", "square"))
        assert far.layout.display == "none"
        more.value = True
        assert far.layout.display == ""

    def test_pictures_stand_where_they_are_put_and_others_are_hidden(self):
        panel = Lesser()
        boxes = panel._parts.pictures
        assert boxes.layout.grid_template_areas == '"a b"'
        assert boxes.layout.grid_template_columns == "minmax(0, 2fr) minmax(0, 1fr)"
        panel.place(Place(("b", "b")))
        assert [box.layout.display for box in boxes.children] == ["none", ""]
        with pytest.raises(ValueError, match="there are 2 pictures, a, b; got 'c'"):
            panel.place(Place(("a c",)))

    def test_all_that_is_wrong_with_a_state_is_named(self):
        assert Lesser().faults({"points": 9, "colour": 1, "frequency": 2.0}).keys() == {"points", "colour"}
