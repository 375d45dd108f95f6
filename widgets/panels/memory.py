"""`MemoryTimeline`: what is kept for the weight gradient during one training step, for four ways to take it."""

import math
from functools import lru_cache
from typing import Any, NamedTuple

from widgets.drawing.figure import Fig
from widgets.drawing.prediction import Prediction
from widgets.drawing.rows import curve, dots, labelled_bar
from widgets.drawing.rule_look import rule_line
from widgets.drawing.theme import BLUE, FAINT, GREY, INK, filling, line
from widgets.frame.controls import choice, slider
from widgets.frame.panel import Panel
from widgets.lessons.memory import MEMORY
from workbench.experiments.new_clothes import Transfer, new_clothes
from workbench.language import say
from workbench.watch.bytes_in_a_step import PLACES, STEP_RULES, BytesAlive, bytes_in_a_step, place_names

EVERY = 7  # a seventh of the images: enough for four batches
FIRST_ENERGY, LAST_ENERGY = 0.5, 0.95
FIXED = ("backpropagation", "checkpointing")  # energy does not matter to them
LEAST = 256  # bytes, where a logarithmic axis begins


def _short(name: str) -> str:
    block, _, part = name.rpartition(".")
    return f"{block.removeprefix('layer3.')}·{part}" if block else name


# In the order of `STEP_RULES`: backpropagation has the colour that it has as a rule, each its own dash and hatching.
LOOKS = ({**line(0), "color": rule_line("bp")["color"], "width": 2.5}, line(1), line(2), {**line(3), "color": BLUE})
FILLINGS = ({**filling(0), "color": rule_line("bp")["color"]}, filling(1), filling(2), {**filling(3), "color": BLUE})
_NAMES = [_short(name) for name in place_names()]


class Steps(NamedTuple):
    """One curve per way to take the step."""

    alive: dict[str, BytesAlive]


class MemoryTimeline(Panel):
    """Bytes that autograd keeps, layer by layer, forwards and backwards, while the last two blocks are fine-tuned.

    Controls: batch_size, energy, axis.
    """

    name = "memory"
    title = "Memory"
    lesson = MEMORY

    def __init__(self, **state: Any) -> None:
        self.timeline, self.peaks = _timeline_figure(), _peaks_figure()
        self._known: dict[tuple, BytesAlive] = {}
        super().__init__(_controls(), [self.timeline, self.peaks], state)

    def compute(self, batch_size: int, energy: float, axis: str) -> Steps:
        return Steps({name: self._alive(name, batch_size, energy) for name in STEP_RULES})

    def _alive(self, name: str, batch_size: int, energy: float) -> BytesAlive:
        key = (name, batch_size, None if name in FIXED else energy)
        if key not in self._known:
            self._known[key] = bytes_in_a_step(_task(), STEP_RULES[name], batch_size, energy)
        return self._known[key]

    def draw(self, numbers: Steps) -> None:
        axis = self.controls["axis"].value
        for trace, steps in zip(self.timeline.data[:-1], numbers.alive.values(), strict=True):
            y = [max(b, LEAST) / 1024 if axis == "log" else b / 1024 for b in steps.bytes]
            trace.update(x=steps.places, y=y, text=[say(_NAMES[place]) for place in steps.places])
        most = max(numbers.alive.values(), key=lambda steps: steps.peak)
        place = most.places[list(most.bytes).index(most.peak)]
        self.timeline.data[-1].update(
            x=[place], y=[most.peak / 1024], text=[say("peak: {bytes}", bytes=_bytes(most.peak))]
        )
        for trace, steps in zip(self.peaks.data, numbers.alive.values(), strict=True):
            trace.update(y=[steps.peak / 1024], text=[_bytes(steps.peak)])
        for figure in (self.timeline, self.peaks):
            figure.layout.yaxis.update(type=axis, range=_ends(most.peak / 1024, axis))

    def describe(self, numbers: Steps) -> str:
        alive = numbers.alive
        peaks = ", ".join(f"{say(name)} {_bytes(steps.peak)}" for name, steps in alive.items())
        factor = alive["backpropagation"].peak / alive["LANCE"].peak
        return say(
            "Most that is kept at one moment: {peaks}. LANCE keeps {factor:.0f} times less than backpropagation; "
            "checkpointing computes each block a second time on the way back, and for a while keeps all of that block.",
            peaks=peaks,
            factor=factor,
        )

    def source(self, batch_size: int, energy: float, axis: str) -> str:
        return f"""
            from workbench.experiments import new_clothes
            from workbench.watch import STEP_RULES, bytes_in_a_step

            task = new_clothes(every={EVERY})
            alive = {{}}
            for name, rule in STEP_RULES.items():
                alive[name] = bytes_in_a_step(task, rule, batch_size={batch_size}, energy={energy})
                print(name, "keeps at most", alive[name].peak, "bytes")
        """


