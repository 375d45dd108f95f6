"""`STDPWindow`: what the order of two spikes does to a weight, by pairs of spike times and by traces."""

import math
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from widgets.drawing.figure import Fig
from widgets.drawing.handles import Handle, Pull, X, Y
from widgets.drawing.prediction import Prediction
from widgets.drawing.rows import curve, dots, stacked_rows
from widgets.drawing.theme import GREY, line, marker
from widgets.drawing.twin import Twin
from widgets.frame.controls import button, choice, is_setting, slider, switch
from widgets.frame.panel import Panel
from widgets.frame.spikes import spike_row, spike_sliders
from widgets.lessons.stdp import STDP
from workbench.language import say
from workbench.neurons.stimuli import spikes_at
from workbench.neurons.traces import Factors
from workbench.neurons.windows import (
    PairRule,
    change_by_pairs,
    change_by_traces,
    factors_of,
    stllr_window,
    window_by_traces,
)

STEPS = 100
REACH = 60  # lags on either side of the window
PAIR, GENERAL = "pair", "general"
PAIR_CONTROLS = ("a_plus", "a_minus", "tau_plus", "tau_minus")
GENERAL_CONTROLS = ("form", "decay_pre", "decay_post", "alpha_pre", "alpha_post")
TOLD = "drag it; a click adds one, a double click removes it"
PRE, POST = spike_row("pre", 3), spike_row("post", 3)
PRESETS = {"antisymmetric": -1.0, "causal_only": 0.0, "symmetric": 1.0}  # buttons that set α_post


class Timing(NamedTuple):
    """The window by formula and by traces over `lags`, the pairs of the spikes, and their weight change over time."""

    factors: Factors
    pre: Tensor
    post: Tensor
    lags: Tensor
    window: Tensor
    window_by_traces: Tensor
    pair_lags: Tensor
    pair_changes: Tensor
    by_traces: Tensor
    by_pairs: Tensor


class STDPWindow(Panel):
    """The timing window of pair STDP or of S-TLLR, and the weight change of up to three spikes on either side.

    Controls: rule, causal, non_causal; a_plus, a_minus, tau_plus, tau_minus (pair STDP); form, decay_pre, decay_post,
    alpha_pre, alpha_post (S-TLLR); pre_spikes, pre_1 to pre_3, post_spikes, post_1 to post_3. In the hand: the spikes
    (a click adds one, a double click removes it), and the height and reach of either side of the window.
    """

    name = "stdp"
    title = "Timing"
    lesson = STDP

    former: ClassVar = {"spikes": ("pre_spikes", "post_spikes")}

    def __init__(self, **state: Any) -> None:
        self.window, self.time = _window_figure(), _time_figure()
        controls = _controls()
        for preset, value in PRESETS.items():
            controls[preset].on_click(lambda _, value=value: setattr(controls["alpha_post"], "value", value))
        followed = tuple(name for name, control in controls.items() if is_setting(control))
        self.window.twin, self.time.twin = Twin("timingWindow", followed), Twin("timingSteps", followed)
        super().__init__(controls, [self.window, self.time], state)

    def compute(self, rule: str, form: bool, causal: bool, non_causal: bool, **values: Any) -> Timing:
        factors = _general(values) if rule == GENERAL else factors_of(_pair(values))
        factors = factors._replace(alpha_pre=causal * factors.alpha_pre, alpha_post=non_causal * factors.alpha_post)
        released = form and rule == GENERAL
        pre, post = (torch.tensor(row.placed(values)) for row in (PRE, POST))
        lags = torch.arange(-REACH, REACH + 1)
        pair_lags = (post[:, None] - pre).flatten()
        return Timing(
            factors,
            pre,
            post,
            lags,
            stllr_window(lags.double(), factors, released),
            window_by_traces(lags, factors, released),
            pair_lags,
            stllr_window(pair_lags.double(), factors, released),
            change_by_traces(spikes_at(pre.tolist(), STEPS), spikes_at(post.tolist(), STEPS), factors, released),
            change_by_pairs(pre, post, STEPS, factors, released),
        )

    def draw(self, numbers: Timing) -> None:
        lags, window, measured = (each.numpy() for each in (numbers.lags, numbers.window, numbers.window_by_traces))
        non_causal, causal, by_traces, pairs, grips = self.window.data
        non_causal.update(x=lags[:REACH], y=window[:REACH])
        causal.update(x=lags[REACH:], y=window[REACH:])
        by_traces.update(x=lags[::4], y=measured[::4])
        pairs.update(x=numbers.pair_lags.numpy(), y=numbers.pair_changes.numpy())
        general = self.values["rule"] == GENERAL
        self.window.handles = _window_handles(general)
        grips.update(**_window_grips(numbers.factors))
        pre, post, change, steps = self.time.data
        pre.update(x=numbers.pre.numpy(), y=[1] * len(numbers.pre))
        post.update(x=numbers.post.numpy(), y=[0] * len(numbers.post))
        change.y = numbers.by_traces.numpy()
        later = torch.cat([numbers.pre, numbers.post]).unique()
        steps.update(x=later.numpy(), y=numbers.by_pairs[later].numpy())
        self._show_only_what_counts()

    def describe(self, numbers: Timing) -> str:
        causal = numbers.pair_lags >= 0
        first, second = int(causal.sum()), int((~causal).sum())
        gain, loss = (float(numbers.pair_changes[mask].sum()) for mask in (causal, ~causal))
        return say(
            "Pre spikes at {pre}, post spikes at {post}. {causal} {gain}, {non_causal} {loss}: the weight changes by "
            "{change}. {agreement}",
            pre=_list(numbers.pre),
            post=_list(numbers.post),
            causal=_causal(first),
            gain=_signed(gain),
            non_causal=_non_causal(second),
            loss=_signed(loss),
            change=_signed(float(numbers.by_pairs[-1])),
            agreement=_agreement(numbers),
        )

    def source(self, rule: str, form: bool, causal: bool, non_causal: bool, **values: Any) -> str:
        pre, post = (row.placed(values) for row in (PRE, POST))
        factors = _general(values) if rule == GENERAL else f"factors_of({_pair(values)})"
        off = [f"{name}=0.0" for name, on in (("alpha_pre", causal), ("alpha_post", non_causal)) if not on]
        without = f"._replace({', '.join(off)})" if off else ""
        return f"""
            import torch
            from workbench.neurons import Factors, PairRule, factors_of, spikes_at, stllr_window
            from workbench.neurons import change_by_pairs, change_by_traces, window_by_traces

            pre, post = torch.tensor({pre}), torch.tensor({post})
            factors = {factors}{without}
            released = {form and rule == GENERAL}
            by_pairs = change_by_pairs(pre, post, {STEPS}, factors, released)
            by_traces = change_by_traces(spikes_at({pre}, {STEPS}), spikes_at({post}, {STEPS}), factors, released)
            print("weight change by pairs and by traces:", float(by_pairs[-1]), float(by_traces[-1]))

            lags = torch.arange(-{REACH}, {REACH + 1})
            window = stllr_window(lags.double(), factors, released)
            measured = window_by_traces(lags, factors, released)
            print("largest difference of the windows:", float((window - measured).abs().max()))
        """

    def _show_only_what_counts(self) -> None:
        """Hide the controls of the other rule and the times of spikes that are not used."""
        rule = self.controls["rule"].value
        shown = dict.fromkeys(PAIR_CONTROLS, rule == PAIR)
        shown |= dict.fromkeys((*GENERAL_CONTROLS, *PRESETS), rule == GENERAL)
        for name, on in shown.items():
            self.controls[name].layout.display = "" if on else "none"
        for row in (PRE, POST):
            row.show(self.controls)


