"""Recorded runs: there for every panel that trains, drawn pale, gone when a run begins."""

import json

import numpy as np
import pytest
from counting_panel import Counting

from widgets.drawing.figure import Fig
from widgets.drawing.pinned import PALE
from widgets.frame import race_panel
from widgets.frame.race import Race
from widgets.frame.recorded import record, show_recorded

RUN = {"words": "to 3", "traces": {"A picture of nothing much": [{"type": "scatter", "name": "count", "y": [0, 1, 2]}]}}


@pytest.fixture
def counting(gate, monkeypatch):
    monkeypatch.setattr(race_panel, "recorded", lambda name: RUN)
    return Counting(gate)


def test_it_is_drawn_pale_and_said(counting):
    pinned = counting.fig.data[1]
    assert (list(pinned.y), pinned.opacity) == ([0, 1, 2], PALE)
    assert counting.text == "to 3 Pale: recorded; Start runs it here."


def test_the_legend_names_each_recorded_curve_once():
    figure = Fig([{"name": "a", "showlegend": False}, {"name": "b"}], alt="curves")
    curves = [{"type": "scatter", "name": name, "y": [0, 1]} for name in ("a", "b", "b", "c")]
    show_recorded({"curves": figure}, {"traces": {"curves": curves}})
    assert [(trace.name, trace.showlegend) for trace in figure.data[2:]] == [
        ("a", False),
        ("b", None),
        ("b", False),
        ("c", None),
    ]


def test_a_run_takes_its_place(counting, gate):
    counting.controls["start"].click()
    assert len(counting.fig.data) == 1
    assert "recorded" not in counting.text
    gate.open()
    counting.race.wait(60)
    assert len(counting.fig.data) == 1


def test_the_run_before_stays_pale_beside_the_next(counting, gate):
    gate.open()
    counting.controls["start"].click()
    counting.race.wait(60)
    counting.fig.data[0].y = [5.0, 6.0]
    counting.controls["start"].click()
    assert list(counting.fig.data[1].y) == [5.0, 6.0]
    counting.race.wait(60)


class Sudden(Counting):
    """Every run has ended before anything of it is drawn, as it may where the processor is busy."""

    def start(self):
        race = Race([lambda: iter(range(self.values["number"]))], lambda: None)
        race.wait(60)
        self.race = race
        self.redraw()


def test_a_run_that_ended_before_it_was_drawn_takes_its_place_too(gate, monkeypatch):
    monkeypatch.setattr(race_panel, "recorded", lambda name: RUN)
    panel = Sudden(gate)
    assert len(panel.fig.data) == 2
    panel.controls["start"].click()
    assert len(panel.fig.data) == 1
    assert "recorded" not in panel.text
    panel.fig.data[0].y = [5.0, 6.0]
    panel.controls["start"].click()
    assert list(panel.fig.data[1].y) == [5.0, 6.0]


def test_what_is_written_is_what_the_figures_show(counting):
    counting.forget_recorded()
    counting.fig.data[0].y = np.array([1.5, np.nan])
    kept = json.loads(json.dumps(record(counting.named_figures, counting.text)))
    (trace,) = kept["traces"]["A picture of nothing much"]
    assert (trace["name"], trace["y"]) == ("count", [1.5, None])
