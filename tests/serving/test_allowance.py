"""What a visitor may use, and panels that refuse what is too large before they begin."""

import pytest

from widgets.panels.cost import CostExplorer
from widgets.panels.training import TrainingMonitor
from workbench.serving.allowance import VARIABLE, Allowance, Price, read_allowance, write_allowance


def test_it_goes_through_the_environment(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert read_allowance() == Allowance()
    monkeypatch.setenv(VARIABLE, "")
    write_allowance(Allowance(60, 5e8))
    assert read_allowance() == Allowance(60, 5e8)
    write_allowance(Allowance())
    assert read_allowance() == Allowance()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"seconds": "many"}', '{"places": 3}'])
def test_what_is_no_allowance_is_quoted(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ValueError, match="must hold seconds and bytes as JSON, got"):
        read_allowance()


def test_time_and_memory_are_refused_with_both_numbers():
    allowance = Allowance(60, 5e8)
    assert allowance.refusal(Price(60, 5e8)) is None
    assert "about 61 s, and a visitor of this server has 60 s" in allowance.refusal(Price(61, 0))
    assert "about 600 MB, and a visitor of this server has 500 MB" in allowance.refusal(Price(0, 6e8))


def test_a_measurement_that_is_too_large_is_not_begun(monkeypatch):
    monkeypatch.setenv(VARIABLE, '{"seconds": 60, "bytes": 5e8}')
    panel = CostExplorer(steps=300, width=1000, depth=8)
    panel.controls["start"].click()
    assert panel.race is None
    assert "would take about" in panel.text
    assert CostExplorer().price().seconds < 60 < panel.price().seconds
    assert CostExplorer().price().bytes < 5e8 < panel.price().bytes


def test_a_training_beyond_the_budget_is_not_begun(monkeypatch):
    monkeypatch.setenv(VARIABLE, '{"seconds": 60, "bytes": 5e8}')
    panel = TrainingMonitor(epochs=10)
    panel.controls["start"].click()
    assert panel.race is None
    assert "would take about 100 s" in panel.text
    assert Allowance(60, 5e8).refusal(TrainingMonitor().price()) is None


def test_the_formula_of_the_measurement_is_of_the_right_size():
    """The dearest rule keeps the bytes of one batch, counted by `measure`, within twice the price."""
    from workbench.cost.timed import BATCH, TimedCost, timed_costs

    price = CostExplorer(steps=20, width=100, depth=2, learning_steps=20).price().bytes
    measured = [cost for cost in timed_costs(700, 100, 2, 20, 20, 20, repeats=1) if isinstance(cost, TimedCost)]
    most = BATCH * max(cost.memory for cost in measured)
    assert most / 2 < price < 4 * most
