"""`EligibilityTimeline`: what one synapse remembers under four rules, and what a learning signal makes of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from widgets.drawing.ends import standing_ends
from widgets.drawing.figure import Fig
from widgets.drawing.handles import Handle, Pull, X, Y
from widgets.drawing.rows import curve, dots, stacked_rows
from widgets.drawing.theme import GREY, line, marker, more_and_less
from widgets.drawing.twin import Twin
from widgets.frame.controls import choice, slider, whole_slider
from widgets.frame.panel import Panel
from widgets.frame.spikes import spike_row, spike_sliders
from widgets.lessons.eligibility import ELIGIBILITY
from workbench.language import say
from workbench.neurons.stimuli import spikes_at
from workbench.neurons.synapse import (
    SynapseRule,
    SynapseRun,
    closeness,
    eprop_synapse,
    ottt_synapse,
    pair_contributions,
    run_synapse,
    signal_window,
    stdp_synapse,
    stllr_synapse,
)
from workbench.neurons.traces import Factors
from workbench.neurons.windows import PairRule

STEPS = 60
AROUND = 3  # steps round the pairs that are drawn
STLLR, EPROP, OTTT, STDP = "stllr", "eprop", "ottt", "stdp"
USED = {
    STLLR: ("decay_pre", "decay_post", "alpha_pre", "alpha_post"),
    EPROP: ("decay", "kappa"),
    OTTT: ("decay",),
    STDP: ("tau", "a_minus"),
}
PRE, POST = spike_row("pre", 3), spike_row("post", 3)
TOLD = "drag it; a click adds one, a double click removes it"
TAUGHT = ("signal_at", "signal_steps", "signal")


class Timeline(NamedTuple):
    """Spikes x and z, ψ, the signal −δ, the synapse step by step, and what each pair of steps adds to the weight."""

    rule: SynapseRule
    x: Tensor
    z: Tensor
    psi: Tensor
    signal: Tensor
    run: SynapseRun
    pairs: Tensor


class EligibilityTimeline(Panel):
    """Two neurons fire, a synapse remembers, a learning signal comes, the weight changes: under one of four rules.

    Controls: rule; decay_pre, decay_post, alpha_pre, alpha_post (S-TLLR); decay, kappa (OTTT, e-prop); tau, a_minus
    (pair STDP); pre_spikes, pre_1 to pre_3, post_spikes, post_1 to post_3, width; signal_at, signal_steps, signal. In
    the hand: the spikes (a click adds one, a double click removes it), and both ends of the learning signal.
    """

    name = "eligibility"
    title = "Eligibility"
    lesson = ELIGIBILITY

    def __init__(self, **state: Any) -> None:
        self.time, self.matrix = _time_figure(), _matrix_figure()
        controls = _controls()
        follows = tuple(name for name in controls if name != "rule")
        self.time.twin, self.matrix.twin = Twin("eligibilityTime", follows), Twin("eligibilityPairs", follows)
        super().__init__(controls, [self.time, self.matrix], state)

    def compute(self, rule: str, **values: Any) -> Timeline:
        made = _rule(rule, values)
        x, z = (spikes_at(row.placed(values), STEPS).clamp(max=1) for row in (PRE, POST))
        psi = closeness(z, values["width"])
        signal = signal_window(STEPS, values["signal_at"], values["signal_steps"], values["signal"])
        run = run_synapse(x, z, psi, signal, made)
        return Timeline(made, x, z, psi, signal, run, pair_contributions(x, z, psi, signal, made))

    def draw(self, numbers: Timeline) -> None:
        rule, _, _, psi, signal, run, pairs = numbers
        pre, post, close, causal, non_causal, taught, weight, ends = self.time.data
        for dot, row, height in ((pre, PRE, 1.0), (post, POST, 0.0)):
            fired = row.placed(self.values)
            dot.x, dot.y = fired, [height] * len(fired)
            row.show(self.controls)
        close.y, close.visible = psi.numpy() * 0.8, not rule.by_spikes
        causal.y, non_causal.y = run.causal.numpy(), run.non_causal.numpy()
        taught.y = (signal if rule.taught else signal * 0 + 1).numpy()
        first, length, height = (self.values[name] for name in TAUGHT)
        last = min(first + length, STEPS) - 1
        ends.x, ends.y, ends.visible = [first, last], [height, height], rule.taught
        self.time.handles = [*PRE.handles(0), *POST.handles(1), *_signal_handles(first)]
        weight.y = run.weight.numpy()
        offers = [float(end) for part in (run.causal, run.non_causal) for end in (part.min(), part.max())]
        changes = [float(run.weight.min()), float(run.weight.max())]
        self.time.layout.update(yaxis2_range=standing_ends(offers), yaxis4_range=standing_ends(changes))
        reach = float(pairs.abs().max()) or 1.0
        cells = self.matrix.data[0]
        cells.z, cells.zmin, cells.zmax = pairs.numpy(), -reach, reach
        self.matrix.layout.update(xaxis_range=_around(pairs, 0), yaxis_range=_around(pairs, 1))
        shown = dict.fromkeys(sum(USED.values(), ()), False) | dict.fromkeys(USED[self.controls["rule"].value], True)
        shown |= dict.fromkeys(TAUGHT, rule.taught) | {"width": not rule.by_spikes}
        for name, on in shown.items():
            self.controls[name].layout.display = "" if on else "none"

    def describe(self, numbers: Timeline) -> str:
        rule, run, pairs = numbers.rule, numbers.run, numbers.pairs
        total, below = float(run.weight[-1]), float(pairs.tril().sum())
        taught = numbers.signal.nonzero()[:, 0]
        return say(
            "Pre fires at {pre}, post at {post}. {signal} The weight changes by {total}: {below} from pairs where pre "
            "came first or together, {above} from pairs where post came first.",
            pre=_steps(numbers.x),
            post=_steps(numbers.z),
            signal=_signal(rule, run, taught),
            total=_signed(total),
            below=_signed(below),
            above=_signed(total - below),
        )

    def source(self, rule: str, **values: Any) -> str:
        makers = {STLLR: "stllr_synapse", EPROP: "eprop_synapse", OTTT: "ottt_synapse", STDP: "stdp_synapse"}
        pre, post = (row.placed(values) for row in (PRE, POST))
        signal = f"{values['signal_at']}, {values['signal_steps']}, {values['signal']}"
        return f"""
            from workbench.neurons import Factors, PairRule, spikes_at
            from workbench.neurons import closeness, pair_contributions, run_synapse, signal_window, {makers[rule]}

            x = spikes_at({pre}, {STEPS}).clamp(max=1)
            z = spikes_at({post}, {STEPS}).clamp(max=1)
            psi = closeness(z, {values["width"]})
            signal = signal_window({STEPS}, {signal})
            rule = {makers[rule]}({_arguments(rule, values)})
            run = run_synapse(x, z, psi, signal, rule)
            pairs = pair_contributions(x, z, psi, signal, rule)
            print("weight change by traces and by all pairs:", float(run.weight[-1]), float(pairs.sum()))
        """


def _rule(name: str, values: dict[str, Any]) -> SynapseRule:
    makers: dict[str, Callable[[], SynapseRule]] = {
        STLLR: lambda: stllr_synapse(_factors(values)),
        EPROP: lambda: eprop_synapse(values["decay"], values["kappa"]),
        OTTT: lambda: ottt_synapse(values["decay"]),
        STDP: lambda: stdp_synapse(_pair(values)),
    }
    return makers[name]()


def _arguments(name: str, values: dict[str, Any]) -> str:
    """The same as code."""
    decays = {EPROP: f"{values['decay']}, {values['kappa']}", OTTT: f"{values['decay']}"}
    return decays.get(name, str(_factors(values) if name == STLLR else _pair(values)))


def _factors(values: dict[str, Any]) -> Factors:
    return Factors(*(values[name] for name in ("decay_post", "decay_pre", "alpha_post", "alpha_pre")))


def _pair(values: dict[str, Any]) -> PairRule:
    return PairRule(1.0, values["a_minus"], values["tau"], values["tau"])


def _controls() -> dict:
    rules = {"S-TLLR": STLLR, "e-prop": EPROP, "OTTT": OTTT, "pair STDP": STDP}
    last = STEPS - 1
    pre, post = "when the neuron before the synapse fires", "when the neuron behind the synapse fires"
    return {
        "rule": choice("rule", rules, "what the synapse remembers"),
        "decay_pre": slider("decay λ_pre", 0.9, 0.0, 1.0, 0.01, "the fraction of the pre trace kept per step"),
        "decay_post": slider("decay λ_post", 0.8, 0.0, 1.0, 0.01, "the fraction of the post trace kept per step"),
        "alpha_pre": slider("factor α_pre", 1.0, -1.0, 1.0, 0.05, "weight of the causal term"),
        "alpha_post": slider("factor α_post", -0.5, -1.0, 1.0, 0.05, "weight of the non-causal term"),
        "decay": slider("decay γ", 0.9, 0.0, 1.0, 0.01, "of the membrane, and so of the memory of the input"),
        "kappa": slider("decay κ", 0.8, 0.0, 1.0, 0.01, "of the readout, by which e-prop filters its eligibility"),
        "tau": slider("time constant τ (steps)", 10.0, 1.0, 50.0, 1.0, "how long a spike is remembered", 0),
        "a_minus": slider("amplitude A₋", 1.0, 0.0, 2.0, 0.05, "weight lost by a pair in which post came first"),
        **spike_sliders("pre", (10, 34, 50), 2, last, pre),
        **spike_sliders("post", (16, 30, 55), 2, last, post),
        "width": slider("width of ψ (steps)", 4.0, 1.0, 12.0, 1.0, "how long before and after a spike ψ is above 0", 0),
        "signal_at": whole_slider("signal from (step)", 18, 0, last, "when the learning signal begins"),
        "signal_steps": whole_slider("signal length (steps)", 18, 1, STEPS, "for how many steps it stays"),
        "signal": slider("signal −δ", 1.0, -1.0, 1.0, 0.1, "positive: the neuron should fire more", 1),
    }


def _signal_handles(first: int) -> list[Handle]:
    """The first step of the signal moves it as a whole, the last one makes it longer or shorter."""
    length = Pull(X, lambda step: step - first + 1)
    return [Handle(7, 0, {"signal_at": Pull(X), "signal": Pull(Y)}), Handle(7, 1, {"signal_steps": length})]


def _time_figure() -> Fig:
    steps = list(range(STEPS))
    large, stairs = {"size": 12}, {**line(2), "dash": "solid", "shape": "hv"}
    grey = {"color": GREY, "dash": "dot", "width": 1.5}
    traces = [
        dots("pre spikes x", marker(0) | large, f"pre spike at step %{{x}}<br>{TOLD}"),
        dots("post spikes z", marker(1) | large, f"post spike at step %{{x}}<br>{TOLD}"),
        curve("ψ", grey, "ψ: how close the post neuron is to firing, drawn at 0.8 of its height: %{y:.2f}", x=steps),
        curve("causal part", line(0), "causal part of the eligibility: %{y:.3f}", 1, x=steps),
        curve("non-causal part", line(1), "non-causal part of the eligibility: %{y:.3f}", 1, x=steps),
        curve("learning signal −δ", {**line(3), "shape": "hvh"}, "learning signal −δ = %{y:.1f}", 2, x=steps),
        curve("weight change", stairs, "weight change so far %{y:.3f}", 3, x=steps),
        dots("ends of the signal", marker(3), "drag: when the signal comes, and how strong it is", 2, showlegend=False),
    ]
    layout = stacked_rows(["spikes", "eligibility", "−δ", "Δw"], [2, 4, 1.5, 3], "time t (steps)")
    layout["xaxis"]["range"] = [-1, STEPS]
    layout["yaxis"].update(range=[-0.4, 1.5], tickvals=[0, 1], ticktext=["post", "pre"])
    layout["yaxis3"].update(range=[-1.3, 1.3], tickvals=[-1, 0, 1])
    alt = "Spikes of two neurons, the eligibility of their synapse, the learning signal and the weight change over time"
    return Fig(traces, {**layout, "height": 520}, alt=alt)


def _matrix_figure() -> Fig:
    steps = list(range(STEPS))
    hover = "pre at step %{x}, post at step %{y}: adds %{z:.3f} to the weight<extra></extra>"
    bar = {"title": {"text": "adds to Δw"}, "thickness": 12}
    heat = {"type": "heatmap", "x": steps, "y": steps, "z": np.zeros((STEPS, STEPS)), "hovertemplate": hover}
    heat |= {"name": "pairs", "colorscale": more_and_less(), "zmid": 0.0, "colorbar": bar}
    diagonal = {"color": GREY, "dash": "dot", "width": 1.5}
    together = curve("both at the same step", diagonal, "both at step %{x}", x=[0, STEPS - 1], y=[0, STEPS - 1])
    layout = {
        "xaxis": {"title": {"text": "pre: step of x"}, "showgrid": False, "range": [-0.5, STEPS - 0.5]},
        "yaxis": {"title": {"text": "post: step of ψ or z"}, "showgrid": False, "range": [-0.5, STEPS - 0.5]},
        "hovermode": "closest",
        "height": 340,
    }
    return Fig([heat, together], layout, alt="What each pair of a pre step and a post step adds to the weight")


def _around(pairs: Tensor, axis: int) -> list[float]:
    """The ends of an axis of the matrix that shows every pair which counts; all steps where none does."""
    steps = pairs.abs().amax(axis).nonzero()[:, 0]
    if not len(steps):
        return [-0.5, STEPS - 0.5]
    return [max(int(steps[0]) - AROUND, 0) - 0.5, min(int(steps[-1]) + AROUND, STEPS - 1) + 0.5]


def _steps(train: Tensor) -> str:
    return say("step {steps}", steps=say(" and ").join(map(str, train.nonzero()[:, 0].tolist())))


def _signal(rule: SynapseRule, run: SynapseRun, taught: Tensor) -> str:
    if not rule.taught:
        return say("Nobody teaches: every pair counts at once.")
    if not len(taught):
        return say("There is no learning signal, so nothing is learned.")
    first = int(taught[0])
    found = float((run.causal + run.non_causal)[first])
    return say(
        "When the learning signal comes at step {step}, the synapse remembers {found}.",
        step=first,
        found=_signed(found),
    )


def _signed(change: float) -> str:
    """Three digits with a sign, and no minus before a zero."""
    return f"{round(change, 3) + 0.0:+.3f}"
