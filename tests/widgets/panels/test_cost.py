"""`CostExplorer` draws the formulas and says where S-TLLR costs more than BPTT."""

import numpy as np
import pytest
from house import check_house_rules, drawn, look, same, wait_for_end, wait_for_rest, walk_and_compare

from widgets.drawing.rule_look import rule_line
from widgets.panels import cost as cost_panel
from widgets.panels.cost import CLASSES, INPUTS, RULES, STEPS, CostExplorer
from workbench.cost.counted import Measured
from workbench.cost.table import COSTED
from workbench.cost.timed import TIMED, TimedCost, timed_costs
from workbench.serving.allowance import VARIABLE
from workbench.training.runner import RunState

pytestmark = pytest.mark.usefixtures("unchecked")


def test_house_rules():
    check_house_rules(CostExplorer)


def test_every_control_at_both_ends_and_its_code():
    def compare(panel, names):
        assert names["chosen"] == panel.numbers.chosen
        for rule in RULES:
            assert same(drawn(panel.macs, rule)[1], np.array(names["curves"][rule].macs) / 1e6)
            assert same(drawn(panel.memory, rule)[1], np.array(names["curves"][rule].memory) / 1e3)

    walk_and_compare(CostExplorer(), compare)


def test_each_rule_has_its_colour():
    for trace, rule in zip(CostExplorer().macs.data, COSTED, strict=False):
        assert (trace.name, trace.line.color) == (rule.label, rule_line(rule.name)["color"])


def test_the_region_is_where_stllr_lies_above_bptt():
    panel = CostExplorer(learning_steps=50)
    x, _ = drawn(panel.macs, "S-TLLR costs more than BPTT")
    bptt, ours = (drawn(panel.macs, rule)[1] for rule in ("BPTT", "S-TLLR"))
    assert set(x) == {t for t, a, b in zip(STEPS, bptt, ours, strict=True) if b > a}
    assert max(x) == 70


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "S-TLLR needs 1.35 times as many multiplications as BPTT"),
        ({"steps": 20, "learning_steps": 5}, "2.7 times fewer multiplications than BPTT"),
        ({"steps": 90}, "as soon as K is above 60"),
        ({"steps": 10, "learning_steps": 300}, "K = 10 of which learn"),
    ],
)
def test_the_text(state, words):
    assert words in CostExplorer(**state).text


def test_measure_runs_every_rule_and_draws_what_it_found():
    panel = CostExplorer(steps=5, learning_steps=3, width=30)
    assert panel.text.endswith("Pale: recorded; Measure runs it here.")
    assert same(panel.pairs.data[0].x, [panel.numbers.chosen[rule].macs / 1e6 for rule in RULES])
    assert same(panel.pairs.data[2].x, [panel.numbers.chosen[rule].memory / 1e3 for rule in RULES])
    assert (panel.pairs.data[1].x, panel.pairs.data[4].y) == ((), ())
    panel.controls["start"].click()
    wait_for_end(panel)
    assert set(panel.numbers.measured) == set(RULES)
    costs = timed_costs(700, 30, 1, 20, 5, 3, repeats=1)
    expected = {cost.rule: cost for cost in costs if isinstance(cost, TimedCost)}
    assert same(panel.pairs.data[1].x, [expected[rule].counted.macs / 1e6 for rule in RULES])
    assert same(panel.pairs.data[3].x, [expected[rule].memory / 1e3 for rule in RULES])
    milliseconds = [1e3 * panel.numbers.measured[rule].seconds for rule in RULES]
    assert same(panel.pairs.data[4].x, milliseconds)
    low, high = panel.pairs.layout.xaxis3.range
    assert 10**low < min(milliseconds) < max(milliseconds) < 10**high
    assert "Measured, a batch of 8: BPTT " in panel.text
    panel.state = {"steps": 6}
    assert "The settings were changed since the measurement" in panel.text
    assert np.isnan(np.asarray(panel.pairs.data[4].x, float)).all()
    panel.state = {"steps": 5}
    assert "Measured, a batch of 8" in panel.text


def test_only_what_was_measured_is_recorded():
    panel = CostExplorer()
    pale = panel.pairs.data[5:]
    assert [trace.name for trace in pale] == ["measured", "measured", "time"]
    assert all(len(trace.x) == len(RULES) for trace in pale)
    assert len(panel.macs.data) == len(RULES) + 3


