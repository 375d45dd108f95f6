"""`Panel`: state, redraw, text, code and the still picture, without a browser."""

import base64
import threading

import numpy as np
import pytest
from wave_panel import Wave

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
    button = next(child for child in wave.view.children if child.__class__.__name__ == "ToggleButton")
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
