"""A panel that trains: for tests only."""

from widgets.drawing.figure import Fig
from widgets.frame.controls import button, whole_slider
from widgets.frame.race import Race
from widgets.frame.race_panel import RacePanel
from workbench.serving import Price
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
