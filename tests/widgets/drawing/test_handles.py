"""What a pointer's place asks for, and that nonsense asks for nothing."""

import math

import pytest

from widgets.drawing.figure import Fig
from widgets.drawing.handles import ANGLE, Handle, Pull, R, X, Y, pulled, train

LINE = Handle(0, None, {"level": Pull(Y, lambda y: -2.0 * y)})
AXIS = Handle(1, 0, {"size": Pull(R), "turn": Pull(ANGLE)})


@pytest.mark.parametrize(
    ("x", "y", "size", "turn"),
    [(3.0, 4.0, 5.0, math.degrees(math.atan2(4, 3))), (0.0, 2.0, 2.0, 90.0), (-1.0, 0.0, 1.0, 0.0), (0, -1, 1, 90)],
)
def test_one_place_moves_all_controls_of_its_handle(x, y, size, turn):
    assert pulled([LINE, AXIS], {"handle": 0, "x": x, "y": y}, {}) == {"level": -2.0 * y}
    asked = pulled([LINE, AXIS], {"handle": 1, "x": x, "y": y}, {})
    assert asked == {"size": pytest.approx(size), "turn": pytest.approx(turn)}


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"handle": 2, "x": 0.0, "y": 0.0},
        {"handle": -1, "x": 0.0, "y": 0.0},
        {"handle": "0", "x": 0.0, "y": 0.0},
        {"handle": 0, "x": 0.0},
        {"handle": 0, "x": None, "y": 0.0},
        {"handle": 0, "x": 0.0, "y": math.inf},
        {"handle": 0, "x": True, "y": 0.0},
        {"remove": 0},
        {"add": 0, "x": 1.0},
        {"other": 0},
    ],
)
def test_nonsense_asks_for_nothing(message):
    assert pulled([LINE, AXIS], message, {"level": 1.0}) == {}


ROW = train(3, ["t_1", "t_2", "t_3"], "n")
OTHER = train(4, ["s_1"], "m")


def test_a_click_adds_as_long_as_there_is_a_control_for_it():
    values = {"n": 2, "t_1": 5, "t_2": 9, "t_3": 0}
    assert pulled([*OTHER, *ROW], {"add": 1, "x": 7.0}, values) == {"t_3": 7.0, "n": 3}
    assert pulled(ROW, {"add": 0, "x": 7.0}, values | {"n": 3}) == {}
    assert pulled(ROW, {"add": 0, "x": "7"}, values) == {}


def test_a_double_click_removes_down_to_the_last():
    values = {"n": 3, "t_1": 5, "t_2": 9, "t_3": 11}
    assert pulled(ROW, {"remove": 0}, values) == {"t_1": 9, "t_2": 11, "t_3": 5, "n": 2}
    assert pulled(ROW, {"remove": 2}, values) == {"t_1": 5, "t_2": 9, "t_3": 11, "n": 2}
    assert pulled(ROW, {"remove": 0}, values | {"n": 1}) == {}
    assert pulled(ROW, {"remove": 2}, values | {"n": 2}) == {}  # the point to be added has not come


def test_the_page_is_told_what_can_be_grasped():
    fig = Fig([{"y": [1.0]}], alt="A point")
    assert fig.handles == ()
    fig.handles = [LINE, *ROW[:1]]
    assert fig.get_state()["_grips"] == [
        {"trace": 0, "point": None, "train": False},
        {"trace": 3, "point": 0, "train": True},
    ]
    assert fig.handles[1].pulls["t_1"].along == X