def _pair(values: dict[str, Any]) -> PairRule:
    return PairRule(*(values[name] for name in PAIR_CONTROLS))


def _general(values: dict[str, Any]) -> Factors:
    names = ("decay_post", "decay_pre", "alpha_post", "alpha_pre")
    return Factors(*(values[name] for name in names))


def _window_handles(general: bool) -> list[Handle]:
    """Height at lag 0 and the lag at which 1/e of it is left, of the causal and of the non-causal side."""
    if general:
        heights = {"alpha_pre": Pull(Y)}, {"alpha_post": Pull(Y)}
        reaches = {"decay_pre": Pull(X, _decay)}, {"decay_post": Pull(X, lambda lag: _decay(-lag))}
    else:
        heights = {"a_plus": Pull(Y)}, {"a_minus": Pull(Y, lambda change: -change)}
        reaches = {"tau_plus": Pull(X)}, {"tau_minus": Pull(X, lambda lag: -lag)}
    return [Handle(4, point, pulls) for point, pulls in enumerate((*heights, *reaches))]


def _decay(lag: float) -> float:
    """The decay of which 1/e is left after `lag` steps."""
    return math.exp(-1.0 / lag) if lag > 0.0 else 0.0


def _window_grips(factors: Factors) -> dict[str, list[float | None]]:
    """Where the four handles are; a side that is switched off has none (None, for JSON has no NaN)."""
    sides = (1, factors.alpha_pre, factors.lambda_pre), (-1, factors.alpha_post, factors.lambda_post)
    heights = [height or None for _, height, _ in sides]
    lags = [sign * (-1.0 / math.log(decay)) if 0.0 < decay < 1.0 else None for sign, _, decay in sides]
    return {"x": [0.0, 0.0, *lags], "y": [*heights, *(height and height / math.e for height in heights)]}


