"""`CostExplorer`: time and memory of rules, by formula and measured, and where S-TLLR costs more than BPTT."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import torch

from widgets.drawing.figure import Fig
from widgets.frame.controls import button, whole_slider
from widgets.frame.race import ACTIVE, Race
from widgets.frame.race_panel import RacePanel
from widgets.lessons.cost import COST
from widgets.panels.cost_pictures import (
    RULES,
    draw_curves,
    draw_pairs,
    macs_figure,
    memory_figure,
    milliseconds,
    pairs_figure,
)
from workbench.cost.formulas import mac_saving
from workbench.cost.table import CostCurve, break_even, cost_curves, dense_sizes, rule_costs
from workbench.cost.timed import BATCH, NotTimed, TimedCost, timed_costs
from workbench.language import say
from workbench.rule import LayerSize
from workbench.serving import SPEED, Price
from workbench.training.runner import RunState

INPUTS, CLASSES = 700, 20
BATCHES = 5  # of each rule: one is counted, one compiles, three are timed
STEPS = (1, 2, 5, *range(10, 301, 10))
SETTINGS = ("steps", "learning_steps", "width", "depth")


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
        self.macs, self.memory, self.pairs = macs_figure(), memory_figure(), pairs_figure()
        self.measured_settings: dict[str, Any] | None = None
        super().__init__(_controls(), [self.macs, self.memory, self.pairs], state)

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
        for figure, kind, unit in ((self.macs, "macs", 1e6), (self.memory, "memory", 1e3)):
            curves = {rule: [value / unit for value in getattr(numbers.curves[rule], kind)] for rule in RULES}
            draw_curves(figure, STEPS, curves, numbers.steps)
        found = numbers.measured
        formula = [[numbers.chosen[r].macs / 1e6 for r in RULES], [numbers.chosen[r].memory / 1e3 for r in RULES]]
        measured = [
            [found[rule].counted.macs / 1e6 if rule in found else None for rule in RULES],
            [found[rule].memory / 1e3 if rule in found else None for rule in RULES],
            [1e3 * found[rule].seconds if rule in found else None for rule in RULES],
        ]
        draw_pairs(self.pairs, formula, measured)
        self._draw_region(numbers)
        state = RunState.IDLE if self.race is None else self.race.states[0]
        self.show_run(state in ACTIVE, state is RunState.PAUSED, SETTINGS)

    def _draw_region(self, numbers: Costs) -> None:
        dearer = [t for t in STEPS if min(self.controls["learning_steps"].value, t) > break_even(t)]
        bptt, ours = (numbers.curves[rule].macs for rule in ("BPTT", "S-TLLR"))
        places = [STEPS.index(t) for t in dearer]
        region = [*(ours[i] / 1e6 for i in places), *(bptt[i] / 1e6 for i in reversed(places))]
        dear = self.macs.data[-1]
        dear.x, dear.y = [*dearer, *reversed(dearer)], region

    @property
    def named_figures(self) -> dict[str, Fig]:
        """That which a measurement fills."""
        return {self.pairs.subject: self.pairs}

    def describe(self, numbers: Costs) -> str:
        if self.race is not None and not self._changed:
            return self._told(numbers)
        t, k, saving = numbers.steps, numbers.learning_steps, numbers.saving
        bptt, ours = (numbers.chosen[rule].memory / 1e3 for rule in ("BPTT", "S-TLLR"))
        told = say(
            "T = {t} steps, K = {k} of which learn: S-TLLR needs {needs} BPTT (more as soon as K is above {even}) and "
            "keeps {ours:.1f} kB per sample whatever T is; BPTT keeps {bptt:.1f} kB.",
            t=t,
            k=k,
            needs=_needs(saving),
            even=break_even(t),
            ours=ours,
            bptt=bptt,
        )
        return told if self.race is None else f"{told} {say('The settings were changed since the measurement.')}"

    def _told(self, numbers: Costs) -> str:
        """What was measured, in words."""
        assert self.race is not None
        state, error = self.race.states[0], self.race.runners[0].error
        if error is not None:
            return say("The measurement came to an error: {error}", error=error or type(error).__name__)
        going = {RunState.RUNNING: say("Measuring"), RunState.PAUSED: say("Paused"), RunState.STOPPED: say("Stopped")}
        times = ", ".join(f"{say(rule)} {milliseconds(1e3 * cost.seconds)}" for rule, cost in numbers.measured.items())
        refusals = "".join(
            say(" {rule} refuses: {reason}.", rule=say(rule), reason=reason) for rule, reason in numbers.refused.items()
        )
        told = say(
            "{state}, a batch of {batch}: {times}.",
            state=going.get(state, say("Measured")),
            batch=BATCH,
            times=times or say("nothing yet"),
        )
        return f"{told}{refusals}"

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
            # {say("What the machine says: print each of")}
            measured = timed_costs(inputs, width, depth, classes, steps, learning_steps)
        """


def _measurement(steps: int, learning_steps: int, width: int, depth: int) -> Iterator[TimedCost | NotTimed]:
    torch.set_num_threads(1)
    yield from timed_costs(INPUTS, width, depth, CLASSES, steps, learning_steps)


def _needs(saving: float) -> str:
    if saving >= 1.0:
        return say("{times:.1f} times fewer multiplications than", times=saving)
    return say("{times:.2f} times as many multiplications as", times=1 / saving)


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
