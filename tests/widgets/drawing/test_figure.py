"""`Fig`: what it sends to a page that opens late, and what it relies on."""

import math
import subprocess
import sys

import numpy as np
import plotly.graph_objects as go
import pytest
from comm import DummyComm
from ipywidgets import Widget

from widgets.drawing.figure import Fig


@pytest.fixture
def fig() -> Fig:
    return Fig([{"y": [1.0, 2.0], "name": "a"}], {"title": {"text": "before"}}, alt="Two points")


def test_a_page_that_opens_late_gets_the_figure_as_it_is_now(fig):
    with fig.batch_update():
        fig.data[0].y = np.array([3.0, 4.0, 5.0])
        fig.layout.title.text = "after"
    state = fig.get_state()
    sent = state["_widget_data"][0]["y"]
    assert np.frombuffer(sent["buffer"], sent["dtype"]).tolist() == [3.0, 4.0, 5.0]
    assert state["_widget_layout"]["title"]["text"] == "after"
    assert fig.get_state("_widget_layout")["_widget_layout"]["title"]["text"] == "after"


def test_traces_added_and_removed_are_in_the_state(fig):
    fig.add_scatter(y=[0, 0])
    fig.data = [fig.data[1]]
    assert [trace["y"] for trace in fig.get_state()["_widget_data"]] == [[0, 0]]


def test_an_update_of_lines_and_layout_is_one_message(monkeypatch):
    fig, told = Fig([{"y": [1, 2]}], alt="a line"), []
    monkeypatch.setattr(fig.comm, "send", lambda data, buffers=None: told.append((data["state"], buffers)))
    with fig.batch_update():
        fig.data[0].y = np.array([2.0, 3.0])
        fig.layout.title.text = "steeper"
    ((state, buffers),) = told
    update = state["_py2js_update"]
    assert (update["layout_data"], update["style_traces"]) == ({"title.text": "steeper"}, [0])
    assert np.frombuffer(buffers[0]).tolist() == [2.0, 3.0]
    assert update["trace_edit_id"] == state["_last_trace_edit_id"] == fig._last_trace_edit_id
    assert fig.get_state()["_py2js_update"] is None  # a page that opens later has no update to make


def test_its_script_is_small_and_the_bundle_is_sent_once():
    figures = [Fig([{"y": [1]}], alt=f"{k}") for k in range(3)]
    assert all(len(figure.get_state("_esm")["_esm"]) < 10_000 for figure in figures)


def test_it_looks_the_same_on_every_run(fig):
    assert repr(fig) == "Fig('Two points')"


def test_the_background_is_transparent_and_the_modebar_short(fig):
    layout = fig.layout.template.layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert not {"zoomIn2d", "toImage", "sendChartToCloud"} - set(fig._config["modeBarButtonsToRemove"])
    assert fig._config["displaylogo"] is False


def test_no_grammar_is_built_at_import():
    code = "import widgets.drawing.figure, sys; assert 'lark' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_figure_of_other_traces_takes_the_full_bundle_by_itself():
    pie = {"type": "pie", "values": [1, 2]}
    assert Fig([{"y": [1]}, {"type": "bar"}, go.Heatmap(z=[[1]])], alt="a")._bundle == "core"
    assert Fig(alt="empty")._bundle == "core"
    for data in (pie, [{"y": [1]}, pie], [go.Pie(values=[1])], go.Figure(go.Pie()), {"data": [pie]}):
        assert Fig(data, alt="a pie")._bundle == "full"


def test_a_trace_that_the_small_bundle_lacks_is_refused_and_leaves_the_figure_alone(fig):
    fig.add_bar(y=[1])
    for add in (fig.add_pie, lambda: fig.add_trace({"type": "pie"}), lambda: fig.add_traces([{"y": [1]}, go.Pie()])):
        with pytest.raises(ValueError, match=r"'pie' .*Fig\('Two points'\).* bar, heatmap, scatter .*full=True"):
            add()
    assert [trace.type for trace in fig.data] == ["scatter", "bar"]
    full = Fig([{"y": [1.0]}], alt="later a pie", full=True)
    assert full.add_pie(values=[1]) is full
    assert full.data[1].type == "pie"


def test_the_full_bundle_is_used_where_the_small_one_was_built_for_another_plotly(monkeypatch):
    monkeypatch.setattr("widgets.drawing.figure.core_fits", lambda: False)
    assert Fig([{"y": [1]}], alt="a line")._bundle == "full"


def test_a_figure_is_opened_with_all_that_it_holds(monkeypatch):
    opened, usual = [], Widget.open

    def told(self):
        usual(self)
        opened.append(self.get_state())

    monkeypatch.setattr(Widget, "open", told)
    Fig([{"y": [7.0]}], {"height": 100}, alt="a point")
    (state,) = (state for state in opened if "alt" in state)
    assert (state["alt"], state["_bundle"], state["_widget_layout"]["height"]) == ("a point", "core", 100)
    assert [trace["y"] for trace in state["_widget_data"]] == [[7.0]]


def test_what_is_not_a_number_is_told_as_a_gap(fig, monkeypatch):
    told = []
    monkeypatch.setattr(DummyComm, "publish_msg", lambda self, kind, data=None, **rest: told.append(data))
    figure = Fig([{"x": [0.0, math.nan], "y": [-math.inf, 1.0]}], alt="A point and a gap")
    (state,) = (each["state"] for each in told if "_widget_data" in each.get("state", {}))
    with figure.batch_update():
        figure.data[0].y = [math.inf, 2.0]
    restyled = told[-1]["state"]["_py2js_update"]["style_data"]
    assert (state["_widget_data"][0]["x"], state["_widget_data"][0]["y"]) == ([0.0, None], [None, 1.0])
    assert restyled["y"] == [[None, 2.0]]
    assert figure.get_state()["_widget_data"][0]["y"] == [None, 2.0]
