"""`Panel`: state, redraw, text, code and the still picture, without a browser."""

import base64
import sys
import threading
from importlib import import_module

import numpy as np
import pytest
from matplotlib.figure import Figure
from wave_panel import Wave

from widgets.app import PANELS, App, build_app
from widgets.drawing.figure import Fig
from widgets.drawing.still import _draw_axes, _drawings
from widgets.frame.controls import is_setting


@pytest.fixture
def wave() -> Wave:
    return Wave()


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


def test_the_still_picture_keeps_colours_ticks_and_round_circles():
    fig = Fig(
        [
            {"type": "heatmap", "z": [[-1.0, 3.0]], "zmid": 1.0, "colorscale": [[0, "#000000"], [1, "rgb(255,0,0)"]]},
            {"type": "bar", "x": [0, 1], "y": [2.0, 3.0], "xaxis": "x2", "yaxis": "y2"},
            {"type": "heatmap", "z": [[float("nan")]], "xaxis": "x3", "yaxis": "y3"},
        ],
        {
            "yaxis": {"scaleanchor": "x"},
            "xaxis": {"title": {"text": "two<br>cells"}, "showticklabels": False},
            "xaxis2": {"tickvals": [0, 1], "ticktext": ["one", "and<br>two"]},
            **{name: {} for name in ("yaxis2", "xaxis3", "yaxis3")},
        },
        alt="",
    )
    heat, bars, empty = Figure().subplots(3)
    for ax, name in ((heat, "x"), (bars, "x2"), (empty, "x3")):
        _draw_axes(ax, fig, name)
    assert heat.images[0].get_clim() == (-1.0, 3.0)
    assert heat.images[0].to_rgba([-1.0, 3.0]).tolist() == [[0, 0, 0, 1], [1, 0, 0, 1]]
    assert heat.get_aspect() == 1.0
    assert heat.get_xlabel() == "two cells"
    assert not heat.get_xticks().size
    assert [tick.get_text() for tick in bars.get_xticklabels()] == ["one", "and two"]
    assert [text.get_text() for text in empty.texts] == ["nothing drawn yet"]


def test_a_picture_without_anything_to_show_says_so():
    fig = Fig([{"y": [1.0], "visible": False}], {}, alt="")
    (draw,) = _drawings(fig)
    ax = Figure().subplots()
    draw(ax)
    assert [text.get_text() for text in ax.texts] == ["nothing drawn yet"]


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


class TestApp:
    """The tabs and the link."""

    def test_a_link_opens_tab_and_state_and_is_written_back(self):
        app = App([Wave, Second], "tab=second&second.frequency=2.5&second.shape=cosine&theme=dark")
        assert app.tabs.selected_index == 1
        assert app.panels["second"].state["frequency"] == 2.5
        assert app.notice.layout.display == "none"
        assert "wave" not in app.panels
        app.panel("wave").controls["square"].value = True
        shown = "tab=second&second.frequency=2.5&second.shape=cosine&wave.square=true"
        assert app.link.shown == shown

    def test_a_panel_is_made_when_its_tab_is_opened(self):
        app = App([Wave, Second])
        assert list(app.panels) == ["wave"]
        app.tabs.selected_index = 1
        assert list(app.panels) == ["wave", "second"]
        assert app.tabs.children[1].children == (app.panels["second"].view,)
        assert app.link.shown == "tab=second"

    def test_a_page_that_asks_later_is_followed(self):
        app = App([Wave])
        app.link.opened = "?wave.points=20"
        assert app.panels["wave"].state["points"] == 20

    def test_what_a_link_gets_wrong_is_told(self):
        app = App([Wave], "tab=no&wave.points=9&other.x=1&wave.frequency=2")
        for words in ("no tab &#x27;no&#x27;", "points must lie from 10 to 500, got 9", "no panel &#x27;other&#x27;"):
            assert words in app.notice.value
        assert app.notice.layout.display == ""
        assert app.panels["wave"].state == Wave().state

    def test_a_link_builds_one_panel_and_keeps_what_it_says_of_the_others(self):
        app = App([Wave, Second], "wave.points=20&second.points=30&second.frequency=99")
        assert list(app.panels) == ["wave"]
        assert app.link.shown == "wave.points=20&second.points=30&second.frequency=99"
        assert app.notice.layout.display == "none"
        app.tabs.selected_index = 1
        assert app.panels["second"].state == Second().state
        assert "frequency must lie from" in app.notice.value

    @pytest.mark.parametrize(
        "link",
        [
            "wave.points=" + 20_000 * "[",
            "wave.points=" + 400 * "9",
            "wave.frequency=1e400",
            "wave.shape=" + 5000 * "x",
            "tab=" + 5000 * "x",
            "&".join(f"p{k}.x=1" for k in range(4000)),
            "&".join(f"wave.x{k}={k}" for k in range(4000)),
        ],
    )
    def test_no_link_breaks_the_app_or_makes_a_long_notice(self, link):
        app = App([Wave], link)
        assert app.panels["wave"].state == Wave().state
        assert 0 < len(app.notice.value) < 3000


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


@pytest.mark.parametrize("later", PANELS, ids=lambda later: later.name)
def test_the_tab_of_a_panel_is_named_as_the_panel(later):
    made = getattr(import_module(f"widgets.panels.{later.module}"), later.panel)
    assert (made.name, made.title) == (later.name, later.title)


def test_the_first_page_imports_no_other_panel(monkeypatch):
    for later in PANELS:
        monkeypatch.delitem(sys.modules, f"widgets.panels.{later.module}", raising=False)
    assert list(build_app().panels) == ["lif"]
    assert [later.module for later in PANELS if f"widgets.panels.{later.module}" in sys.modules] == ["lif"]


class Second(Wave):
    """Another wave, to have two."""

    name = "second"
    title = "Another wave"
