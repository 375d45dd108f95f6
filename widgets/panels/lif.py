"""`LIFExplorer`: what a leaky integrate-and-fire neuron makes of its input."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from widgets.drawing.figure import Fig
from widgets.drawing.handles import Handle, Pull, Y
from widgets.drawing.prediction import Prediction
from widgets.drawing.rows import curve, dots, stacked_rows, stems
from widgets.drawing.theme import FAINT, GREY, line, marker
from widgets.drawing.twin import Twin
from widgets.frame.controls import choice, slider, whole_slider
from widgets.frame.panel import Panel
from widgets.frame.spikes import spike_row, spike_sliders
from widgets.lessons.lif import LIF
from workbench.language import say
from workbench.neurons.decay import time_constant
from workbench.neurons.firing import firing_rate, spike_intervals, threshold_current
from workbench.neurons.lif import Membrane, Neuron, hard_reset, run_lif, soft_reset
from workbench.neurons.stimuli import constant_current, random_spikes, regular_spikes, spikes_at

STEPS = 100
CONSTANT, REGULAR, RANDOM, PLACED = "constant", "regular", "random", "placed"
ROW = spike_row("input", 5)
TOLD = "drag it; a click adds one, a double click removes it"
RESETS = {reset.__name__: reset for reset in (soft_reset, hard_reset)}
MOVING = ("strength", "decay", "threshold", "reset", ROW.number, *ROW.times)  # controls that the page follows by itself


_THRESHOLD = Handle(2, None, {"threshold": Pull(Y)})


class Response(NamedTuple):
    """The neuron, its input and what it does; `rest` is u⁺ of every step, `rates` the f–I curve over `currents`.

    The current is the strength times the train x.
    """

    neuron: Neuron
    train: Tensor
    current: Tensor
    membrane: Membrane
    rest: Tensor
    currents: Tensor
    rates: Tensor


class LIFExplorer(Panel):
    """Input current, membrane and spikes of one LIF neuron, and its firing rate for every constant current.

    Controls: input, strength, interval, seed, decay, threshold, reset, input_spikes, input_1 to input_5. In the hand:
    the threshold, and input spikes that are placed (a click adds one, a double click removes it).
    """

    name = "lif"
    title = "Neuron"
    lesson = LIF

    def __init__(self, **state: Any) -> None:
        self.time = _time_figure()
        self.rate = _rate_figure()
        super().__init__(_controls(), [self.time, self.rate], state)

    def compute(
        self,
        input: str,
        strength: float,
        interval: int,
        seed: int,
        decay: float,
        threshold: float,
        reset: str,
        **placed: int,
    ) -> Response:
        trains = {
            CONSTANT: lambda: constant_current(STEPS, 1.0),
            REGULAR: lambda: regular_spikes(STEPS, interval),
            RANDOM: lambda: random_spikes(STEPS, interval, seed),
            PLACED: lambda: spikes_at(ROW.placed(placed), STEPS),
        }
        neuron = Neuron(decay, threshold)
        train = trains[input]()
        current = strength * train
        currents = torch.linspace(0.0, max(strength, 1.5 * threshold), 61, dtype=torch.float64)
        both = torch.cat([current[:, None], currents.expand(STEPS, -1)], 1)  # the neuron, and one for each current
        spikes, potential, last = run_lif(both, neuron, reset=RESETS[reset])
        membrane = Membrane(spikes[:, 0], potential[:, 0], last[0])
        rest = RESETS[reset](membrane.potential, membrane.spikes, threshold)
        return Response(neuron, train, current, membrane, rest, currents, firing_rate(spikes[:, 1:]))

    def draw(self, numbers: Response) -> None:
        neuron, _, current, (spikes, potential, _), rest, currents, rates = numbers
        fired = spikes.nonzero()[:, 0]
        area, membrane, level, before, after, ticks, arrivals = self.time.data
        area.y, before.y, after.y = current.numpy(), potential.numpy(), rest.numpy()
        membrane.update(**_with_drops(potential.numpy(), rest.numpy(), fired.numpy()))
        level.update(y=[neuron.threshold] * 2)
        ticks.update(x=fired.numpy(), y=spikes[fired].numpy())
        rate, edge, here = self.rate.data
        rate.update(x=currents.numpy(), y=rates.numpy())
        edge.update(x=[threshold_current(neuron)] * 2)
        here.update(x=[float(current.mean())], y=[float(firing_rate(spikes))])
        kind = self.controls["input"].value
        times = ROW.placed(self.values) if kind == PLACED else []
        arrivals.update(x=times, y=current[times].numpy())
        self.time.given = self.rate.given = {"x": numbers.train.tolist()}
        self.time.handles = [_THRESHOLD, *(ROW.handles(6) if kind == PLACED else ())]
        ROW.show(self.controls, kind == PLACED)
        self.controls["interval"].layout.display = "" if kind in (REGULAR, RANDOM) else "none"
        self.controls["seed"].layout.display = "" if kind == RANDOM else "none"

    def describe(self, numbers: Response) -> str:
        return f"{_activity(numbers)} {_memory(numbers.neuron.decay)}"

    def source(
        self,
        input: str,
        strength: float,
        interval: int,
        seed: int,
        decay: float,
        threshold: float,
        reset: str,
        **placed: int,
    ) -> str:
        name, train = {
            CONSTANT: ("constant_current", f"constant_current(steps={STEPS}, strength=1.0)"),
            REGULAR: ("regular_spikes", f"regular_spikes(steps={STEPS}, interval={interval})"),
            RANDOM: ("random_spikes", f"random_spikes(steps={STEPS}, interval={interval}, seed={seed})"),
            PLACED: ("spikes_at", f"spikes_at({ROW.placed(placed)}, steps={STEPS})"),
        }[input]
        return f"""
            import torch
            from workbench.neurons import Neuron, firing_rate, rate_curve, run_lif, threshold_current
            from workbench.neurons import {name}, {reset}

            neuron = Neuron(decay={decay}, threshold={threshold})
            current = {strength} * {train}
            membrane = run_lif(current, neuron, reset={reset})
            print("spikes per step:", float(firing_rate(membrane.spikes)))
            print("fires at constant currents above", threshold_current(neuron))

            currents = torch.linspace(0.0, {max(strength, 1.5 * threshold)}, 61, dtype=torch.float64)
            rates = rate_curve(currents, neuron, {reset}, steps={STEPS})
        """


def _controls() -> dict:
    inputs = {
        "constant current": CONSTANT,
        "regular spikes": REGULAR,
        "random spikes": RANDOM,
        "spikes you place": PLACED,
    }
    resets = {"soft: subtract v_th": "soft_reset", "hard: back to 0": "hard_reset"}
    return {
        "input": choice("input", inputs, "what arrives: one steady current, or spikes through one synapse"),
        "strength": slider(
            "strength I", 0.1, 0.0, 2.0, 0.01, "the constant current, or what each input spike adds to u"
        ),
        "interval": whole_slider("interval (steps)", 10, 1, 40, "from one input spike to the next, on average"),
        "seed": whole_slider("seed", 0, 0, 20, "another seed draws other random input spikes"),
        "decay": slider("decay γ", 0.9, 0.0, 1.0, 0.01, "the fraction of the membrane kept from one step to the next"),
        "threshold": slider("threshold v_th", 0.6, 0.1, 2.0, 0.05, "the neuron fires when u is above it"),
        "reset": choice("reset", resets, "what a spike takes away from the membrane"),
        **spike_sliders("input", (10, 15, 20, 50, 70), 3, STEPS - 1, "when this input spike arrives"),
    }


def _time_figure() -> Fig:
    steps, ends = list(range(STEPS)), [0, STEPS - 1]
    area = {"color": GREY, "width": 1, "shape": "hvh"}
    to_read = {"opacity": 0.0, "showlegend": False}  # by the pointer: at a spike the line has two values
    traces = [
        curve(
            "input I", area, "input current I = %{y:.2f}", x=steps, fill="tozeroy", fillcolor=FAINT, showlegend=False
        ),
        curve("membrane u", line(0), "", 1, hoverinfo="skip", hovertemplate=None),
        curve("threshold v_th", line(1), "threshold v_th = %{y:.2f}", 1, x=ends),
        dots("before the reset", marker(0), "membrane before the reset u = %{y:.3f}", 1, x=steps, **to_read),
        dots("after the reset", marker(0), "after it u⁺ = %{y:.3f}", 1, x=steps, **to_read),
        stems("spikes z", line(3)["color"], "spike z = 1", 2, showlegend=False),
        dots("input spikes", {"color": GREY, "size": 9}, f"input spike: {TOLD}", showlegend=False),
    ]
    titles = ["I (dimensionless)", "u (dimensionless)", "spikes z"]
    layout = stacked_rows(titles, [3, 6, 1.5], "time t (steps)")
    layout["xaxis"]["range"] = [-0.5, STEPS - 0.5]
    layout["yaxis"]["rangemode"] = layout["yaxis2"]["rangemode"] = "tozero"
    layout["yaxis3"].update(range=[0, 1.4], tickvals=[0, 1])
    alt = "Three rows over time: input current, membrane potential with its threshold, and spikes"
    figure = Fig(traces, {**layout, "height": 460}, alt=alt)
    figure.prediction = Prediction((3,), steps, "the membrane u", hides=(1, 5))
    figure.twin = Twin("neuronTime", MOVING)
    return figure


def _with_drops(potential: np.ndarray, rest: np.ndarray, fired: np.ndarray) -> dict:
    """The membrane as one line over the steps, which drops from u to u⁺ at each spike."""
    steps = np.arange(len(potential))
    return {"x": np.insert(steps, fired + 1, fired), "y": np.insert(potential, fired + 1, rest[fired])}


def _rate_figure() -> Fig:
    edge = "weakest current that fires, v_th (1 − γ)"
    traces = [
        curve("rate at a constant current", line(0), "I = %{x:.3f}: %{y:.2f} spikes per step"),
        curve(edge, line(1), "fires above I = v_th (1 − γ) = %{x:.3f}", y=[0, 1]),
        dots("the neuron above", {**marker(3), "size": 13}, "mean input %{x:.3f}: %{y:.2f} spikes per step"),
    ]
    layout = {
        "height": 280,
        "xaxis": {"title": {"text": "mean input current I (dimensionless)"}},
        "yaxis": {"title": {"text": "spikes per step"}, "range": [-0.05, 1.05]},
        "hovermode": "closest",
    }
    figure = Fig(traces, layout, alt="Firing rate against constant input current, and where the neuron above stands")
    figure.twin = Twin("neuronRate", MOVING)
    return figure


def _activity(numbers: Response) -> str:
    """Silent, tonic or irregular, and why."""
    neuron, _, current, (spikes, potential, _), *_ = numbers
    steps, count, needed = len(current), int(spikes.sum()), threshold_current(neuron)
    if not count:
        return say(
            "Silent: in {steps} steps the membrane u reaches {most:.2f} and not more than the threshold v_th = "
            "{threshold:.2f}; a constant current must exceed v_th (1 − γ) = {needed:.3f}.",
            steps=steps,
            most=float(potential.max()),
            threshold=neuron.threshold,
            needed=needed,
        )
    rate = float(firing_rate(spikes))
    told = say("{pattern} (rate {rate:.2f} spikes per step).", pattern=_pattern(spikes), rate=rate)
    if float(current.mean()) <= needed:
        told += say(
            " Spread evenly, this input of {mean:.3f} per step would be too weak: it takes more than {needed:.3f}.",
            mean=float(current.mean()),
            needed=needed,
        )
    return told


def _pattern(spikes: Tensor) -> str:
    intervals = spike_intervals(spikes)
    if not len(intervals):
        return say("One spike in {steps} steps, at step {step}", steps=len(spikes), step=int(spikes.argmax()))
    shortest, longest = int(intervals.min()), int(intervals.max())
    if shortest == longest:
        if longest == 1:
            return say("Tonic firing: at every step")
        return say("Tonic firing: one spike every {steps} steps", steps=longest)
    ends = {"shortest": shortest, "longest": longest}
    if longest - shortest == 1:
        return say("Tonic firing: spikes {shortest} to {longest} steps apart", **ends)
    return say("Irregular firing: spikes {shortest} to {longest} steps apart", **ends)


def _memory(decay: float) -> str:
    if decay == 1.0:
        return say("With γ = 1 the membrane forgets nothing.")
    if decay == 0.0:
        return say("With γ = 0 the membrane forgets everything at each step.")
    return say(
        "With γ = {decay:.2f} it forgets with a time constant of {tau:.1f} steps (−1/ln γ).",
        decay=decay,
        tau=time_constant(decay),
    )
