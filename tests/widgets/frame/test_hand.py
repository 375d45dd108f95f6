"""What is dragged sets controls as their sliders would: snapped to their steps, within their bounds, at once."""

import pytest
from wave_panel import Wave

from widgets.drawing.handles import Handle, Pull, R, X, Y
from widgets.frame.controls import slider, whole_slider
from widgets.frame.hand import snapped


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, 0.5), (0.62, 0.6), (0.651, 0.7), (0.999, 1.0), (7.0, 1.0), (-3.0, 0.5)]
)
def test_a_slider_snaps_to_its_steps_and_bounds(value, expected):
    assert snapped(slider("a", 0.5, 0.5, 1.0, 0.1, "any"), value) == expected


@pytest.mark.parametrize(("value", "expected"), [(31.0, 32), (47.9, 32), (48.1, 64), (1e9, 1024)])
def test_a_whole_slider_stays_whole(value, expected):
    found = snapped(whole_slider("n", 128, 32, 1024, "any", 32), value)
    assert found == expected
    assert isinstance(found, int)


class Handy(Wave):
    """The wave with a handle for two controls at once."""

    def __init__(self, **state) -> None:
        super().__init__(**state)
        self.fig.handles = [
            Handle(0, 0, {"frequency": Pull(X), "points": Pull(Y)}),
            Handle(0, 1, {"frequency": Pull(R)}),
        ]
        self.drawn = 0

    def draw(self, numbers):
        super().draw(numbers)
        self.drawn = getattr(self, "drawn", 0) + 1


def test_one_message_is_one_redraw_for_all_controls():
    panel = Handy()
    panel.fig.dragged = {"handle": 0, "x": 2.34, "y": 99.6, "count": 1}
    assert (panel.state["frequency"], panel.state["points"]) == (2.3, 100)
    assert panel.drawn == 1
    assert panel.text == Wave(frequency=2.3, points=100).text


def test_what_moves_nothing_draws_nothing():
    panel = Handy()
    panel.fig.dragged = {"handle": 1, "x": 1.0, "y": 0.0, "count": 1}
    panel.fig.dragged = {"handle": 9, "x": 1.0, "y": 0.0, "count": 2}
    assert panel.drawn == 0


def test_a_place_that_was_left_by_the_slider_can_be_taken_again():
    panel = Handy()
    panel.fig.dragged = {"handle": 1, "x": 3.0, "y": 0.0, "count": 1}
    panel.controls["frequency"].value = 4.0
    panel.fig.dragged = {"handle": 1, "x": 3.0, "y": 0.0, "count": 2}
    assert panel.state["frequency"] == 3.0