def test_the_recorded_counts_are_those_of_today():
    """Times are another machine's; products and bytes are the same everywhere, with the same loops."""
    pytest.importorskip("numba")
    panel = CostExplorer()
    macs, kept, _ = (trace.x for trace in panel.pairs.data[5:])
    state = panel.values
    costs = timed_costs(INPUTS, state["width"], state["depth"], CLASSES, state["steps"], state["learning_steps"], 1)
    counted = [(cost.counted.macs / 1e6, cost.memory / 1e3) for cost in costs]
    assert [pair[0] for pair in counted] == pytest.approx(macs, rel=0.01)
    assert [pair[1] for pair in counted] == pytest.approx(kept, rel=0.01)


def test_the_axes_of_the_pairs_hold_the_recorded_marks_too():
    panel = CostExplorer()
    for axis, column in (("xaxis", 5), ("xaxis2", 6), ("xaxis3", 7)):
        low, high = panel.pairs.layout[axis].range
        assert 10**low < min(panel.pairs.data[column].x) < max(panel.pairs.data[column].x) < 10**high


def test_the_axes_of_the_pairs_stand_still_while_a_control_moves_a_little():
    panel = CostExplorer(learning_steps=90)
    before = [panel.pairs.layout[name].range for name in ("xaxis", "xaxis2")]
    panel.state = {"learning_steps": 91}
    assert [panel.pairs.layout[name].range for name in ("xaxis", "xaxis2")] == before
    for axis, column in (("xaxis", 0), ("xaxis2", 2)):
        low, high = panel.pairs.layout[axis].range
        assert 10**low < min(panel.pairs.data[column].x) < max(panel.pairs.data[column].x) < 10**high


@pytest.mark.parametrize("state", [{}, {"steps": 1}, {"width": 1000, "depth": 8}, {"learning_steps": 300}])
def test_labels_at_the_ends_replace_a_legend_and_keep_apart(state):
    panel = CostExplorer(**state)
    for figure in (panel.macs, panel.memory):
        low, high = figure.layout.yaxis.range
        heights = sorted(np.log10(next(trace for trace in figure.data if trace.name == "labels").y))
        assert min(np.diff(heights)) > 0.099 * (high - low)
        assert low - 1e-9 <= heights[0] <= heights[-1] <= high + 1e-9
        assert not any(trace.showlegend is not False for trace in figure.data[: len(RULES)])
    assert len(panel.text) < 2 * 135


def test_a_rule_that_refuses_is_told():
    panel = CostExplorer(steps=2, width=20)
    panel.start()
    wait_for_end(panel)
    assert "TESS refuses: 20 latents have the frequencies 1..19, but 20 were asked for" in panel.text
    assert panel.pairs.data[4].x[RULES.index("TESS")] is None


def test_pause_resume_and_stop(monkeypatch, gate):
    costs = [TimedCost(rule.label, 1.5, Measured(1, 1, 1)) for rule in TIMED]
    monkeypatch.setattr(cost_panel, "timed_costs", lambda *_: gate.records(costs))
    panel = CostExplorer()
    gate.told = lambda: panel.text
    panel.start()
    gate.pass_(1)
    look(panel)
    assert len(panel.numbers.measured) == 1
    assert panel.controls["steps"].disabled
    panel.controls["pause"].click()
    gate.let(1)
    wait_for_rest(panel)
    assert len(panel.numbers.measured) == 2
    assert panel.controls["pause"].description == "Resume"
    assert "Paused, a batch of 8: BPTT 1.5 s" in panel.text
    panel.controls["pause"].click()
    gate.pass_(1)
    look(panel)
    assert len(panel.numbers.measured) == 3
    panel.controls["stop"].click()
    assert panel.race is not None
    assert panel.race.states[0] is RunState.STOPPED
    assert "Stopped, a batch of 8" in panel.text
    assert not panel.controls["start"].disabled
    gate.open()
    wait_for_end(panel)
    assert len(panel.numbers.measured) == 3
    assert gate.passed == 4


def test_an_error_of_the_measurement_is_told(monkeypatch):
    monkeypatch.setattr(cost_panel, "timed_costs", lambda *_: iter([1 / 0]))
    panel = CostExplorer()
    panel.start()
    wait_for_end(panel)
    assert "The measurement came to an error: division by zero" in panel.text
    assert not panel.controls["start"].disabled


def test_a_measurement_that_is_too_large_is_not_begun(monkeypatch):
    monkeypatch.setenv(VARIABLE, '{"seconds": 60, "bytes": 5e8}')
    panel = CostExplorer(steps=300, width=1000, depth=8)
    panel.controls["start"].click()
    assert panel.race is None
    assert "would take about" in panel.text
    assert CostExplorer().price().seconds < 60 < panel.price().seconds
    assert CostExplorer().price().bytes < 5e8 < panel.price().bytes
