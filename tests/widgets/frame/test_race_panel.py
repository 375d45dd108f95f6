"""A panel that trains: its buttons, what can be used while it runs, and what is too dear to begin."""

import pytest
from counting_panel import Counting

from workbench.serving import Allowance, write_allowance
from workbench.serving.allowance import VARIABLE


def usable(panel):
    return {name for name, control in panel.controls.items() if not control.disabled}


def test_buttons_start_hold_go_on_and_end(gate):
    panel = Counting(gate)
    panel.redraw()
    assert usable(panel) == {"number", "start"}
    panel.controls["start"].click()
    gate.pass_(1)
    assert usable(panel) == {"pause", "stop"}
    panel.controls["pause"].click()
    gate.let(1)  # it was in its step
    panel.race.wait(60)
    panel.redraw()
    assert (panel.controls["pause"].description, panel.controls["pause"].icon) == ("Resume", "play")
    panel.controls["pause"].click()
    assert (panel.controls["pause"].description, panel.controls["pause"].icon) == ("Pause", "pause")
    panel.controls["stop"].click()
    assert usable(panel) == {"number", "start"}
    gate.open()
    panel.race.wait(60)


def test_pause_and_stop_before_the_first_run_do_nothing(gate):
    panel = Counting(gate)
    panel.pause()
    panel.stop()
    assert panel.race is None


@pytest.mark.parametrize(("number", "begun"), [(10, True), (11, False)])
def test_what_is_too_dear_is_told_and_not_begun(monkeypatch, gate, number, begun):
    monkeypatch.setenv(VARIABLE, "")
    write_allowance(Allowance(seconds=10.0))
    panel = Counting(gate, number=number)
    panel.controls["start"].click()
    assert (panel.race is not None) == begun
    assert ("would take about 11 s" in panel.text) != begun
    gate.open()
    if begun:
        panel.race.wait(60)
