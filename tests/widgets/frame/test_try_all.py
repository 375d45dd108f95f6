"""Every control is walked to its ends and stands afterwards where it stood."""

import pytest
from wave_panel import Wave

from widgets.frame.controls import choice, slider, switch, whole_slider
from widgets.frame.try_all import ends, try_all_controls


@pytest.mark.parametrize(
    ("control", "values"),
    [
        (slider("f", 1.0, -2.0, 5.0, 0.1, "turns in one second"), [-2.0, 5.0]),
        (whole_slider("n", 20, 10, 500, "how many points there are"), [10, 500]),
        (choice("shape", {"sine": 1, "cosine": 2, "none": 3}, "which function"), ["sine", "cosine", "none"]),
        (switch("square", True, "to the second power"), [False, True]),
    ],
    ids=["slider", "whole slider", "choice", "switch"],
)
def test_the_values_to_try(control, values):
    assert ends(control) == values


def test_each_value_is_drawn_and_the_panel_is_left_as_it_was():
    seen, panel = [], Wave(frequency=2.0, points=30)
    before, compute = panel.state, panel.compute
    panel.compute = lambda **values: seen.append(values) or compute(**values)
    assert try_all_controls(panel, Wave()) == "16 settings of 2 widgets tried"
    assert panel.state == before
    assert {values["frequency"] for values in seen} == {0.0, 5.0, 2.0}
    assert {values["points"] for values in seen} == {10, 500, 30}
    assert {values["square"] for values in seen} == {False, True}
    assert len({values["shape"] for values in seen}) == 2


def test_an_error_at_an_end_is_raised():
    panel = Wave()
    panel.controls["points"].min = 13
    with pytest.raises(ValueError, match="one too many"):
        try_all_controls(panel)
