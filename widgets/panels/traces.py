"""`TraceDecay`: how one number per neuron stands for all the spikes that it has seen."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from widgets.drawing.ends import standing_ends
from widgets.drawing.figure import Fig
from widgets.drawing.prediction import Prediction
from widgets.drawing.rows import curve, dots, stacked_rows, stems
from widgets.drawing.theme import GREY, line, marker
from widgets.drawing.twin import Twin
from widgets.frame.controls import choice, slider, whole_slider
from widgets.frame.panel import Panel
from widgets.frame.spikes import SpikeRow
from widgets.lessons.traces import TRACES
from workbench.language import say
from workbench.neurons.decay import geometric_limit, half_life, single_traces
from workbench.neurons.stimuli import random_spikes, regular_spikes, spikes_at
from workbench.neurons.traces import decay_matrix, post_trace, run_trace

STEPS = 80
ROW = SpikeRow("count", ("first", "second", "third"))
RANDOM, PLACED, ALWAYS = "random", "placed", "always"


class Memory(NamedTuple):
    """Spikes x, both traces by recursion and by the sum over all spikes, and each spike's own part of q as a row."""

    decays: tuple[float, float]
    x: Tensor
    q: Tensor
    h: Tensor
    q_by_sum: Tensor
    h_by_sum: Tensor
    parts: Tensor


class TraceDecay(Panel):
    """A spike train and its two traces: q with the decay λ_pre and the present, h with λ_post and without it.

    Controls: spikes, seed, interval, count, first, second, third, decay_pre, decay_post. In the hand: spikes that are
    placed (a click adds one, a double click removes it).
    """

    name = "trace"
    title = "Trace"
    lesson = TRACES

    def __init__(self, **state: Any) -> None:
        self.fig = _figure()
        super().__init__(_controls(), [self.fig], state)

    def compute(
        self, spikes: str, seed: int, interval: int, decay_pre: float, decay_post: float, **placed: int
    ) -> Memory:
        trains = {
            RANDOM: lambda: random_spikes(STEPS, interval, seed),
            PLACED: lambda: spikes_at(ROW.placed(placed), STEPS),
            ALWAYS: lambda: regular_spikes(STEPS, 1),
        }
        x = trains[spikes]()
        q_by_sum = decay_matrix(STEPS, decay_pre, x) @ x
        h_by_sum = decay_matrix(STEPS, decay_post, x) @ x - x
        traces = run_trace(x, decay_pre), post_trace(x, decay_post)
        return Memory((decay_pre, decay_post), x, *traces, q_by_sum, h_by_sum, single_traces(x, decay_pre))

    def draw(self, numbers: Memory) -> None:
        decays, x, q, h, q_by_sum, h_by_sum, parts = numbers
        spikes, *drawn, q_limit, h_limit, rows = self.fig.data
        placed = self.values["spikes"] == PLACED
        fired = torch.tensor(ROW.placed(self.values)) if placed else x.nonzero()[:, 0]
        self.fig.handles = ROW.handles(0) if placed else ()
        self.fig.given = {"x": x.tolist()}
        spikes.update(x=fired.numpy(), y=x[fired].numpy())
        for trace, values in zip(drawn, (q, h, q_by_sum, h_by_sum), strict=True):
            trace.y = values.numpy()
        kind = self.controls["spikes"].value
        highest = [float(q.max()), float(h.max())]
        for trace, decay, present in ((q_limit, decays[0], 0.0), (h_limit, decays[1], 1.0)):
            limit = geometric_limit(decay) - present
            highest += [limit] if kind == ALWAYS else []
            trace.update(y=[limit] * 2 if decay < 1.0 else [], visible=kind == ALWAYS)
        self.fig.layout.yaxis2.range = standing_ends(highest)
        rows.update(**_one_line(parts.numpy()))
        for name in ("seed", "interval"):
            self.controls[name].layout.display = "" if kind == RANDOM else "none"
        for k, name in enumerate((ROW.number, *ROW.times)):
            in_use = placed and k <= self.controls[ROW.number].value
            self.controls[name].layout.display = "" if in_use else "none"

    def describe(self, numbers: Memory) -> str:
        (pre, post), x, q, h, q_by_sum, h_by_sum, _ = numbers
        difference = max(float((q - q_by_sum).abs().max()), float((h - h_by_sum).abs().max()))
        count, last = int(x.sum()), len(x) - 1
        told = say(
            "At step {last} one number each stands for all {count} spikes: q = {q:.2f} with the present spike, h = "
            "{h:.2f} without it, as the neuron behind the synapse needs.",
            last=last,
            count=count,
            q=float(q[-1]),
            h=float(h[-1]),
        )
        return f"{told} {_agreement(difference)} {_forgetting(pre, post)} {_limit(pre)}"

    def source(self, spikes: str, seed: int, interval: int, decay_pre: float, decay_post: float, **placed: int) -> str:
        name, train = {
            RANDOM: ("random_spikes", f"random_spikes(steps={STEPS}, interval={interval}, seed={seed})"),
            PLACED: ("spikes_at", f"spikes_at({ROW.placed(placed)}, steps={STEPS})"),
            ALWAYS: ("regular_spikes", f"regular_spikes(steps={STEPS}, interval=1)"),
        }[spikes]
        return f"""
            from workbench.neurons import decay_matrix, geometric_limit, half_life, post_trace, run_trace, {name}

            x = {train}
            q = run_trace(x, decay={decay_pre})
            h = post_trace(x, decay={decay_post})
            q_by_sum = decay_matrix(len(x), {decay_pre}, x) @ x
            h_by_sum = decay_matrix(len(x), {decay_post}, x) @ x - x
            print("largest difference:", float((q - q_by_sum).abs().max()), float((h - h_by_sum).abs().max()))
            print("q halves every", half_life({decay_pre}), "steps and stays below", geometric_limit({decay_pre}))
        """


