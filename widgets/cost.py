"""`CostExplorer`: time and memory of six rules, by formula, and where S-TLLR costs more than BPTT."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from widgets.controls import whole_slider
from widgets.figure import Fig
from widgets.panel import Panel
from widgets.rows import curve
from widgets.theme import FAINT, line, marker
from workbench.cost_formulas import LayerSize, mac_saving
from workbench.cost_table import CostCurve, break_even, cost_curves, dense_sizes, rule_costs

INPUTS, CLASSES = 700, 20
RULES = ("BPTT", "S-TLLR", "S-TLLR, causal", "OTTT", "e-prop", "TESS")
STEPS = (1, 2, 5, *range(10, 301, 10))


class Costs(NamedTuple):
    """Curves over T for each rule, the costs at the chosen T and K, and S_MAC there."""

    steps: int
    learning_steps: int
    sizes: list[LayerSize]
    curves: dict[str, CostCurve]
    chosen: dict[str, Any]
    saving: float


class CostExplorer(Panel):
    """MACs and kept bytes of one sample over the number of steps T, for a dense network with 700 inputs, 20 classes.

    Controls: steps (T), learning_steps (K), width, depth.
    """

    name = "cost"
    title = "Cost"

    def __init__(self, **state: Any) -> None:
        self.macs, self.memory = _macs_figure(), _memory_figure()
        super().__init__(_controls(), [self.macs, self.memory], state)

    def compute(self, steps: int, learning_steps: int, width: int, depth: int) -> Costs:
        sizes, k = dense_sizes(INPUTS, width, depth, CLASSES), min(learning_steps, steps)
        curves = cost_curves(sizes, STEPS, learning_steps)
        return Costs(steps, k, sizes, curves, rule_costs(sizes, steps, k), mac_saving(steps, k))

    def draw(self, numbers: Costs) -> None:
        for figure, kind, unit in ((self.macs, "macs", 1e6), (self.memory, "memory", 1e3)):
            for trace, rule in zip(figure.data, RULES, strict=False):
                found = getattr(numbers.curves[rule], kind)
                trace.update(x=list(STEPS), y=[value / unit for value in found])
            here = figure.data[len(RULES)]
            here.update(x=[numbers.steps] * 6, y=[getattr(numbers.chosen[rule], kind) / unit for rule in RULES])
            here.text = list(RULES)
        dearer = [t for t in STEPS if min(self.controls["learning_steps"].value, t) > break_even(t)]
        bptt, ours = (numbers.curves[rule].macs for rule in ("BPTT", "S-TLLR"))
        places = [STEPS.index(t) for t in dearer]
        region = [*(ours[i] / 1e6 for i in places), *(bptt[i] / 1e6 for i in reversed(places))]
        self.macs.data[len(RULES) + 1].update(x=[*dearer, *reversed(dearer)], y=region)

    def describe(self, numbers: Costs) -> str:
        t, k, saving = numbers.steps, numbers.learning_steps, numbers.saving
        less = f"{saving:.1f} times fewer" if saving >= 1.0 else f"{1 / saving:.2f} times as many"
        bptt, ours, eprop = (numbers.chosen[rule].memory / 1e3 for rule in ("BPTT", "S-TLLR", "e-prop"))
        return (
            f"With T = {t} steps, K = {k} of which learn, S-TLLR needs {less} multiplications {_word(saving)} BPTT; it "
            f"needs more than BPTT as soon as K is above {break_even(t)}, two thirds of T. Per sample BPTT keeps "
            f"{bptt:.1f} kB, S-TLLR {ours:.1f} kB whatever T is, e-prop {eprop:.0f} kB, a number for each synapse."
        )

    def source(self, steps: int, learning_steps: int, width: int, depth: int) -> str:
        return f"""
            from workbench.cost_formulas import mac_saving
            from workbench.cost_table import break_even, cost_curves, dense_sizes, rule_costs

            sizes = dense_sizes(inputs={INPUTS}, width={width}, depth={depth}, classes={CLASSES})
            steps, learning_steps = {steps}, min({learning_steps}, {steps})
            chosen = rule_costs(sizes, steps, learning_steps)
            curves = cost_curves(sizes, {STEPS[:3]} + tuple(range(10, 301, 10)), {learning_steps})
            for rule, cost in chosen.items():
                print(rule, cost.macs, "MACs,", cost.memory, "bytes")
            print("S_MAC:", mac_saving(steps, learning_steps), "largest K for 1:", break_even(steps))
        """


def _word(saving: float) -> str:
    return "than" if saving >= 1.0 else "as"


def _controls() -> dict:
    return {
        "steps": whole_slider("steps T", 100, 1, 300, "how long a recording is"),
        "learning_steps": whole_slider("learning steps K", 90, 1, 300, "how many of the last steps learn; at most T"),
        "width": whole_slider("width (neurons)", 450, 10, 1000, "neurons of each hidden layer", 10),
        "depth": whole_slider("depth (layers)", 1, 1, 8, "hidden layers"),
    }


def _traces(unit: str) -> Iterator[dict]:
    for k, rule in enumerate(RULES):
        yield curve(rule, line(k), f"{rule}: %{{y:.4g}} {unit}")
    name, hover = "at the chosen T", f"%{{text}}: %{{y:.4g}} {unit} at T = %{{x}}<extra></extra>"
    yield {"name": name, "mode": "markers", "marker": marker(0) | {"color": "#7F7F7F"}, "hovertemplate": hover}


def _layout(y_title: str) -> dict:
    return {
        "xaxis": {"title": {"text": "steps T"}, "range": [0, 305]},
        "yaxis": {"title": {"text": y_title}, "type": "log"},
        "hovermode": "closest",
        "height": 380,
    }


def _macs_figure() -> Fig:
    dearer = {"fill": "toself", "fillcolor": FAINT, "mode": "none", "name": "S-TLLR costs more than BPTT"}
    traces = [*_traces("million"), dearer | {"hoveron": "fills", "hovertemplate": "S-TLLR costs more<extra></extra>"}]
    alt = "Multiply-accumulate operations of six rules for one sample, against the number of steps"
    return Fig(traces, _layout("MACs per sample (millions)"), alt=alt)


def _memory_figure() -> Fig:
    return Fig(list(_traces("kB")), _layout("kept for learning (kB)"), alt="Bytes kept by six rules for one sample")
