"""Traces that take arrays at once beside plotly's own: the same figure, the same message, the same refusals."""

import numpy as np
import plotly.graph_objects as go
import pytest

from widgets.drawing.figure import Fig
from widgets.drawing.quick_traces import NUMBERS

ARRAYS = {
    "floats": np.array([0.5, np.nan, -np.inf]),
    "float32": np.array([0.5, 0.25], np.float32),
    "integers": np.arange(3),
    "bytes": np.arange(3, dtype=np.uint8),
    "every other": np.arange(6.0)[::2],
    "a matrix, turned": np.arange(6.0).reshape(2, 3).T,
    "nothing": np.array([]),
}


def figure() -> Fig:
    return Fig([{"y": [1.0]}, {"type": "heatmap", "z": [[1.0]]}], alt="a line and a map")


@pytest.fixture
def told(monkeypatch):
    """A figure, and the messages that it sends."""
    fig, told = figure(), []
    monkeypatch.setattr(fig, "_send_update_msg", lambda **message: told.append(message))
    return fig, told


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_a_figure_holds_what_plotly_would(told, array, name):
    fig, messages = told
    stock = go.FigureWidget(figure().to_dict())
    trace = int(name == "z")
    for each in (fig, stock):
        with each.batch_update():
            each.data[trace].update(**{name: array})
    ours, plotlys = fig.data[trace][name], stock.data[trace][name]
    np.testing.assert_array_equal(ours, plotlys)
    assert (ours.dtype, ours.flags.c_contiguous, ours.flags.writeable) == (plotlys.dtype, True, False)
    assert list(messages[0]["restyle_data"]) == [name]
    assert messages[0]["trace_indexes"] == [trace]


def test_it_is_set_when_the_update_ends_and_kept_from_later_changes(told):
    fig, messages = told
    array = np.array([1.0, 2.0])
    with fig.batch_update():
        fig.data[0].y = array
        assert list(fig.data[0].y) == [1.0]
    array[0] = 9.0
    assert fig.data[0].y.tolist() == [1.0, 2.0]
    assert len(messages) == 1


def test_the_same_numbers_again_are_not_sent(told):
    fig, messages = told
    for _ in range(2):
        with fig.batch_update():
            fig.data[0].y = np.array([1.0, 2.0])
    assert len(messages) == 1


def test_outside_an_update_and_for_a_trace_of_its_own_all_is_as_with_plotly():
    fig = figure()
    fig.data[0].y = np.array([3.0, 4.0])
    assert fig.data[0].y.tolist() == [3.0, 4.0]
    alone = type(fig.data[0])()
    alone.y = np.array([1.0])
    assert alone.y.tolist() == [1.0]


@pytest.mark.parametrize("value", [3.0, "abc", np.array(["a", None], object)], ids=["number", "text", "objects"])
def test_what_is_no_array_of_numbers_meets_plotlys_check(value):
    outcomes = []
    for fig in (figure(), go.FigureWidget(figure().to_dict())):
        with fig.batch_update():
            try:
                fig.data[0].y = value
            except ValueError:
                outcomes.append("refused")
        outcomes.append(repr(fig.data[0].y))
    assert outcomes[: len(outcomes) // 2] == outcomes[len(outcomes) // 2 :]


def test_traces_added_later_are_quick_too(told):
    fig, messages = told
    fig.add_scatter(y=[0.0])
    with fig.batch_update():
        fig.data[2].update(x=np.array([5.0]), y=np.array([6.0]), name="late")
    assert (fig.data[2].x.tolist(), fig.data[2].y.tolist(), fig.data[2].name) == ([5.0], [6.0], "late")
    assert type(fig.data[2]) is type(fig.data[0])
    assert messages[-1]["trace_indexes"] == [2]


def test_what_a_trace_has_already_is_not_sent_beside_what_changed(told):
    fig, messages = told
    x, y = np.array([0.0, np.nan]), np.array([1.0, 2.0])
    for number in (1.0, 2.0):
        with fig.batch_update():
            fig.data[0].update(x=x, y=number * y)
    assert [sorted(message["restyle_data"]) for message in messages] == [["x", "y"], ["y"]]
    assert fig.data[0].y.tolist() == [2.0, 4.0]


def test_numbers_that_are_set_and_taken_back_in_one_update_stay(told):
    fig, _ = told
    y = np.array([1.0, 2.0])
    with fig.batch_update():
        fig.data[0].y = y
    with fig.batch_update():
        fig.data[0].y = 2 * y
        fig.data[0].y = y
    assert fig.data[0].y.tolist() == [1.0, 2.0]
