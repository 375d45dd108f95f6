"""A panel that trains: its buttons, what can be used while it runs, and what is too dear to begin."""

import pytest

from widgets.drawing.figure import Fig
from widgets.frame.controls import button, whole_slider
from widgets.frame.race import Race
from widgets.frame.race_panel import RacePanel
from workbench.serving import Allowance, Price, write_allowance
from workbench.serving.allowance import VARIABLE
from workbench.training.runner import ACTIVE


class Counting(RacePanel):
    """Counts to a number, for tests only."""

    name = "counting"
    title = "Counting"

    def __init__(self, gate, **state):
        self.gate, self.fig = gate, Fig([{"name": "count"}], {}, alt="A picture of nothing much")
        controls = {
            "number": whole_slider("number", 3, 1, 100, "how far to count"),
            "start": button("Start", "count anew from zero", "play"),
            "pause": button("Pause", "hold after this number", "pause"),
            "stop": button("Stop", "end the count", "stop"),
        }
        super().__init__(controls, [self.fig], state)

    def compute(self, number):
        return number

    def draw(self, numbers):
        states = self.race.states if self.race else []
        going = any(state in ACTIVE for state in states)
        self.show_run(going, any(state.value == "paused" for state in states), ["number"])

    def describe(self, numbers):
        return f"to {numbers}"

    def source(self, number):
        return f"list(range({number}))"

    def price(self):
        return Price(seconds=float(self.values["number"]), bytes=0)

    def start(self):
        self.race = Race([lambda: self.gate.records(iter(range(self.values["number"])))], self.redraw)
        self.redraw()


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
