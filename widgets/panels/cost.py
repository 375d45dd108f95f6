"""`CostExplorer`: time and memory of rules, by formula and measured, and where S-TLLR costs more than BPTT."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import torch

from widgets.frame.controls import button, whole_slider
from widgets.frame.race import ACTIVE, Race
from widgets.frame.race_panel import RacePanel
from widgets.lessons.cost import COST
from widgets.panels.cost_pictures import RULES, macs_figure, memory_figure, seconds_figure
from workbench.cost.formulas import mac_saving
from workbench.cost.table import CostCurve, break_even, cost_curves, dense_sizes, rule_costs
from workbench.cost.timed import BATCH, NotTimed, TimedCost, timed_costs
from workbench.rule import LayerSize
from workbench.serving import SPEED, Price
from workbench.training.runner import RunState

INPUTS, CLASSES = 700, 20
BATCHES = 4  # of each rule: one is counted, three are timed
STEPS = (1, 2, 5, *range(10, 301, 10))
SETTINGS = ("steps", "learning_steps", "width", "depth")
WHY = (
    "Fewer products are made than the formulas say where inputs that do not spike are skipped; the rules that keep no "
    "time still hold a piece of 16 steps while they work on it."
)


class Costs(NamedTuple):
    """Curves over T for each rule, the costs at the chosen T and K, S_MAC there, and what was measured for them."""

    steps: int
    learning_steps: int
    sizes: list[LayerSize]
    curves: dict[str, CostCurve]
    chosen: dict[str, Any]
    saving: float
    measured: dict[str, TimedCost]
    refused: dict[str, str]


class CostExplorer(RacePanel):
    """MACs and kept bytes of one sample over the number of steps T, for a dense network with 700 inputs, 20 classes;
    at a click the rules are run on this machine, counted and timed.

    Controls: steps (T), learning_steps (K), width, depth, and the buttons start, pause and stop.
    """

    name = "cost"
    title = "Cost"
    lesson = COST

    def __init__(self, **state: Any) -> None:
        self.macs, self.memory, self.seconds = macs_figure(), memory_figure(), seconds_figure()
        self.measured_settings: dict[str, Any] | None = None
        super().__init__(_controls(), [self.macs, self.memory, self.seconds], state)

    def price(self) -> Price:
        settings = self.values
        steps, sizes = settings["steps"], dense_sizes(INPUTS, settings["width"], settings["depth"], CLASSES)
        costs = rule_costs(sizes, steps, min(settings["learning_steps"], steps)).values()
        products = BATCHES * BATCH * sum(cost.macs for cost in costs)
        kept = max(cost.memory for cost in costs)
        return Price(products / SPEED, 2 * BATCH * kept + 12 * sum(size.macs for size in sizes))

    def start(self) -> None:
        """Measure all rules with the present settings; a measurement that is still going is stopped."""
        self.stop()
        self.measured_settings = self.values
        self.race = Race([partial(_measurement, **self.measured_settings)], self.redraw)
        self.redraw()

    def compute(self, steps: int, learning_steps: int, width: int, depth: int) -> Costs:
        sizes, k = dense_sizes(INPUTS, width, depth, CLASSES), min(learning_steps, steps)
        curves = cost_curves(sizes, STEPS, learning_steps)
        records = [] if self.race is None or self._changed else list(self.race.records[0])
        measured = {record.rule: record for record in records if isinstance(record, TimedCost)}
        refused = {record.rule: record.reason for record in records if isinstance(record, NotTimed)}
        return Costs(steps, k, sizes, curves, rule_costs(sizes, steps, k), mac_saving(steps, k), measured, refused)

    @property
    def _changed(self) -> bool:
        """Whether the measurement is of other settings than the present ones."""
        return self.measured_settings != self.values

    def draw(self, numbers: Costs) -> None:
        macs = {rule: cost.counted.macs for rule, cost in numbers.measured.items()}
        memory = {rule: cost.memory for rule, cost in numbers.measured.items()}
        for figure, kind, unit, found in ((self.macs, "macs", 1e6, macs), (self.memory, "memory", 1e3, memory)):
            for trace, rule in zip(figure.data, RULES, strict=False):
                trace.x, trace.y = STEPS, [value / unit for value in getattr(numbers.curves[rule], kind)]
            by_formula, measured = figure.data[len(RULES) : len(RULES) + 2]
            chosen = [getattr(numbers.chosen[rule], kind) / unit for rule in RULES]
            points = [found[rule] / unit if rule in found else None for rule in RULES]
            for trace, y in ((by_formula, chosen), (measured, points)):
                trace.x, trace.y, trace.text = [numbers.steps] * len(RULES), y, RULES
        self._draw_seconds({rule: cost.seconds for rule, cost in numbers.measured.items()})
        self._draw_region(numbers)
        state = RunState.IDLE if self.race is None else self.race.states[0]
        self.show_run(state in ACTIVE, state is RunState.PAUSED, SETTINGS)

    def _draw_seconds(self, seconds: dict[str, float]) -> None:
        for trace, rule in zip(self.seconds.data, RULES, strict=True):
            known = rule in seconds
            trace.y = [1e3 * seconds[rule] if known else None]
            trace.text = [_milliseconds(seconds[rule]) if known else ""]
        if seconds:  # a logarithmic axis has no natural foot: the shortest bar gets a height that can be seen
            lowest, highest = (math.log10(1e3 * f(seconds.values())) for f in (min, max))
            self.seconds.layout.yaxis.range = [lowest - 0.5, highest + 0.3]

    def _draw_region(self, numbers: Costs) -> None:
        dearer = [t for t in STEPS if min(self.controls["learning_steps"].value, t) > break_even(t)]
        bptt, ours = (numbers.curves[rule].macs for rule in ("BPTT", "S-TLLR"))
        places = [STEPS.index(t) for t in dearer]
        region = [*(ours[i] / 1e6 for i in places), *(bptt[i] / 1e6 for i in reversed(places))]
        dear = self.macs.data[-1]
        dear.x, dear.y = [*dearer, *reversed(dearer)], region

    def describe(self, numbers: Costs) -> str:
        t, k, saving = numbers.steps, numbers.learning_steps, numbers.saving
        less = f"{saving:.1f} times fewer" if saving >= 1.0 else f"{1 / saving:.2f} times as many"
        bptt, ours, eprop = (numbers.chosen[rule].memory / 1e3 for rule in ("BPTT", "S-TLLR", "e-prop"))
        return (
            f"With T = {t} steps, K = {k} of which learn, S-TLLR needs {less} multiplications {_word(saving)} BPTT; it "
            f"needs more than BPTT as soon as K is above {break_even(t)}, two thirds of T. Per sample BPTT keeps "
            f"{bptt:.1f} kB, S-TLLR {ours:.1f} kB whatever T is, e-prop {eprop:.0f} kB, a number for each synapse. "
            + self._told(numbers)
        )

    def _told(self, numbers: Costs) -> str:
        """What was measured, in words."""
        if self.race is None:
            return "So far by formula; Measure runs the rules on this machine."
        if self._changed:
            return "The settings were changed since the measurement; Measure uses the new ones."
        state, error = self.race.states[0], self.race.runners[0].error
        if error is not None:
            return f"The measurement came to an error: {error or type(error).__name__}"
        going = {RunState.RUNNING: "Measuring", RunState.PAUSED: "Paused", RunState.STOPPED: "Stopped"}
        times = ", ".join(f"{rule} {_milliseconds(cost.seconds)}" for rule, cost in numbers.measured.items())
        refusals = "".join(f" {rule} refuses: {reason}." for rule, reason in numbers.refused.items())
        told = f"{going.get(state, 'Measured')}, a batch of {BATCH}: {times or 'nothing yet'}.{refusals}"
        return f"{told} {WHY}" if times else told

    def source(self, steps: int, learning_steps: int, width: int, depth: int) -> str:
        return f"""
            from workbench.cost import break_even, cost_curves, dense_sizes, mac_saving, rule_costs, timed_costs

            inputs, width, depth, classes = {INPUTS}, {width}, {depth}, {CLASSES}
            sizes = dense_sizes(inputs, width, depth, classes)
            steps, learning_steps = {steps}, min({learning_steps}, {steps})
            chosen = rule_costs(sizes, steps, learning_steps)
            curves = cost_curves(sizes, {STEPS[:3]} + tuple(range(10, 301, 10)), {learning_steps})
            for rule, cost in chosen.items():
                print(rule, cost.macs, "MACs,", cost.memory, "bytes")
            print("S_MAC:", mac_saving(steps, learning_steps), "largest K for 1:", break_even(steps))
            # What the machine says: print each of
            measured = timed_costs(inputs, width, depth, classes, steps, learning_steps)
        """


def _measurement(steps: int, learning_steps: int, width: int, depth: int) -> Iterator[TimedCost | NotTimed]:
    torch.set_num_threads(1)
    yield from timed_costs(INPUTS, width, depth, CLASSES, steps, learning_steps)


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds < 1.0 else f"{seconds:.2g} s"


def _word(saving: float) -> str:
    return "than" if saving >= 1.0 else "as"


def _controls() -> dict:
    return {
        "steps": whole_slider("steps T", 100, 1, 300, "how long a recording is"),
        "learning_steps": whole_slider("learning steps K", 90, 1, 300, "how many of the last steps learn; at most T"),
        "width": whole_slider("width (neurons)", 450, 10, 1000, "neurons of each hidden layer", 10),
        "depth": whole_slider("depth (layers)", 1, 1, 8, "hidden layers"),
        "start": button("Measure", "run each rule on random spikes on this machine, count and time it", "play"),
        "pause": button("Pause", "hold after this rule, or go on", "pause"),
        "stop": button("Stop", "end after this rule and keep what was measured", "stop"),
    }