def _controls() -> dict:
    trains = {"random": RANDOM, "three spikes": PLACED, "at every step": ALWAYS}
    placed = "when this spike comes, in steps"
    return {
        "spikes": choice("spikes x", trains, "when the neuron fires", "three spikes"),
        "seed": whole_slider("seed", 0, 0, 20, "another seed draws other random spikes"),
        "interval": whole_slider("interval (steps)", 8, 2, 40, "from one random spike to the next, on average"),
        "count": whole_slider("spikes placed", 3, 1, 3, "how many of the three spikes there are"),
        "first": whole_slider("first spike (step)", 10, 0, STEPS - 1, placed),
        "second": whole_slider("second spike (step)", 20, 0, STEPS - 1, placed),
        "third": whole_slider("third spike (step)", 24, 0, STEPS - 1, placed),
        "decay_pre": slider("decay λ_pre", 0.9, 0.0, 1.0, 0.01, "the fraction of q kept from one step to the next"),
        "decay_post": slider("decay λ_post", 0.5, 0.0, 1.0, 0.01, "the fraction of h kept from one step to the next"),
    }


def _figure() -> Fig:
    steps, ends = list(range(STEPS)), [0, STEPS - 1]
    circle, cross = ({**marker(k), "size": 6, "symbol": f"{marker(k)['symbol']}-open"} for k in (0, 1))
    alone = {**line(4), "width": 1, "dash": "solid"}
    traces = [
        stems("spikes x", GREY, "%{y:.0f} spike", showlegend=False),
        curve("q by recursion", line(0), "pre trace q = %{y:.3f}, with the present", 1, x=steps),
        curve("h by recursion", line(1), "post trace h = %{y:.3f}, without the present", 1, x=steps),
        dots("q by the sum over all spikes", circle, "the sum over all spikes: %{y:.3f}", 1, x=steps),
        dots("h by the sum over all spikes", cross, "the sum over all earlier spikes: %{y:.3f}", 1, x=steps),
        curve("limit of q", line(2), "q cannot pass 1/(1 − λ_pre) = %{y:.2f}", 1, x=ends),
        curve("limit of h", line(3), "h cannot pass λ_post/(1 − λ_post) = %{y:.2f}", 1, x=ends),
        curve("each spike on its own", alone, "what one spike adds to q: %{y:.3f}", 2, showlegend=False),
    ]
    layout = stacked_rows(["x", "q, h (dimensionless)", "parts of q"], [1, 6, 3], "time t (steps)")
    layout["xaxis"]["range"] = [-1, STEPS]
    layout["yaxis"].update(range=[0, 3.6], tickvals=[0, 1, 2, 3])
    layout["yaxis3"]["range"] = [0, 1.05]
    alt = "Spikes over time, the traces that they leave, and the part of each spike in the trace"
    figure = Fig(traces, {**layout, "height": 520}, alt=alt)
    figure.prediction = Prediction((1,), steps, "q", hides=(2, 3, 4, 5, 6, 7))
    figure.twin = Twin("traces", ("decay_pre", "decay_post", ROW.number, *ROW.times))
    return figure


def _one_line(parts: np.ndarray) -> dict:
    """All rows as one line with gaps, each from its spike until it is too small to see."""
    spikes, steps = np.nonzero(parts > 0.005)
    ends = np.flatnonzero(np.diff(spikes)) + 1
    return {"x": np.insert(steps.astype(float), ends, np.nan), "y": np.insert(parts[spikes, steps], ends, np.nan)}


def _forgetting(pre: float, post: float) -> str:
    """How long q and h remember."""
    if pre == post == 1.0:
        return say("q and h forget nothing.")
    if pre == 1.0:
        return say("q forgets nothing, h halves every {h:.1f} steps.", h=half_life(post))
    if post == 1.0:
        return say("q halves every {q:.1f} steps, h forgets nothing.", q=half_life(pre))
    return say("q halves every {q:.1f} steps, h every {h:.1f}.", q=half_life(pre), h=half_life(post))


def _limit(pre: float) -> str:
    if pre == 1.0:
        return say("A spike at every step would let q grow without end.")
    limit = geometric_limit(pre)
    return say("A spike at every step would take q up to 1/(1 − λ_pre) = {limit:.1f}.", limit=limit)


def _agreement(difference: float) -> str:
    if difference < 1e-9:
        return say("The recursion and the sum over all spikes give the same trace.")
    return say("The recursion and the sum over all spikes differ by {difference:.1g}.", difference=difference)
