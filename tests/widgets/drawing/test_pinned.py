"""A figure that keeps a pale copy of its curves."""

import threading

import numpy as np

from widgets.drawing.figure import Fig
from widgets.drawing.pinned import PALE


def two() -> Fig:
    return Fig([{"name": "a", "y": [1, 2]}, {"name": "b", "y": [3, 4], "visible": False}], alt="two lines")


def test_what_is_shown_is_copied_pale_and_stays_when_the_curve_moves():
    fig = two()
    fig.pin()
    fig.data[0].y = [7, 8]
    own, hidden, copy = fig.data
    assert (list(own.y), list(copy.y), hidden.visible) == ([7, 8], [1, 2], False)
    assert (copy.opacity, copy.showlegend, copy.name) == (PALE, False, "a, pinned")
    assert copy.uid != own.uid


def test_a_second_pin_takes_the_place_of_the_first_and_unpin_takes_it_away():
    fig = two()
    fig.pin()
    fig.data[0].y = [7, 8]
    fig.pin()
    assert [list(trace.y) for trace in fig.data] == [[7, 8], [3, 4], [7, 8]]
    fig.unpin()
    fig.unpin()
    assert (len(fig.data), fig.pinned) == (2, False)


def test_who_draws_sees_the_own_traces_and_others_all_of_them():
    fig = two()
    fig.pin()
    seen = []
    with fig.own_traces(), fig.batch_update():
        first, _ = fig.data
        first.y = np.array([5, 6])
        thread = threading.Thread(target=lambda: seen.append(len(fig.data)))
        thread.start()
        thread.join()
    assert seen == [3]
    assert [list(trace.y) for trace in fig.data] == [[5, 6], [3, 4], [1, 2]]


def test_only_curves_points_and_bars_can_be_pinned():
    assert two().can_pin
    table = Fig([{"type": "heatmap", "z": [[1]]}], alt="a map")
    table.pin()
    assert (table.can_pin, table.pinned) == (False, False)