def _controls() -> dict:
    rules = {"pair STDP": PAIR, "S-TLLR": GENERAL}
    forms = {"paper": False, "released code": True}
    controls: dict = {
        "rule": choice("rule", rules, "which timing window"),
        "causal": switch("causal term", True, "count the pairs where the pre spike comes first or together"),
        "non_causal": switch("non-causal term", True, "count the pairs where the post spike comes first"),
        "a_plus": slider("amplitude A₊", 1.0, 0.0, 2.0, 0.05, "weight gained by a causal pair without delay"),
        "a_minus": slider("amplitude A₋", 1.0, 0.0, 2.0, 0.05, "weight lost by a non-causal pair without delay"),
        "tau_plus": slider("time constant τ₊ (ms)", 20.0, 1.0, 50.0, 1.0, "how long a pre spike is remembered", 0),
        "tau_minus": slider("time constant τ₋ (ms)", 20.0, 1.0, 50.0, 1.0, "how long a post spike is remembered", 0),
        "form": choice("non-causal form", forms, "the paper has one factor λ_post more than the released code"),
        "decay_pre": slider("decay λ_pre", 0.9, 0.0, 1.0, 0.01, "the fraction of the pre trace kept per step"),
        "decay_post": slider("decay λ_post", 0.9, 0.0, 1.0, 0.01, "the fraction of the post trace kept per step"),
        "alpha_pre": slider("factor α_pre", 1.0, -1.0, 1.0, 0.05, "weight of the causal term"),
        "alpha_post": slider("factor α_post", -1.0, -1.0, 1.0, 0.05, "weight of the non-causal term"),
        "antisymmetric": button("α_post = −1", "the classical window: pre before post gains, post before pre loses"),
        "causal_only": button("α_post = 0", "the causal term alone"),
        "symmetric": button("α_post = +1", "nearness in time counts, whichever spike comes first"),
    }
    for side, starts in (("pre", (20, 60, 80)), ("post", (28, 48, 88))):
        fires = f"when the {side}-synaptic neuron fires; a step is 1 ms"
        controls |= spike_sliders(side, starts, 2, STEPS - 1, fires)
    return controls


def _window_figure() -> Fig:
    formula, square = "lag %{x} steps: weight change %{y:.3f} by the formula", {**marker(2), "symbol": "square-open"}
    traces = [
        curve("non-causal: post first", line(1), formula),
        curve("causal: pre first", line(0), formula),
        dots("by two traces", square, "lag %{x} steps: %{y:.3f} by the traces"),
        dots("your pairs of spikes", {**marker(4), "size": 13}, "one of your pairs: lag %{x} steps, change %{y:.3f}"),
        dots("handles", {"color": GREY, "size": 5}, "drag: how high, and how far it reaches", showlegend=False),
    ]
    layout = {
        "xaxis": {"title": {"text": "lag t_post − t_pre (steps of 1 ms)"}, "range": [-REACH - 1, REACH + 1]},
        "yaxis": {"title": {"text": "weight change (dimensionless)"}},
        "hovermode": "closest",
    }
    figure = Fig(traces, layout, alt="Weight change of one pair of spikes against the lag between them")
    lags = range(-REACH, REACH + 1, 2)
    figure.prediction = Prediction((0, 1), lags, "the weight change", hides=(2, 3, 4))
    return figure


def _time_figure() -> Fig:
    large, stairs = {"size": 12}, {**line(2), "dash": "solid", "shape": "hv"}
    pairs = "step %{x}: weight change so far %{y:.3f} by all pairs"
    traces = [
        dots("pre spikes", marker(0) | large, f"pre spike at step %{{x}}<br>{TOLD}"),
        dots("post spikes", marker(1) | large, f"post spike at step %{{x}}<br>{TOLD}"),
        curve("weight by two traces", stairs, "step %{x}: weight change so far %{y:.3f}", 1, x=list(range(STEPS))),
        dots("weight by all pairs so far", marker(4) | large, pairs, 1),
    ]
    layout = stacked_rows(["spikes", "weight change"], [1, 3], "time t (steps of 1 ms)")
    layout["xaxis"]["range"] = [-1, STEPS]
    layout["yaxis"].update(range=[-0.6, 1.6], tickvals=[0, 1], ticktext=["post", "pre"])
    layout |= {"hovermode": "closest", "height": 340}
    figure = Fig(traces, layout, alt="Spikes of both neurons and the weight change that adds up over time")
    figure.handles = [*PRE.handles(0), *POST.handles(1)]
    return figure


def _list(times: Tensor) -> str:
    return say("step {steps}", steps=say(" and ").join(str(step) for step in sorted(times.tolist())))


def _causal(count: int) -> str:
    if count == 1:
        return say("1 causal pair (pre first, or together) gives")
    return say("{count} causal pairs (pre first, or together) give", count=count)


def _non_causal(count: int) -> str:
    if count == 1:
        return say("1 non-causal pair (post first) gives")
    return say("{count} non-causal pairs (post first) give", count=count)


def _signed(change: float) -> str:
    """Three digits with a sign, and no minus before a zero."""
    return f"{round(change, 3) + 0.0:+.3f}"


def _agreement(numbers: Timing) -> str:
    """Whether traces and pairs say the same, over the window and over time."""
    window = float((numbers.window - numbers.window_by_traces).abs().max())
    total = float((numbers.by_pairs - numbers.by_traces).abs().max())
    if max(window, total) < 1e-9:
        return say("All pairs of spike times and two traces agree at every step.")
    return say("Pairs of spike times and traces differ by {difference:.1g}.", difference=max(window, total))