def _ends(most: float, axis: str) -> list[float]:
    """The ends of an axis from nothing to `most`, with room for a word above it. They stand while the energy moves."""
    return [math.log10(LEAST / 1024), math.log10(2.0 * most)] if axis == "log" else [0.0, 1.15 * most]


@lru_cache(maxsize=1)
def _task() -> Transfer:
    return new_clothes(every=EVERY)


def _controls() -> dict:
    return {
        "batch_size": choice("batch size", {str(n): n for n in (16, 32, 64, 128)}, "images in one step", "64"),
        "energy": slider(
            "energy ε", 0.7, FIRST_ENERGY, LAST_ENERGY, 0.05, "the share of each mode that HOSVD and LANCE keep"
        ),
        "axis": choice("axis", {"linear": "linear", "logarithmic": "log"}, "how the bytes are drawn"),
    }


def _timeline_figure() -> Fig:
    labelled = [k for k, name in enumerate(_NAMES) if "conv" in name or name == "loss"]  # all would not fit a phone
    middle = len(PLACES)
    traces = [
        curve(name, {**look, "shape": "hv"}, say("%{{text}}, {method}: %{{y:,.0f}} KiB kept", method=say(name)))
        for name, look in zip(STEP_RULES, LOOKS, strict=True)
    ]
    mark = {"color": GREY, "symbol": "diamond", "size": 11}
    traces.append(dots("peak", mark, "%{text}", mode="markers+text", textposition="top center", showlegend=False))
    traces[-1] |= {"textfont": {"size": 14, "color": INK}, "cliponaxis": False}
    layout = {
        "height": 420,
        "xaxis": {
            "title": {"text": "layer by layer"},
            "tickvals": labelled,
            "ticktext": [_NAMES[k] for k in labelled],
            "tickangle": -90,
            "range": [-0.5, len(_NAMES) - 0.5],
        },
        "yaxis": {"title": {"text": "kept for the gradient (KiB)"}},
        "annotations": [_word("forwards →", "left"), _word("→ backwards", "right")],
        "shapes": [{"type": "rect", "x0": middle, "x1": len(_NAMES), "y0": 0, "y1": 1, "yref": "paper", **_SHADE}],
    }
    alt = "Bytes kept for the weight gradient over one training step, forwards and backwards, for four methods"
    figure = Fig(traces, layout, alt=alt)
    figure.prediction = Prediction((0,), range(len(_NAMES)), "what backpropagation keeps", hides=(1, 2, 3, 4))
    return figure


def _word(text: str, side: str) -> dict:
    """A word at the top of the picture and at one side of it, clear of the peak on a phone too."""
    x = {"x": float(side == "right"), "xref": "paper", "xanchor": side}
    place = {**x, "y": 1.0, "yref": "paper", "yanchor": "top", "showarrow": False}
    return {"text": text, "font": {"size": 14, "color": INK}, **place}


_SHADE = {"fillcolor": FAINT, "line": {"width": 0}, "layer": "below", "opacity": 0.4}


def _peaks_figure() -> Fig:
    traces = [
        labelled_bar(name, k, FILLINGS[k], say("{method}: at most %{{text}}", method=say(name)))
        for k, name in enumerate(STEP_RULES)
    ]
    ticks = ["back-<br>propagation", "check-<br>pointing", "HOSVD at<br>every step", "LANCE"]
    layout = {
        "height": 260,
        "xaxis": {"tickvals": list(range(len(ticks))), "ticktext": ticks, "tickangle": 0, "tickfont": {"size": 11}},
        "yaxis": {"title": {"text": "peak (KiB)"}},
        "hovermode": "closest",
    }
    return Fig(traces, layout, alt="The most bytes that each method keeps at one moment of a training step")


def _bytes(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 1024:.0f} KiB"
