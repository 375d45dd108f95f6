"""The figures of `CostExplorer`: curves by formula with the points that were measured, and seconds as bars."""

from collections.abc import Iterator

from widgets.drawing.figure import Fig
from widgets.drawing.rows import curve, dots, labelled_bar
from widgets.drawing.rule_look import rule_filling, rule_line
from widgets.drawing.theme import FAINT, GREY
from workbench.cost.table import COSTED

RULES = tuple(rule.label for rule in COSTED)


def macs_figure() -> Fig:
    """A curve for each rule, the points at the chosen T, the measured points, and where S-TLLR costs more."""
    dearer = {"fill": "toself", "fillcolor": FAINT, "mode": "none", "name": "S-TLLR costs more than BPTT"}
    traces = [*_traces("million"), dearer | {"hoveron": "fills", "hovertemplate": "S-TLLR costs more<extra></extra>"}]
    alt = f"Multiply-accumulate operations of {len(RULES)} rules for one sample, against the number of steps"
    return Fig(traces, _layout("MACs per sample (millions)"), alt=alt)


def memory_figure() -> Fig:
    """A curve for each rule, the points at the chosen T, and the measured points."""
    return Fig(
        list(_traces("kB")), _layout("kept for learning (kB)"), alt=f"Bytes kept by {len(RULES)} rules for one sample"
    )


def seconds_figure() -> Fig:
    """A bar for each rule: measured time of one batch."""
    traces = [
        labelled_bar(rule.label, k, rule_filling(rule.name), f"{rule.label}: %{{y:.4g}} ms") | {"y": [None]}
        for k, rule in enumerate(COSTED)
    ]
    ticks = [rule.replace(", ", ",<br>") for rule in RULES]
    layout = {
        "xaxis": {"tickvals": list(range(len(RULES))), "ticktext": ticks, "range": [-0.5, len(RULES) - 0.5]},
        "yaxis": {"title": {"text": "ms per batch, measured"}, "type": "log"},
        "barmode": "overlay",
        "height": 300,
    }
    return Fig(traces, layout, alt=f"Measured milliseconds of one batch for each of {len(RULES)} rules")


def _traces(unit: str) -> Iterator[dict]:
    for rule in COSTED:
        yield curve(rule.label, rule_line(rule.name), f"{rule.label}: %{{y:.4g}} {unit}")
    chosen = {"color": GREY, "symbol": "circle", "size": 8}
    yield dots("at the chosen T", chosen, f"%{{text}}: %{{y:.4g}} {unit} at T = %{{x}}, by formula")
    measured = {"color": [rule_line(rule.name)["color"] for rule in COSTED], "symbol": "x", "size": 10}
    yield dots("measured", measured, f"%{{text}}: %{{y:.4g}} {unit} at T = %{{x}}, measured")


def _layout(y_title: str) -> dict:
    return {
        "xaxis": {"title": {"text": "steps T"}, "range": [0, 305]},
        "yaxis": {"title": {"text": y_title}, "type": "log"},
        "hovermode": "closest",
        "height": 380,
    }
