"""Controls keep their bounds whatever the browser sends."""

import pytest

from widgets.app import PANELS
from widgets.frame.controls import is_setting


def test_the_browser_sets_values_and_no_bounds_or_choices(wave):
    """What a front end sends goes to `set_state`: the largest value stays the panel's whatever is sent before it."""
    points, shape = wave.controls["points"], wave.controls["shape"]
    points.set_state({"max": 10**9})
    points.set_state({"value": 10**9, "max": 10**9})
    wave.controls["frequency"].set_state({"min": -1e9, "max": 1e9, "step": 0.0})
    shape.set_state({"_options_labels": ["other"], "index": 1})
    assert points.value == points.max == 500
    assert wave.controls["frequency"].max < 1e9
    assert wave.values["shape"] == list(dict(shape.options).values())[1]
    assert len(wave.numbers.y) == 500


@pytest.mark.parametrize("later", PANELS, ids=lambda later: later.name)
def test_every_setting_of_every_panel_keeps_its_bounds(later):
    for name, control in later().controls.items():
        if is_setting(control):
            before = {key: value for key, value in control.get_state().items() if key not in ("value", "index")}
            control.set_state(dict.fromkeys(("min", "max", "step", "_options_labels", "disabled"), 10**6))
            after = {key: value for key, value in control.get_state().items() if key not in ("value", "index")}
            assert before == after, name
