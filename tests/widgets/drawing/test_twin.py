"""A twin tells the page what it follows, and what Python has answered."""

import pytest

from widgets.drawing.figure import Fig
from widgets.drawing.twin import Twin
from widgets.frame.controls import choice, slider
from widgets.panels.stdp import STDPWindow
from widgets.panels.traces import TraceDecay


def controls() -> dict:
    return {"a": slider("a", 1.0, 0.0, 2.0, 0.5, "any"), "b": choice("b", {"one": 1, "two": 2}, "any")}


def test_a_figure_without_a_twin_sends_nothing():
    fig = Fig([{"y": [0.0]}], alt="a point")
    fig.follow(controls())
    fig.answer({"a": 1.0})
    assert fig._twin == {} == fig._answered


def test_the_page_gets_the_models_of_the_controls_and_what_stands_behind_choices():
    fig, both = Fig([{"y": [0.0]}], alt="a point"), controls()
    fig.twin = Twin("any", ("a",))
    fig.follow(both)
    assert fig._twin == {
        "function": "any",
        "follows": ("a",),
        "controls": {name: control.model_id for name, control in both.items()},
        "choices": {"b": [1, 2]},
    }


def test_a_twin_that_follows_no_control_is_refused():
    fig = Fig([{"y": [0.0]}], alt="a point")
    fig.twin = Twin("any", ("a", "c"))
    with pytest.raises(ValueError, match=r"follows 'c', which is no control; there are a, b"):
        fig.follow(controls())


def test_the_answer_is_the_values_of_what_was_drawn_last():
    panel = STDPWindow()
    for figure in panel.pictures:
        assert figure._answered == panel.values
    panel.state = {"rule": "S-TLLR", "alpha_pre": 0.5}
    for figure in panel.pictures:
        assert (figure._answered["rule"], figure._answered["alpha_pre"]) == ("general", 0.5)


def test_what_is_given_goes_with_the_values_it_was_made_for():
    panel = TraceDecay(spikes="random", seed=3)
    assert panel.fig.given == {"x": panel.numbers.x.tolist()}
    panel.controls["seed"].value = 4
    assert panel.fig.given == {"x": panel.numbers.x.tolist()}
    assert panel.fig._answered["seed"] == 4
