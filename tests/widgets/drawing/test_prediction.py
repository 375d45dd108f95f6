"""A prediction hides the result and nothing else, and says how far the drawn line was from it."""

import math

import pytest

from widgets.drawing.figure import Fig
from widgets.drawing.prediction import Prediction, compare, in_words


@pytest.fixture
def fig() -> Fig:
    traces = [
        {"x": [0, 1], "y": [0.0, 1.0]},
        {"x": [2, 3], "y": [2.0, 3.0]},
        {"y": [5.0], "opacity": 0.5},
        {"y": [7.0]},
    ]
    figure = Fig(traces, alt="A line in two pieces")
    figure.prediction = Prediction((0, 1), [0.0, 0.5, 1.5, 3.0], "height", hides=(2,))
    return figure


def opacities(fig: Fig) -> list:
    return [trace.opacity for trace in fig.data]


def test_the_result_is_hidden_while_it_is_drawn_and_comes_back(fig):
    fig.predicting = "drawing"
    assert opacities(fig) == [0.0, 0.0, 0.0, None]
    fig.predicting = "shown"
    assert opacities(fig) == [None, None, 0.5, None]
    fig.predicting = ""
    assert opacities(fig) == [None, None, 0.5, None]
    assert fig.verdict == ""


def test_the_line_is_held_against_the_result_between_its_points_too(fig):
    fig.predicting = "drawing"
    fig.predicted = [0.0, 1.0, None, 4.0]
    fig.predicting = "shown"
    assert fig.verdict == "On average your line is 0.5 away from height, 17 % of its range: not yet close."


@pytest.mark.parametrize("nonsense", [[], ["a", None, True], [math.nan], [None] * 4, ["x"] * 9])
def test_nonsense_from_the_page_is_no_line(fig, nonsense):
    fig.predicting = "drawing"
    fig.predicted = nonsense
    fig.predicting = "shown"
    assert fig.verdict == "You have drawn nothing; try again."


def test_a_perfect_line_is_at_no_distance_and_a_level_result_has_a_range():
    assert compare([1.0, 2.0], [1.0, 2.0]) == (0.0, 0.0, 2)
    assert compare([1.5, 1.5], [1.0, 1.0]) == (0.5, 0.5, 2)
    assert "very close" in in_words(compare([1.0, 2.0], [1.0, 2.0]), "q")


def test_a_figure_that_asks_for_nothing_hides_nothing():
    plain = Fig([{"y": [1.0]}], alt="A point")
    plain.predicting = "drawing"
    assert opacities(plain) == [None]
    assert plain.get_state()["_asked"] == {}
